/** What arrives at an open port that is no weftfs: each must cost its sender the connection. */
import { randomBytes } from 'node:crypto';
import { connect as connectSocket, type NetConnectOpts, type Socket } from 'node:net';
import { upgradeRequest } from '../../shared/runtime/node/handshake.ts';

const tlsHello = Buffer.concat([
  Buffer.from('1603010200010001fc0303', 'hex'),
  randomBytes(32),
  Buffer.from('20', 'hex'),
  randomBytes(500),
]);

const key = randomBytes(16).toString('base64');
const upgrade = Buffer.from(upgradeRequest('127.0.0.1', key, undefined));

/** A masked binary frame (mask zero) of `declared` bytes, of which only `content` is sent. */
function frame(declared: bigint, content: Uint8Array): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt16BE(0x82ff);
  head.writeBigUInt64BE(declared, 2);
  return Buffer.concat([head, content]);
}

/** One entry of a packet: its lengths, then its bytes. */
function entry(bodyBytes: number, payloadBytes: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(bodyBytes, 0);
  head.writeUInt32LE(payloadBytes, 4);
  return Buffer.concat([head, body]);
}

function whole(content: Uint8Array): Buffer {
  return frame(BigInt(content.length), content);
}

/** What is sent behind each other; all are cut by the daemon. */
export const noises: Readonly<Record<string, readonly Buffer[]>> = {
  'random bytes': [randomBytes(4096)],
  'a TLS hello': [tlsHello],
  'half a header, then nothing': [Buffer.from('GET /rpc HTTP/1.1\r\nHost: exam')],
  'a header without end': Array.from({ length: 64 }, (_, i) =>
    Buffer.from(i === 0 ? 'GET /rpc HTTP/1.1\r\n' : `X-${i}: ${'x'.repeat(1000)}\r\n`),
  ),
  'nothing at all': [],
  'another path': [Buffer.from(upgrade.toString('latin1').replace('/rpc', '/chat'), 'latin1')],
  'an upgrade, then nothing': [upgrade],
  'an upgrade and random bytes': [upgrade, randomBytes(4096)],
  'a frame of 2^63 - 1 bytes': [upgrade, frame(2n ** 63n - 1n, randomBytes(100))],
  'a frame with bit 63 of its length': [upgrade, frame(2n ** 64n - 1n, randomBytes(100))],
  'a frame of 2^53 bytes': [upgrade, frame(2n ** 53n, randomBytes(100))],
  'a body of 4 GiB': [upgrade, whole(entry(0xffff_ffff, 0, randomBytes(100)))],
  'a payload of 4 GiB': [upgrade, whole(entry(36, 0xffff_ffff, Buffer.alloc(36, 1)))],
  'a body of no message': [upgrade, whole(entry(100, 0, randomBytes(100)))],
  'an empty body': [upgrade, whole(entry(0, 0, Buffer.alloc(0)))],
  'half a frame, then nothing': [upgrade, frame(4096n, randomBytes(100))],
};

/** Sends it; returns when the daemon has cut the connection. */
export async function makeNoise(to: NetConnectOpts, pieces: readonly Buffer[]): Promise<void> {
  const socket: Socket = connectSocket(to);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.resume();
  for (const piece of pieces) socket.write(piece);
  await closed;
}
