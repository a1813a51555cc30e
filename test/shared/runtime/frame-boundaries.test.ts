/** Messages where something ends: a packet, a read, an element, a connection (SCENARIOS 141-151). */
import test from 'ava';
import { once } from 'node:events';
import * as net from 'node:net';
import { FrameReader } from '../../../shared/runtime/node/frame-reader.ts';
import { frameFlags, frameHead, opcodes } from '../../../shared/runtime/node/frame-header.ts';
import { rpcPath } from '../../../shared/runtime/upgrade-names.ts';
import type { Frames } from '../../../shared/runtime/node/listen.ts';
import { entryBytes, hex, listening, pair, Recorder } from './recorder.ts';
import { direct, portOf } from './sockets.ts';

const kinds: readonly Frames[] = ['direct', 'portable', 'stock'];
const readBytes = 65_536;
const entryHead = 8;

/** As a client writes it, with a mask that changes nothing. */
function packet(...entries: readonly Buffer[]): Buffer {
  const content = Buffer.concat(entries);
  return Buffer.concat([
    frameHead(opcodes.binary | frameFlags.final, content.length, true),
    content,
  ]);
}

function heardIn(stream: Buffer, pieceBytes: number): Recorder {
  const heard = new Recorder();
  const reader = new FrameReader(true, heardWith(heard));
  for (let at = 0; at < stream.length; at += pieceBytes) {
    reader.feed(stream.subarray(at, at + pieceBytes));
  }
  return heard;
}

/** A channel answers pings and goodbyes itself. */
function heardWith(heard: Recorder) {
  return Object.assign(heard, { ping: () => undefined, goodbye: () => undefined });
}

test('many messages in one read arrive one by one, whatever their sizes (SCENARIOS 141, 143)', (t) => {
  const bodies = Array.from({ length: 20_000 }, (_, i) => Buffer.alloc(i % 7, i));
  const stream = Buffer.concat(bodies.map((body) => packet(entryBytes(body))));
  const heard = heardIn(stream, readBytes);
  t.deepEqual(
    heard.entries.map(({ body }) => body),
    bodies.map(hex),
  );
});

test('a message that ends at the end of a read, a byte before and a byte after it, is whole, and so is the next (SCENARIOS 142, 145, 146)', (t) => {
  for (const reads of [1, 2, 5]) {
    for (const offset of [-1, 0, 1]) {
      const head = packet(entryBytes(Buffer.alloc(readBytes))).length - readBytes;
      const body = Buffer.alloc(reads * readBytes - head + offset, 5);
      const stream = Buffer.concat([
        packet(entryBytes(body)),
        packet(entryBytes(Buffer.alloc(0))),
        packet(entryBytes(Buffer.from('next'))),
      ]);
      for (const pieceBytes of [readBytes, readBytes - 1, readBytes + 1]) {
        t.deepEqual(
          heardIn(stream, pieceBytes).entries.map((one) => one.body),
          [hex(body), '', hex(Buffer.from('next'))],
        );
      }
    }
  }
});

for (const frames of kinds) {
  test(`${frames}: empty parts of a packet change nothing, wherever they are (SCENARIOS 143, 144, 145)`, async (t) => {
    const { near, farHears } = await pair(t, { near: frames, far: frames });
    const empty = Buffer.alloc(0);
    const body = Buffer.from('body');
    const payload = Buffer.alloc(readBytes - entryHead - body.length, 3);
    const head = entryBytes(body, payload).subarray(0, entryHead);
    const none = entryBytes(empty);
    const sent: readonly (readonly Buffer[])[] = [
      [head, body, payload],
      [empty, head, body, payload],
      [head, empty, body, empty, empty, payload],
      [head, body, payload, empty],
      [empty, none, empty],
      [head, body, payload, none],
      [empty, empty],
      [entryBytes(Buffer.from('last'))],
    ];
    for (const parts of sent) near.send(parts);
    const whole = { body: hex(body), payload: hex(payload) };
    const nothing = { body: '', payload: '' };
    await farHears.until(() => farHears.entries.at(-1)?.body === hex(Buffer.from('last')));
    t.deepEqual(farHears.entries, [
      whole,
      whole,
      whole,
      whole,
      nothing,
      whole,
      nothing,
      { body: hex(Buffer.from('last')), payload: '' },
    ]);
  });
}

test('what a peer that died had begun to say is not the beginning of what its next connection says (SCENARIOS 151)', async (t) => {
  const lives: Recorder[] = [];
  const listener = await listening(t, direct, {
    accept() {
      const heard = new Recorder();
      lives.push(heard);
      return heard;
    },
  });
  const upgrade = [
    `GET ${rpcPath} HTTP/1.1`,
    'host: x',
    'upgrade: websocket',
    'connection: Upgrade',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version: 13',
    'sec-websocket-protocol: weft.direct.1',
    '\r\n',
  ].join('\r\n');
  const said = packet(entryBytes(Buffer.from('a message of one life')));
  for (let bytes = 1; bytes < said.length; bytes += 5) {
    const dying = net.connect(portOf(listener), '127.0.0.1');
    dying.on('error', () => undefined);
    dying.write(upgrade);
    await once(dying, 'data');
    dying.write(said.subarray(0, bytes));
    dying.end();
    await lives.at(-1)?.closedReason();
    t.deepEqual(lives.at(-1)?.entries, []);
  }
  const next = await direct.connect(listener.endpoint, { timeoutMs: 60_000 }, new Recorder());
  next.send([entryBytes(Buffer.from('whole'))]);
  await lives.at(-1)?.until(() => (lives.at(-1)?.entries.length ?? 0) > 0);
  t.deepEqual(lives.at(-1)?.entries, [{ body: hex(Buffer.from('whole')), payload: '' }]);
  next.close(new Error('seen all'));
});
