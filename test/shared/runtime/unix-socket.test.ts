import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FsError } from '../../../shared/errno.ts';
import { endpointNamed } from '../../../shared/runtime/abstract-name.ts';
import type { Listener } from '../../../shared/runtime/runtime.ts';
import { listening, temporaryDirectory } from './recorder.ts';
import { direct, refused, stillServes } from './sockets.ts';

async function unixListener(t: ExecutionContext, path: string): Promise<Listener> {
  return listening(t, direct, { endpoint: { kind: 'unix', path } });
}

test('a unix socket is for its owner only, and its file goes with the listener', async (t) => {
  const path = join(await temporaryDirectory(t), 'socket');
  const listener = await unixListener(t, path);
  t.is((await stat(path)).mode & 0o777, 0o600);
  await stillServes(t, listener);
  await listener.close();
  await t.throwsAsync(stat(path), { code: 'ENOENT' });
});

test('a socket file left by a killed process is replaced', async (t) => {
  const path = join(await temporaryDirectory(t), 'socket');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.true((await stat(path)).isSocket());
  await stillServes(t, await unixListener(t, path));
});

test('a socket file that is in use, or is no socket, is left alone', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'socket');
  const first = await unixListener(t, path);
  const error = await t.throwsAsync(unixListener(t, path), { instanceOf: FsError });
  t.is(error.code, 'EADDRINUSE');
  t.true(error.message.includes(path));
  await stillServes(t, first);
  const file = join(directory, 'file');
  await writeFile(file, 'precious');
  await t.throwsAsync(unixListener(t, file), { code: 'EADDRINUSE' });
  t.is((await stat(file)).size, 8);
});

test('a name in place of a file is taken by one, goes with him, and can be read in errors', async (t) => {
  const name = `weft-test-${process.pid}`;
  const endpoint = endpointNamed(name);
  const listener = await listening(t, direct, { endpoint });
  await stillServes(t, listener);
  const error = await t.throwsAsync<FsError>(listening(t, direct, { endpoint }));
  t.like(error, { code: 'EADDRINUSE', weftCode: 'WEFT_E_PORT_TAKEN' });
  t.true(error?.message.includes(`unix:@${name}`), error?.message);
  t.false(error?.message.includes('\0'));
  await stillServes(t, listener);
  await listener.close();
  for (const frames of ['direct', 'stock'] as const) {
    const refusal = await refused(t, endpoint, frames);
    t.is(refusal.code, 'ECONNREFUSED');
    t.true(refusal.message.includes(`unix:@${name}`));
    t.false(refusal.message.includes('\0'));
  }
  await stillServes(t, await listening(t, direct, { endpoint }));
  const tooLong = endpointNamed('a'.repeat(108));
  t.is((await refused(t, tooLong)).code, 'EINVAL');
  t.is((await refused(t, endpointNamed('a\0b'))).code, 'EINVAL');
});

test('the path of a unix socket has at most 107 bytes', async (t) => {
  const directory = await temporaryDirectory(t);
  const room = 107 - Buffer.byteLength(directory) - 1;
  const longest = join(directory, 'a'.repeat(room));
  await stillServes(t, await unixListener(t, longest));
  const tooLong = `${longest}b`;
  await t.throwsAsync(unixListener(t, tooLong), { code: 'EINVAL' });
  t.is((await refused(t, { kind: 'unix', path: tooLong })).code, 'EINVAL');
});

test('listening in a directory that is not there, or one without permission, is an error', async (t) => {
  const directory = await temporaryDirectory(t);
  const error = await t.throwsAsync(unixListener(t, join(directory, 'none', 'socket')), {
    instanceOf: FsError,
  });
  t.true(error.code === 'ENOENT' || error.code === 'EACCES');
  await mkdir(join(directory, 'taken'));
  await t.throwsAsync(unixListener(t, join(directory, 'taken')), { code: 'EADDRINUSE' });
});
