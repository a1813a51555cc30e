import test from 'ava';
import * as fc from 'fast-check';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { frameFlags, frameHead, opcodes } from '../../../shared/runtime/node/frame-header.ts';
import { FrameReader } from '../../../shared/runtime/node/frame-reader.ts';
import { Lane } from '../../../shared/runtime/node/lane.ts';
import { entryBytes, hex, Recorder, temporaryDirectory } from './recorder.ts';

class FrameRecorder extends Recorder {
  readonly pings: string[] = [];
  readonly goodbyes: string[] = [];

  ping(content: Buffer): void {
    this.pings.push(hex(content));
  }

  goodbye(code: number, reason: string): void {
    this.goodbyes.push(`${code} ${reason}`);
  }
}

/** As if its bytes were in the lane. */
function flagged(opcode: number, content: Buffer): Buffer {
  const bytes = frame({ opcode, content });
  bytes[0] = (bytes[0] ?? 0) | frameFlags.lane;
  return bytes;
}

/** With nothing in it. */
function openedLane(directory: string): Lane {
  const path = join(directory, 'lane');
  writeFileSync(path, '');
  return new Lane(openSync(path, 'r+'), 'accepting');
}

interface FrameParts {
  readonly opcode: number;
  readonly content: Buffer;
  readonly final?: boolean;
  /** Length form: 0 = the shortest that fits, else 16 or 64 bits. */
  readonly lengthBits?: 0 | 16 | 64;
  /** Masking key of a client; `undefined`: a server writes it. */
  readonly key?: number | undefined;
}

/** A frame as any peer may write it. */
function frame({ opcode, content, final = true, lengthBits = 0, ...rest }: FrameParts): Buffer {
  const shortest = content.length < 126 ? 0 : content.length < 65_536 ? 16 : 64;
  const bits = lengthBits === 0 ? shortest : lengthBits;
  const head = Buffer.alloc(2 + bits / 8);
  head[0] = opcode | (final ? 0x80 : 0);
  head[1] = bits === 0 ? content.length : bits === 16 ? 126 : 127;
  if (bits === 16) head.writeUInt16BE(content.length, 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt(content.length), 2);
  const key = 'key' in rest ? rest.key : 0;
  if (key === undefined) return Buffer.concat([head, content]);
  head[1] |= 0x80;
  const keyBytes = Buffer.alloc(4);
  keyBytes.writeUInt32BE(key);
  const masked = content.map((byte, i) => byte ^ (keyBytes[i & 3] ?? 0));
  return Buffer.concat([head, keyBytes, masked]);
}

/** Feeds `stream` cut at `cuts`; payload in the way of a socket that reads straight, if `straight`. */
function read(
  stream: Buffer,
  cuts: readonly number[],
  straight: boolean,
  fromClient = true,
): FrameRecorder {
  const heard = new FrameRecorder();
  heard.sink = (_body, bytes) => {
    const first = Buffer.alloc(bytes >> 1);
    return [first, Buffer.alloc(0), Buffer.alloc(bytes - first.length)];
  };
  const reader = new FrameReader(fromClient, heard);
  const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].toSorted(
    (a, b) => a - b,
  );
  let at = 0;
  for (const end of ends) {
    while (at < end) {
      const to = straight ? reader.destination() : undefined;
      const take = to === undefined ? end - at : Math.min(to.length, end - at);
      if (to === undefined) {
        const piece = Buffer.from(stream.subarray(at, at + take));
        reader.feed(piece);
        piece.fill(0xee);
      } else {
        to.set(stream.subarray(at, at + take));
        reader.landed(take);
      }
      at += take;
    }
  }
  return heard;
}

const someBytes = (max: number) =>
  fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes));
const entry = fc.record({ body: someBytes(40), payload: someBytes(400) });
const packet = fc.record({
  entries: fc.array(entry, { maxLength: 5 }),
  fragmentEnds: fc.array(fc.nat(3000), { maxLength: 4 }),
  lengthBits: fc.constantFrom<0 | 16 | 64>(0, 16, 64),
  key: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  ping: fc.option(someBytes(125), { nil: undefined }),
});

test('whatever the fragments, keys, length forms and pieces, the entries arrive as sent (SCENARIOS 140-146)', (t) => {
  fc.assert(
    fc.property(
      fc.array(packet, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(20_000), { maxLength: 40 }),
      fc.boolean(),
      fc.boolean(),
      (packets, cuts, straight, fromClient) => {
        const frames: Buffer[] = [];
        for (const { entries, fragmentEnds, lengthBits, key: itsKey, ping } of packets) {
          const key = fromClient ? itsKey : undefined;
          const content = Buffer.concat(entries.map((e) => entryBytes(e.body, e.payload)));
          const ends = [...fragmentEnds.map((end) => end % (content.length + 1)), content.length];
          let from = 0;
          ends
            .toSorted((a, b) => a - b)
            .forEach((end, i) => {
              const part = content.subarray(from, end);
              const opcode = i === 0 ? opcodes.binary : opcodes.continuation;
              frames.push(
                frame({ opcode, content: part, final: i === ends.length - 1, lengthBits, key }),
              );
              if (ping !== undefined && i === 0) {
                frames.push(frame({ opcode: opcodes.ping, content: ping, key }));
              }
              from = end;
            });
        }
        const heard = read(Buffer.concat(frames), cuts, straight, fromClient);
        const sent = packets.flatMap(({ entries }) => entries);
        t.deepEqual(
          heard.entries,
          sent.map((e) => ({ body: hex(e.body), payload: hex(e.payload) })),
        );
        t.deepEqual(
          heard.sinkCalls,
          sent
            .filter((e) => e.payload.length > 0)
            .map((e) => ({ body: hex(e.body), payloadBytes: e.payload.length })),
        );
        t.deepEqual(
          heard.pings,
          packets.flatMap(({ ping }) => (ping === undefined ? [] : [hex(ping)])),
        );
      },
    ),
    { numRuns: 400 },
  );
});

test('a body that is followed by its payload much later is still whole when the entry is told', (t) => {
  const body = Buffer.from('a body');
  const stream = frame({ opcode: opcodes.binary, content: entryBytes(body, Buffer.alloc(900, 1)) });
  const heard = read(stream, [300, 600], false);
  t.is(heard.entries[0]?.body, hex(body));
});

test('all heads that we write are read back', (t) => {
  for (const bytes of [0, 1, 125, 126, 65_535, 65_536, limits.packetBytesMax]) {
    const fromClient = frameHead(opcodes.binary | frameFlags.final, bytes, true);
    t.deepEqual(
      fromClient,
      frame({ opcode: opcodes.binary, content: Buffer.alloc(bytes) }).subarray(
        0,
        fromClient.length,
      ),
    );
    t.is(frameHead(opcodes.binary | frameFlags.final, bytes, false).length, fromClient.length - 4);
  }
});

const big = Buffer.alloc(8);
big.writeUInt32LE(limits.bodyBytesMax + 1, 0);
const bigPayload = Buffer.alloc(8);
bigPayload.writeUInt32LE(limits.payloadBytesMax + 1, 4);
const hugeLength = Buffer.concat([Buffer.from([0x82, 0xff]), Buffer.alloc(12, 0xff)]);
const binary = opcodes.binary;
const one = entryBytes(Buffer.from('x'));

const breaches: Record<string, { bytes: Buffer; message: RegExp }> = {
  'an extension bit': { bytes: Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), message: /extension/ },
  'no mask': { bytes: Buffer.from([0x82, 0x00]), message: /not masked/ },
  'a text frame': { bytes: frame({ opcode: opcodes.text, content: one }), message: /opcode 1/ },
  'an unknown data frame': { bytes: frame({ opcode: 3, content: one }), message: /opcode 3/ },
  'an unknown control frame': { bytes: frame({ opcode: 11, content: one }), message: /opcode 11/ },
  'a fragmented ping': {
    bytes: frame({ opcode: opcodes.ping, content: one, final: false }),
    message: /control frame/,
  },
  'a long ping': {
    bytes: frame({ opcode: opcodes.ping, content: Buffer.alloc(126) }),
    message: /control frame/,
  },
  'half a close code': {
    bytes: frame({ opcode: opcodes.close, content: Buffer.alloc(1) }),
    message: /half a code/,
  },
  'a fragment of nothing': {
    bytes: frame({ opcode: opcodes.continuation, content: one }),
    message: /fragment of no packet/,
  },
  'a packet inside a packet': {
    bytes: Buffer.concat([
      frame({ opcode: binary, content: one, final: false }),
      frame({ opcode: binary, content: one }),
    ]),
    message: /inside another/,
  },
  'a length beyond all numbers': { bytes: hugeLength, message: /packet of \d+ bytes/ },
  'a packet one byte too long': {
    bytes: frameHead(binary, limits.packetBytesMax + 1, true),
    message: /packet of \d+ bytes/,
  },
  'fragments that are too long together': {
    bytes: Buffer.concat([
      frame({ opcode: binary, content: one, final: false }),
      frameHead(opcodes.continuation, limits.packetBytesMax, true),
    ]),
    message: /packet of \d+ bytes/,
  },
  'a body that is too long': { bytes: frame({ opcode: binary, content: big }), message: /body of/ },
  'a payload that is too long': {
    bytes: frame({ opcode: binary, content: bigPayload }),
    message: /payload of/,
  },
  'a packet that ends in a head': {
    bytes: frame({ opcode: binary, content: one.subarray(0, 5) }),
    message: /ends inside the head/,
  },
  'a packet that ends in a body': {
    bytes: frame({ opcode: binary, content: one.subarray(0, 8) }),
    message: /ends inside the body/,
  },
  'a packet that ends in a payload': {
    bytes: frame({ opcode: binary, content: entryBytes(one, one).subarray(0, -1) }),
    message: /ends inside the payload/,
  },
};

for (const [what, { bytes, message }] of Object.entries(breaches)) {
  test(`${what} is a breach as soon as it is seen (SCENARIOS 147, 148, 150)`, (t) => {
    t.throws(() => read(bytes, [], false), { instanceOf: ProtocolError, message });
    t.throws(
      () =>
        read(
          bytes,
          Array.from(bytes, (_, i) => i),
          true,
        ),
      {
        instanceOf: ProtocolError,
        message,
      },
    );
  });
}

test('a frame from a server must not be masked', (t) => {
  const reader = new FrameReader(false, new FrameRecorder());
  t.throws(() => reader.feed(frame({ opcode: binary, content: one })), {
    instanceOf: ProtocolError,
    message: /of a server is masked/,
  });
});

test('a frame in the lane holds a length, is no control frame, and needs a lane', async (t) => {
  const lane = openedLane(await temporaryDirectory(t));
  t.teardown(() => lane.close());
  const length = Buffer.from([1, 0, 0, 0]);
  for (const [bytes, agreed, message] of [
    [flagged(binary, length.subarray(1)), lane, /with 3 bytes of content/],
    [flagged(opcodes.ping, length), lane, /control frame is .* in the lane/],
    [flagged(binary, length), undefined, /extension nobody agreed on/],
    [flagged(binary, length), lane, /lane is shorter/],
  ] as const) {
    const reader = new FrameReader(true, new FrameRecorder(), agreed);
    t.throws(() => reader.feed(bytes), { instanceOf: ProtocolError, message });
  }
});

test('the largest packet with the largest body and payloads is taken (SCENARIOS 147)', (t) => {
  const body = Buffer.alloc(limits.bodyBytesMax, 3);
  const payload = Buffer.alloc(limits.payloadBytesMax, 4);
  const full = entryBytes(body, payload);
  const count = Math.floor(limits.packetBytesMax / full.length);
  const rest = limits.packetBytesMax - count * full.length;
  const content = Buffer.concat([
    ...Array.from({ length: count }, () => full),
    entryBytes(Buffer.alloc(0), Buffer.alloc(rest - 8)),
  ]);
  t.is(content.length, limits.packetBytesMax);
  t.is(read(frame({ opcode: binary, content }), [70_000], true).entries.length, count + 1);
});

test('a close frame tells code and reason, and 1005 when there is none', (t) => {
  const content = Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from('going away')]);
  const close = opcodes.close;
  t.deepEqual(read(frame({ opcode: close, content, key: 77 }), [], false).goodbyes, [
    '1001 going away',
  ]);
  t.deepEqual(read(frame({ opcode: close, content: Buffer.alloc(0) }), [], false).goodbyes, [
    '1005 ',
  ]);
});

test('nothing is told after stop, not even the rest of the piece at hand', (t) => {
  const heard = new FrameRecorder();
  const reader = new FrameReader(true, heard);
  heard.onEntry = () => reader.stop();
  reader.feed(frame({ opcode: binary, content: Buffer.concat([one, one, one]) }));
  t.is(heard.entries.length, 1);
  t.is(reader.destination(), undefined);
});

test('buffers that do not hold exactly the payload are a mistake of ours', (t) => {
  const heard = new FrameRecorder();
  heard.sink = () => [Buffer.alloc(3)];
  const reader = new FrameReader(true, heard);
  const content = entryBytes(one, Buffer.alloc(4));
  t.throws(() => reader.feed(frame({ opcode: binary, content })), { name: 'AssertionError' });
});
