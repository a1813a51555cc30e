import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  findDaemon,
  startDaemon,
  stopProcess,
} from '../../../../client/cli/local-cluster/daemon-process.ts';
import type { DaemonSpec } from '../../../../client/cli/local-cluster/cluster-state.ts';
import { isRunning, startOf } from '../../../../client/cli/local-cluster/process-table.ts';

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-daemon-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

/** A program that says it is ready and stays, with what it shall do besides. */
async function daemon(t: ExecutionContext, program: string): Promise<DaemonSpec> {
  const dataDir = await directory(t);
  return {
    role: 'iod',
    name: 'iod0',
    url: 'ws://127.0.0.1:1',
    dataDir,
    log: join(dataDir, 'iod0.log'),
    command: [process.execPath, '-e', program, '--', dataDir],
  };
}

function endWith(t: ExecutionContext, child: ChildProcess): void {
  t.teardown(() => child.kill('SIGKILL'));
}

const stays = 'console.log("ready"); setInterval(() => {}, 1000);';

test('a daemon is ready when it says so, and ends when it is asked', async (t) => {
  const { child, record, ready } = await startDaemon(await daemon(t, stays));
  endWith(t, child);
  await ready;
  t.true(await isRunning(record));
  t.deepEqual(await stopProcess('iod0', record, 10_000), {
    name: 'iod0',
    pid: record.pid,
    killed: false,
  });
  t.false(await isRunning(record));
});

test('a daemon that does not end when it is asked is killed, and that is told', async (t) => {
  const stubborn = `process.on('SIGTERM', () => {}); ${stays}`;
  const { child, record, ready } = await startDaemon(await daemon(t, stubborn));
  endWith(t, child);
  await ready;
  t.like(await stopProcess('iod0', record, 1), { killed: true });
  t.false(await isRunning(record));
});

test('a daemon that ends before it is ready fails with the end of its log', async (t) => {
  const spec = await daemon(t, 'console.error("weft: no disk"); process.exit(1)');
  await writeFile(spec.log, 'lines of an earlier start\n');
  const { ready } = await startDaemon(spec);
  const error = await t.throwsAsync(ready);
  t.regex(error?.message ?? '', /iod0 ended with status 1 before it was ready.*weft: no disk/s);
  t.notRegex(error?.message ?? '', /earlier start/);
  t.regex(await readFile(spec.log, 'utf8'), /^lines of an earlier start\nweft: no disk\n$/);
});

test('a program that is not there is told by name', async (t) => {
  const spec = await daemon(t, '');
  const { ready } = await startDaemon({ ...spec, command: ['/no/such/program'] });
  await t.throwsAsync(ready, { message: /could not be started.*ENOENT/s });
});

test('a process that got the pid of a daemon is never taken for it', async (t) => {
  const stranger = spawn(process.execPath, ['-e', stays], { stdio: ['ignore', 'pipe', 'ignore'] });
  endWith(t, stranger);
  await once(stranger.stdout, 'data');
  const spec = await daemon(t, stays);
  const stale = { ...spec, pid: stranger.pid ?? 0, started: 'another boot 1' };
  t.is(await findDaemon(stale), undefined);
  await writeFile(join(spec.dataDir, 'lock'), `iod iod0, pid ${stranger.pid}\n`);
  t.is(await findDaemon(stale), undefined, 'its command line names no such directory');
  t.like(await stopProcess('iod0', stale, 1000), { killed: false });
  t.is(stranger.exitCode, null);
});

test('a daemon that somebody else started again is found by its lock', async (t) => {
  const spec = await daemon(t, stays);
  const [program = '', ...words] = spec.command;
  const again = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  endWith(t, again);
  await once(again.stdout, 'data');
  const pid = again.pid ?? 0;
  await writeFile(join(spec.dataDir, 'lock'), `iod iod0, pid ${pid}\n`);
  const found = await findDaemon({ ...spec, pid: 1, started: 'long ago' });
  t.deepEqual(found, { pid, started: (await startOf(pid)) ?? '' });
});
