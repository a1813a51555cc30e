/** Makes a channel over the client of stock `ws`, for a Node on which our own frames fail. */
import * as net from 'node:net';
import { WebSocket } from 'ws';
import { FsError } from '../../errno.ts';
import type { Channel, ChannelHandlers, Endpoint } from '../runtime.ts';
import { rpcPath, stockProtocol } from '../upgrade-names.ts';
import { connectError, endpointText, notWeftError } from '../net-errors.ts';
import { peerAt, SocketChannel } from './socket-channel.ts';
import { StockWire, stockOptions } from './stock-wire.ts';
import { legible, systemPath } from './unix-socket.ts';

/** @throws FsError as `Net.connect` says; `handlers` hear of nothing then */
export async function connectStock(
  endpoint: Endpoint,
  timeoutMs: number,
  handlers: ChannelHandlers,
): Promise<Channel> {
  const raw =
    endpoint.kind === 'unix'
      ? net.connect({ path: systemPath(endpoint) })
      : net.connect({ host: endpoint.host, port: endpoint.port });
  const host = endpoint.kind === 'unix' ? 'localhost' : endpointText(endpoint);
  const socket = new WebSocket(`ws://${host}${rpcPath}`, [stockProtocol], {
    ...stockOptions,
    createConnection: () => raw,
    generateMask: (mask) => mask.fill(0),
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(connectError(endpoint, new FsError('ETIMEDOUT', { what: `after ${timeoutMs} ms` })));
      socket.terminate();
    }, timeoutMs);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(handshakeError(endpoint, error));
    });
    socket.once('open', () => {
      clearTimeout(timer);
      const channel = new SocketChannel(peerAt(endpoint, raw.remoteAddress));
      raw.setNoDelay(true);
      new StockWire(channel, socket).start();
      channel.begin(handlers);
      resolve(channel);
      // Whoever awaits the channel shall have it before the first entry.
      socket.pause();
      setImmediate(() => socket.resume());
    });
  });
}

/** What the system reports has its errno as code; the rest is about an answer that is not ours. */
function handshakeError(endpoint: Endpoint, error: NodeJS.ErrnoException): FsError {
  const fromSystem = error.errno !== undefined || error.code === 'ECONNRESET';
  return fromSystem
    ? connectError(endpoint, legible(error))
    : notWeftError(endpoint, error.message);
}
