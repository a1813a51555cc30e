/** A listener whose process may have no more open files (SCENARIOS 156). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import test from 'ava';
import { isFsError } from '../../../shared/errno.ts';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import { entryBytes, hex, Recorder } from './recorder.ts';
import { at, direct } from './sockets.ts';
import { programWords } from '../../../scripts/project.ts';

const program = programWords('test/shared/runtime/listener-program.ts');
const descriptors = 64;

/** The crowd takes a moment to go: until then newcomers are cut, and try again. */
async function connected(port: number, heard: Recorder): Promise<Channel> {
  for (;;) {
    try {
      return await direct.connect(at(port), { timeoutMs: 60_000 }, heard);
    } catch (error) {
      if (!isFsError(error) || error.code !== 'ECONNRESET') throw error;
    }
  }
}

async function echoed(channel: Channel, heard: Recorder, text: string): Promise<void> {
  const body = Buffer.from(text);
  channel.send([entryBytes(body)]);
  await heard.until(() => heard.entries.at(-1)?.body === hex(body));
}

test('a listener without descriptors goes on with its connections, and takes new ones when there are some (SCENARIOS 156)', async (t) => {
  const command = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  const listening = spawn('sh', ['-c', command, process.execPath, ...program]);
  t.teardown(() => listening.kill('SIGKILL'));
  const [line] = (await once(listening.stdout, 'data')) as [Buffer];
  const port = Number(line);
  const heard = new Recorder();
  const standing = await direct.connect(at(port), { timeoutMs: 60_000 }, heard);
  const crowd = await Promise.all(
    Array.from({ length: 2 * descriptors }, async () => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    }),
  );
  await echoed(standing, heard, 'in the crowd');
  for (const socket of crowd) socket.destroy();
  const next = new Recorder();
  const channel = await connected(port, next);
  await echoed(channel, next, 'behind the crowd');
  await echoed(standing, heard, 'still here');
  t.is(listening.exitCode, null);
  for (const one of [standing, channel]) one.close(new Error('seen all'));
});
