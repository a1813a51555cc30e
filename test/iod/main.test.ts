/** The program `weft-iod` as a process of its own, against a scripted mgr in this one. */
import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DaemonProgram } from '../daemon-program.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import { secret } from './stage.ts';
import { ScriptedMgr } from './scripted-mgr.ts';

interface Ground {
  readonly directory: string;
  readonly data: string;
  readonly mgr: ScriptedMgr;
  readonly url: string;
}

async function makeGround(t: ExecutionContext): Promise<Ground> {
  const directory = await fsp.mkdtemp(join(tmpdir(), 'weft-iod-main-'));
  t.teardown(() => fsp.rm(directory, { recursive: true, force: true }));
  const key = join(directory, 'cluster.key');
  await fsp.writeFile(key, `${Buffer.from(secret).toString('hex')}\n`);
  const mgr = new ScriptedMgr(makeNodeRuntime({ log: 'silent' }), { secret });
  const port = await mgr.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => mgr.close());
  const url = `ws://127.0.0.1:${port}?key=${key}`;
  return { directory, data: join(directory, 'data'), mgr, url };
}

test('it says when it serves, ends with 0 when asked to, and has its port again after a kill', async (t) => {
  const { data, mgr, url } = await makeGround(t);
  const words = ['--data', data, '--mgr', url, '--name', 'iod3', '--print-ready'];
  const first = new DaemonProgram(t, 'iod', words);
  const ready = await first.ready();
  t.like(ready, { ready: true, role: 'iod', name: 'iod3', host: '127.0.0.1', dataDir: data });
  t.is(ready['pid'], first.child.pid);
  t.is(mgr.addresses[0]?.port, ready['port'] as number);
  first.child.kill('SIGKILL');
  t.is(await first.ended, 'SIGKILL');
  const second = new DaemonProgram(t, 'iod', words);
  t.is((await second.ready())['port'], ready['port']);
  second.child.kill('SIGTERM');
  t.is(await second.ended, 0);
  t.true(mgr.steps.includes('draining'));
  t.deepEqual(
    mgr.joins.map(({ incarnation }) => incarnation),
    [1, 2],
  );
});

test('an iodtab and a number tell name, host and port', async (t) => {
  const { directory, data, mgr, url } = await makeGround(t);
  const iodtab = join(directory, 'iodtab');
  await fsp.writeFile(iodtab, '127.0.0.1:7301\n127.0.0.1:7302 name=second\n');
  const words = ['--data', data, '--mgr', url, '--iodtab', iodtab, '--print-ready'];
  const one = new DaemonProgram(t, 'iod', [...words, '--index', '1', '--port', '0']);
  t.like(await one.ready(), { name: 'second' });
  t.is(mgr.joins[0]?.name, 'second');
  const none = new DaemonProgram(t, 'iod', [...words, '--index', '2']);
  t.is(await none.ended, 1);
  t.regex(none.errors, /^weft: WEFT_E_IODTAB .*no number 2\n {2}effect: .*\n {2}try: {4}/m);
});

test('an advertised port is what the mgr tells clients, without a unix socket; it listens where it was told', async (t) => {
  const { data, mgr, url } = await makeGround(t);
  const words = ['--data', data, '--mgr', url, '--name', 'iod3', '--print-ready'];
  const iod = new DaemonProgram(t, 'iod', [...words, '--advertise', '7777']);
  const ready = await iod.ready();
  t.deepEqual(mgr.addresses, [{ port: 7777, unixPath: '' }]);
  t.not(ready['port'], 7777);
});

test('what keeps it from starting is told with what to try, and ends it with 1', async (t) => {
  const { directory, data, url } = await makeGround(t);
  const words = ['--data', data, '--name', 'iod3', '--print-ready'];
  const running = new DaemonProgram(t, 'iod', [...words, '--mgr', url]);
  await running.ready();
  const second = new DaemonProgram(t, 'iod', [...words, '--mgr', url]);
  t.is(await second.ended, 1);
  t.regex(second.errors, /^weft: WEFT_E_DATA_LOCKED .*iod iod3, pid \d+/m);
  t.regex(second.errors, /^ {2}try: +stop the other process/m);
  const keyless = new DaemonProgram(t, 'iod', [
    ...words,
    '--mgr',
    `${url.split('?')[0]}?key=${directory}/none`,
  ]);
  t.is(await keyless.ended, 1);
  t.regex(keyless.errors, /^weft: ENOENT: .*none/m);
});

test('a wrong command line ends it with 2 and touches nothing', async (t) => {
  const { data, url } = await makeGround(t);
  for (const words of [
    [],
    ['--data', data],
    ['--data', data, '--mgr', url],
    ['--data', data, '--mgr', url, '--index', '1'],
    ['--data', data, '--mgr', url, '--name', 'x', '--port', 'many'],
    ['--data', data, '--mgr', url, '--name', 'x', '--advertise', '0'],
    ['--data', data, '--mgr', url, '--name', 'x', '--log-level', 'loud'],
    ['--data', data, '--mgr', url, '--name', 'x', '--allow-origin', 'null'],
    ['--data', data, '--mgr', url, '--name', 'x', '--frobnicate'],
  ]) {
    const wrong = new DaemonProgram(t, 'iod', words);
    t.is(await wrong.ended, 2, words.join(' '));
    t.regex(wrong.errors, /^error: /m);
  }
  await t.throwsAsync(fsp.stat(data), { code: 'ENOENT' });
});
