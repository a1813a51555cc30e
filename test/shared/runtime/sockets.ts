/** Bare sockets against the network of the runtime. */
import type { ExecutionContext } from 'ava';
import { once } from 'node:events';
import * as net from 'node:net';
import { FsError } from '../../../shared/errno.ts';
import type { Endpoint, Listener } from '../../../shared/runtime/runtime.ts';
import { netOf, Recorder } from './recorder.ts';

export const direct = netOf('direct');

export function portOf({ endpoint }: Listener): number {
  return endpoint.kind === 'tcp' ? endpoint.port : 0;
}

export function at(port: number): Endpoint {
  return { kind: 'tcp', host: '127.0.0.1', port };
}

export async function refused(
  t: ExecutionContext,
  endpoint: Endpoint,
  frames: 'direct' | 'stock' = 'direct',
  timeoutMs = 60_000,
): Promise<FsError> {
  const heard = new Recorder();
  const connecting = netOf(frames).connect(endpoint, { timeoutMs }, heard);
  const error = await t.throwsAsync(connecting, { instanceOf: FsError });
  t.is(heard.closedWith.length, 0, 'a channel that never was is not closed');
  return error;
}

/** A server of bare sockets that does `talk` with each. */
export async function plainServer(
  t: ExecutionContext,
  talk: (socket: net.Socket) => void,
): Promise<Endpoint> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    talk(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return at((server.address() as net.AddressInfo).port);
}

/** What a bare socket gets back for `bytes` until the other side closes. */
export async function answerTo(port: number, bytes: string | Buffer): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(pieces).toString('latin1');
}

/** A listener under test may cut slow greetings, and this machine may be slow: it may take tries. */
export async function stillServes(t: ExecutionContext, listener: Listener): Promise<void> {
  for (;;) {
    try {
      const channel = await direct.connect(
        listener.endpoint,
        { timeoutMs: 60_000 },
        new Recorder(),
      );
      channel.close(new Error('only looked'));
      t.pass();
      return;
    } catch (error: unknown) {
      if (!(error instanceof FsError) || error.code !== 'ECONNRESET') throw error;
    }
  }
}
