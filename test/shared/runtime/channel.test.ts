import test from 'ava';
import { once } from 'node:events';
import * as net from 'node:net';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { FsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Frames } from '../../../shared/runtime/node/listen.ts';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import {
  entryBytes,
  hex,
  listening,
  loopback,
  netOf,
  pair,
  Recorder,
  temporaryDirectory,
} from './recorder.ts';

const KiB = 1024;
const kinds: readonly Frames[] = ['direct', 'portable', 'stock'];

/** Bytes that tell where they belong. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed + (i >> 8)) & 0xff;
  return bytes;
}

/** Packets of every size at which something changes: length forms, read buffers, staging. */
const sizes = [
  0, 1, 117, 118, 125, 126, 4087, 4088, 4096, 16_383, 16_384, 65_527, 65_528, 65_535, 65_536,
  256 * KiB - 8, 256 * KiB, limits.payloadBytesMax,
];

for (const near of kinds) {
  for (const far of kinds) {
    test(`${near} and ${far} understand each other, both ways`, async (t) => {
      const { near: client, nearHears, far: server, farHears } = await pair(t, { near, far });
      for (const [i, size] of sizes.entries()) {
        const body = pattern(i, i);
        const payload = pattern(size, i);
        for (const channel of [client, server]) {
          const head = entryBytes(body, payload).subarray(0, 8);
          channel.send([head, body, payload.subarray(0, size >> 1), payload.subarray(size >> 1)]);
          channel.send([entryBytes(Buffer.from('second')), entryBytes(body)]);
        }
      }
      for (const recorder of [nearHears, farHears]) {
        await recorder.until(() => recorder.entries.length === 3 * sizes.length);
        sizes.forEach((size, i) => {
          const body = hex(pattern(i, i));
          t.deepEqual(recorder.entries.slice(i * 3, i * 3 + 3), [
            { body, payload: hex(pattern(size, i)) },
            { body: hex(Buffer.from('second')), payload: '' },
            { body, payload: '' },
          ]);
        });
      }
      client.close(new Error('seen all'));
      const [here, there] = [await nearHears.closedReason(), await farHears.closedReason()];
      t.is(here.message, 'seen all');
      t.true(there instanceof FsError && there.code === 'ECONNRESET');
      t.regex(there.message, /1001 seen all/);
    });

    test(`payload from ${near} to ${far} lands in the buffers its receiver named`, async (t) => {
      const { near: client, farHears } = await pair(t, { near, far });
      const region = Buffer.alloc(300 * KiB);
      const sinks = [region.subarray(10, 11), region.subarray(0, 0), region.subarray(50_000, 250_000)];
      farHears.sink = () => sinks;
      const payload = pattern(200_001, 5);
      client.send([entryBytes(Buffer.from('b'), payload)]);
      await farHears.until(() => farHears.entries.length === 1);
      t.deepEqual(farHears.sinkCalls, [{ body: '62', payloadBytes: 200_001 }]);
      t.is(region[10], payload[0]);
      t.true(region.subarray(50_000, 250_000).equals(payload.subarray(1)));
      t.is(region[49_999], 0);
      t.is(region[250_000], 0);
    });
  }
}

/** What a peer sends after the upgrade, as bytes. */
async function sentBytes(frames: Frames, packets: readonly Buffer[][]): Promise<string> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const websocket = new WebSocketServer({ noServer: true });
  const bytes = new Promise<string>((resolve) => {
    server.once('connection', (socket) => {
      let head = '';
      const pieces: Buffer[] = [];
      socket.on('data', (piece: Buffer) => {
        if (head !== '') return pieces.push(piece);
        head = piece.toString('latin1');
        const key = /Sec-WebSocket-Key: (.*)\r/i.exec(head)?.[1] ?? '';
        const request = {
          method: 'GET',
          url: '/rpc',
          headers: {
            upgrade: 'websocket',
            'sec-websocket-key': key,
            'sec-websocket-version': '13',
            'sec-websocket-protocol': 'weft.1',
          },
        };
        const answer = { ...request };
        void answer;
        return undefined;
      });
      socket.on('close', () => resolve(Buffer.concat(pieces).toString('hex')));
    });
  });
  websocket.close();
  void frames;
  void packets;
  return bytes;
}
void sentBytes;
