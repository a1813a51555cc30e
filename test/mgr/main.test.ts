/** The program `weft-mgr` as a process of its own. */
import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DaemonProgram } from '../daemon-program.ts';

async function makeGround(t: ExecutionContext): Promise<{ data: string; iodtab: string }> {
  const directory = await fsp.mkdtemp(join(tmpdir(), 'weft-mgr-main-'));
  t.teardown(() => fsp.rm(directory, { recursive: true, force: true }));
  const iodtab = join(directory, 'iodtab');
  await fsp.writeFile(iodtab, 'mgr 127.0.0.1:7300\n127.0.0.1:7301-7302\n');
  return { data: join(directory, 'data'), iodtab };
}

test('it says when it listens, answers, ends with 0 when asked to, and has its port again after a kill', async (t) => {
  const { data, iodtab } = await makeGround(t);
  const words = ['--data', data, '--iodtab', iodtab, '--port', '0', '--print-ready'];
  const first = new DaemonProgram(t, 'mgr', words);
  const ready = await first.ready();
  t.like(ready, { ready: true, role: 'mgr', name: 'mgr', host: '127.0.0.1', dataDir: data });
  t.is(ready['pid'], first.child.pid);
  const health = await fetch(`http://127.0.0.1:${String(ready['port'])}/health`);
  t.is(health.status, 200);
  first.child.kill('SIGKILL');
  t.is(await first.ended, 'SIGKILL');
  const second = new DaemonProgram(t, 'mgr', ['--data', data, '--port', '0', '--print-ready']);
  t.is((await second.ready())['port'], ready['port']);
  second.child.kill('SIGTERM');
  t.is(await second.ended, 0);
});

test('what keeps it from starting is told in words, with exit code 1', async (t) => {
  const { data, iodtab } = await makeGround(t);
  const open = new DaemonProgram(t, 'mgr', [
    '--data',
    data,
    '--iodtab',
    iodtab,
    '--host',
    '0.0.0.0',
  ]);
  t.is(await open.ended, 1);
  t.regex(open.errors, /^weft: WEFT_E_OPEN_BIND/m);
  const none = new DaemonProgram(t, 'mgr', ['--data', `${data}2`, '--port', '0']);
  t.is(await none.ended, 1);
  t.regex(none.errors, /^weft: WEFT_E_IODTAB/m);
  t.regex(none.errors, /^ {2}try: /m);
});

test('a command line that is wrong ends with exit code 2', async (t) => {
  const { data } = await makeGround(t);
  for (const words of [
    [],
    ['--data', data, '--port', '70000'],
    ['--data', data, '--user', 'alice'],
    ['--data', data, '--user', 'alice=1:99999999999'],
    ['--data', data, '--allow-origin', '*'],
    ['--data', data, '--small-file-bytes', '65537'],
    ['--data', data, '--nothing'],
  ]) {
    const wrong = new DaemonProgram(t, 'mgr', words);
    t.is(await wrong.ended, 2, words.join(' '));
    t.regex(wrong.errors, /^error: /m);
  }
});
