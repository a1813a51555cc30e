import assert from 'node:assert/strict';
import test from 'ava';
import * as fc from 'fast-check';
import { ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Outbox } from '../../../shared/rpc/outbox.ts';
import { EntryReader } from '../../../shared/runtime/entry-reader.ts';
import type { Channel } from '../../../shared/runtime/runtime.ts';
import { bytes, Reader, struct, u32, type ValueOf } from '../../../shared/wire/codec.ts';
import { envelopeBytes, readEnvelope } from '../../../shared/wire/envelope.ts';

/** Keeps what is sent, and lets the test say how much the network has taken. */
class Pipe implements Channel {
  readonly peer = 'peer';
  readonly peerHost = 'host';
  bufferedBytes = 0;
  readonly packets: Buffer[] = [];
  readonly #taken: (() => void)[] = [];

  send(segments: readonly Uint8Array[], taken: () => void = () => undefined): void {
    const packet = Buffer.concat(segments);
    this.packets.push(packet);
    this.#taken.push(taken);
    this.bufferedBytes += packet.length;
  }

  close(): void {
    throw new Error('nobody asked for it');
  }

  /** The network has taken the oldest packets. */
  take(count = Infinity): void {
    this.bufferedBytes = 0;
    for (const taken of this.#taken.splice(0, count)) taken();
  }

  /** Every entry of every packet, as a peer reads them. */
  entries(): { n: number; filler: number; payload: number }[] {
    const read: { n: number; filler: number; payload: number }[] = [];
    const reader = new EntryReader({
      payloadSink: () => undefined,
      entry: (body, payload) => {
        const from = new Reader(body);
        const { tag } = readEnvelope(from);
        const { n, filler } = fields.read(from);
        assert.equal(n, tag);
        const all = Buffer.concat(payload);
        assert(
          all.every((byte) => byte === (n & 0xff)),
          `payload of ${n}`,
        );
        read.push({ n, filler: filler.length, payload: all.length });
      },
    });
    for (const packet of this.packets) {
      reader.feed(packet);
      reader.endOfPacket();
    }
    return read;
  }
}

const fields = struct({ n: u32, filler: bytes(2 * limits.bodyBytesMax) });

function envelopeOf(tag: number) {
  const epoch = { generation: 1, number: 1 };
  return {
    kind: 1,
    op: 7,
    tag,
    epoch,
    status: 0,
    payloadChecksum: 0,
    slot: 0,
    sequence: 0,
  } as const;
}

function add(
  outbox: Outbox,
  n: number,
  sizes: { filler?: number; payload?: readonly number[] } = {},
  taken?: () => void,
): void {
  const value: ValueOf<typeof fields> = { n, filler: Buffer.alloc(sizes.filler ?? 0) };
  const payload = (sizes.payload ?? []).map((size) => Buffer.alloc(size, n & 0xff));
  outbox.add(envelopeOf(n), fields, value, payload, taken);
}

function opened(): { outbox: Outbox; pipe: Pipe } {
  const outbox = new Outbox();
  const pipe = new Pipe();
  outbox.open(pipe);
  return { outbox, pipe };
}

test('what is added before a flush leaves as one packet, in order', (t) => {
  const { outbox, pipe } = opened();
  for (let n = 0; n < 100; n++) add(outbox, n, { payload: n % 3 === 0 ? [10, 0, 5] : [] });
  t.is(pipe.packets.length, 0);
  outbox.flush();
  t.is(pipe.packets.length, 1);
  t.deepEqual(
    pipe.entries().map(({ n }) => n),
    Array.from({ length: 100 }, (_, n) => n),
  );
  t.is(outbox.bytes, 0);
  outbox.flush();
  t.is(pipe.packets.length, 1, 'nothing makes no packet');
});

test('all entries arrive whole and in order in packets within the bound', (t) => {
  const size = fc.oneof(fc.nat(200), fc.nat(limits.payloadBytesMax));
  const entry = fc.record({
    filler: fc.oneof(
      { weight: 5, arbitrary: fc.nat(100) },
      { weight: 1, arbitrary: fc.nat(500_000) },
    ),
    payload: fc.option(size, { nil: 0 }),
    flush: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
      const { outbox, pipe } = opened();
      entries.forEach(({ filler, payload, flush }, n) => {
        const half = Math.floor(payload / 2);
        add(outbox, n, { filler, payload: [half, payload - half] });
        if (!flush) return;
        outbox.flush();
        pipe.take();
      });
      outbox.flush();
      pipe.take();
      outbox.flush();
      pipe.take();
      for (let before = -1; before !== pipe.packets.length; outbox.flush(), pipe.take()) {
        before = pipe.packets.length;
      }
      t.true(pipe.packets.every(({ length }) => length <= limits.packetBytesMax));
      t.deepEqual(
        pipe.entries(),
        entries.map(({ filler, payload }, n) => ({ n, filler, payload })),
      );
    }),
    { numRuns: 30 },
  );
});

test('an entry that cannot be encoded, or is too large, leaves no trace', (t) => {
  const { outbox, pipe } = opened();
  add(outbox, 1, { payload: [3] });
  const before = outbox.bytes;
  t.throws(() => add(outbox, -1, { payload: [3] }), { instanceOf: ProtocolError });
  t.throws(() => add(outbox, 2, { filler: limits.bodyBytesMax - envelopeBytes - 7 }), {
    instanceOf: ProtocolError,
    message: /^body of 524289 bytes/,
  });
  t.throws(() => add(outbox, 2, { payload: [limits.payloadBytesMax, 1] }), {
    instanceOf: ProtocolError,
    message: /^payload of 1048577 bytes/,
  });
  t.is(outbox.bytes, before);
  add(outbox, 3);
  outbox.flush();
  t.deepEqual(
    pipe.entries().map(({ n }) => n),
    [1, 3],
  );
});

test('short payloads are worth sending before the buffer of a packet is long enough for a lane', (t) => {
  const { outbox, pipe } = opened();
  let entries = 0;
  while (!outbox.isWorthSending) add(outbox, entries++, { payload: [4096] });
  t.true(entries > 8);
  outbox.flush();
  t.true((pipe.packets[0]?.length ?? Infinity) < limits.laneBytesMin);
});

test('enough for a packet is worth sending, be it entries or bytes', (t) => {
  const { outbox } = opened();
  for (let n = 0; n < limits.messagesSentAtOnce; n++) {
    t.false(outbox.isWorthSending);
    add(outbox, n);
  }
  t.true(outbox.isWorthSending);
  outbox.flush();
  t.false(outbox.isWorthSending);
  add(outbox, 0, { payload: [limits.transferBytes] });
  t.true(outbox.isWorthSending);
});

test('what the network has no room for waits, is counted, and leaves as one packet', (t) => {
  const { outbox, pipe } = opened();
  pipe.bufferedBytes = limits.channelHighWaterBytes + 1;
  for (let n = 0; n < 50; n++) {
    add(outbox, n, { payload: [1000] });
    outbox.flush();
  }
  t.is(pipe.packets.length, 0);
  t.true(outbox.bytes > 50_000);
  pipe.bufferedBytes = 0;
  outbox.flush();
  t.is(pipe.packets.length, 1);
  t.is(pipe.entries().length, 50);
  t.is(outbox.bytes, 0);
});

test('no more than a packet beyond the high-water mark is given to the network', (t) => {
  const { outbox, pipe } = opened();
  for (let n = 0; n < 20; n++) add(outbox, n, { payload: [limits.payloadBytesMax] });
  outbox.flush();
  t.true(pipe.bufferedBytes <= limits.channelHighWaterBytes + limits.packetBytesMax);
  t.true(pipe.packets.length < 20);
  while (outbox.bytes > 0) {
    pipe.take();
    outbox.flush();
  }
  t.is(pipe.entries().length, 20);
});

test('a short payload is free at once: whoever changes it then changes nothing that is sent', (t) => {
  const { outbox, pipe } = opened();
  let free = 0;
  const payload = Buffer.alloc(4096, 7);
  for (let n = 0; n < 3; n++) {
    const value = { n, filler: Buffer.alloc(0) };
    outbox.add(envelopeOf(n), fields, value, [payload.fill(n)], () => free++);
  }
  t.is(free, 3);
  payload.fill(0xff);
  outbox.flush();
  t.deepEqual(
    pipe.entries().map(({ payload }) => payload),
    [4096, 4096, 4096],
  );
});

test('each long payload is told to be free once: when the network has it, or never will', (t) => {
  const { outbox, pipe } = opened();
  const told: number[] = [];
  add(outbox, 0);
  outbox.flush();
  add(outbox, 1, { payload: [100_000] }, () => told.push(1));
  outbox.flush();
  pipe.take(1);
  t.deepEqual(told, [], 'that was another packet');
  pipe.take();
  t.deepEqual(told, [1]);
  pipe.bufferedBytes = Infinity;
  for (const n of [2, 3]) {
    add(outbox, n, { payload: [limits.payloadBytesMax] }, () => told.push(n));
    outbox.flush();
  }
  outbox.discard();
  t.deepEqual(told, [1, 2, 3]);
  t.is(outbox.bytes, 0);
});
