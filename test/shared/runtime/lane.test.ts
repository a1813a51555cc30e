import test, { type ExecutionContext } from 'ava';
import * as fc from 'fast-check';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { Lane, LaneOffer, openLane } from '../../../shared/runtime/node/lane.ts';
import { entryBytes, hex, pair, temporaryDirectory } from './recorder.ts';

const { laneSlots, laneSlotBytes } = limits;
const uid = process.getuid?.() ?? -1;

interface Ends {
  readonly near: Lane;
  readonly far: Lane;
}

async function lanes(t: ExecutionContext): Promise<Ends> {
  const memory = await temporaryDirectory(t);
  const offer = LaneOffer.make(memory);
  if (offer === undefined) throw new Error('no memory');
  const far = openLane(offer.name, memory);
  if (far === undefined) throw new Error('no lane');
  const near = offer.take();
  t.teardown(() => {
    near.close();
    far.close();
  });
  return { near, far };
}

function put(lane: Lane, text: string): boolean {
  const bytes = Buffer.from(text);
  const half = bytes.length >> 1;
  return lane.put([bytes.subarray(0, half), bytes.subarray(half)], bytes.length);
}

/** Takes a slot in pieces of at most three bytes. */
function take(lane: Lane, bytes: number): string {
  const piece = Buffer.alloc(3);
  let text = '';
  lane.take(
    bytes,
    () => piece,
    (count) => (text += piece.toString('latin1', 0, count)),
  );
  return text;
}

test('what one end puts the other takes, in order and both ways at once', async (t) => {
  const ends = await lanes(t);
  const step = fc.record({ from: fc.constantFrom('near', 'far'), puts: fc.boolean() });
  let sent = 0;
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const waiting: Record<string, string[]> = { near: [], far: [] };
    const takeFrom = (from: string): void => {
      const text = waiting[from]?.shift();
      if (text !== undefined) {
        t.is(take(from === 'near' ? ends.far : ends.near, text.length), text);
      }
    };
    for (const { from, puts } of steps) {
      const text = `block ${sent++}`;
      if (!puts) takeFrom(from);
      else if (put(from === 'near' ? ends.near : ends.far, text)) waiting[from]?.push(text);
      else t.is(waiting[from]?.length, laneSlots, 'refused only when all slots are filled');
    }
    for (const from of ['near', 'far']) for (let i = 0; i < laneSlots; i++) takeFrom(from);
  });
  fc.assert(property, { numRuns: 50 });
});

test('the count of emptied slots goes round many times', async (t) => {
  const { near, far } = await lanes(t);
  for (let i = 0; i < 1000; i++) {
    t.true(put(near, `${i}`));
    t.is(take(far, `${i}`.length), `${i}`);
  }
});

test('a peer that says it has emptied more than was filled gets nothing through the lane', async (t) => {
  const memory = await temporaryDirectory(t);
  const offer = LaneOffer.make(memory);
  const path = join(memory, `weftfs-${uid}`, offer?.name ?? '');
  const near = offer?.take();
  t.teardown(() => near?.close());
  t.false(fs.existsSync(path));

  const other = LaneOffer.make(memory);
  const file = fs.openSync(join(memory, `weftfs-${uid}`, other?.name ?? ''), 'r+');
  t.teardown(() => fs.closeSync(file));
  const lane = other?.take();
  if (lane === undefined) throw new Error('no lane');
  t.teardown(() => lane.close());
  for (let i = 0; i < laneSlots; i++) t.true(put(lane, 'x'));
  t.false(put(lane, 'x'));
  fs.writeSync(file, Buffer.from([200, 200]), 0, 2, 2 * laneSlots * laneSlotBytes);
  t.false(put(lane, 'x'));
});

test('a lane that cannot be written is not used again', async (t) => {
  const path = join(await temporaryDirectory(t), 'lane');
  fs.writeFileSync(path, '');
  const lane = new Lane(fs.openSync(path, 'r'), 'connecting');
  t.teardown(() => lane.close());
  t.false(put(lane, 'x'));
  t.false(put(lane, 'x'));
});

test('more bytes than a slot has, or than are there, are a breach', async (t) => {
  const { far } = await lanes(t);
  t.throws(() => take(far, laneSlotBytes + 1), { instanceOf: ProtocolError });
  const path = join(await temporaryDirectory(t), 'lane');
  fs.writeFileSync(path, 'short');
  const lane = new Lane(fs.openSync(path, 'r+'), 'accepting');
  t.teardown(() => lane.close());
  t.throws(() => take(lane, 6), { instanceOf: ProtocolError, message: /shorter/ });
});

test('a name that is not that of a lane of its own user opens nothing', async (t) => {
  const memory = await temporaryDirectory(t);
  const directory = join(memory, `weftfs-${uid}`);
  const offer = LaneOffer.make(memory);
  const good = offer?.name ?? '';
  t.teardown(() => offer?.withdraw());
  const named = (name: string): boolean => {
    const lane = openLane(name, memory);
    lane?.close();
    return lane !== undefined;
  };
  t.true(named(good));
  const other = `${uid}-${'0'.repeat(32)}`;
  for (const name of ['', 'x', other, `${uid}-../${good}`, `../weftfs-${good}`, `1-${good}`]) {
    t.false(named(name), name);
  }
  fs.writeFileSync(join(directory, other), 'of another length', { mode: 0o600 });
  t.false(named(other));
  fs.rmSync(join(directory, other));
  fs.symlinkSync(join(directory, good), join(directory, other));
  t.false(named(other));
  fs.rmSync(join(directory, other));
  fs.mkdirSync(join(directory, other));
  t.false(named(other));
  fs.chmodSync(directory, 0o750);
  t.false(named(good), 'others might have listed it');
  t.is(LaneOffer.make(memory), undefined);
});

test('without memory to share, or withdrawn, there is no lane and no file', async (t) => {
  t.is(LaneOffer.make('/proc/no/such/memory'), undefined);
  const memory = await temporaryDirectory(t);
  LaneOffer.make(memory)?.withdraw();
  t.deepEqual(fs.readdirSync(join(memory, `weftfs-${uid}`)), []);
});

interface OpenLane {
  readonly hasName: boolean;
  readonly memoryBytes: number;
}

/** The lanes that this process has open: both ends of each. */
function openLanes(): OpenLane[] {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
      if (!path.startsWith('/dev/shm/weftfs-')) return [];
      const memoryBytes = fs.fstatSync(Number(fd)).blocks * 512;
      return [{ hasName: !path.endsWith(' (deleted)'), memoryBytes }];
    } catch {
      return []; // It was the one by which the directory was read.
    }
  });
}

for (const accepting of ['direct', 'portable'] as const) {
  test.serial(`a unix socket has a lane that goes with it (acceptor ${accepting})`, async (t) => {
    const path = join(await temporaryDirectory(t), 's');
    const { near, nearHears, far, farHears } = await pair(
      t,
      { near: 'direct', far: accepting },
      { kind: 'unix', path },
    );
    t.deepEqual(
      openLanes().map(({ hasName }) => hasName),
      [false, false],
      'nothing is left of it when the processes die',
    );
    const payloads = [1, 40_000, 200_000, laneSlotBytes, laneSlotBytes + 1, limits.payloadBytesMax];
    for (const [channel, hears] of [
      [near, farHears],
      [far, nearHears],
    ] as const) {
      const sent = payloads.map((size, i) => Buffer.alloc(size, i + 1));
      for (let round = 0; round < 3; round++) {
        // All as one packet: inline and in the lane in turn, more than there are slots.
        channel.send(
          sent.flatMap((payload) => [
            entryBytes(Buffer.from('body'), payload).subarray(0, 12),
            payload,
          ]),
        );
      }
      await hears.until(() => hears.entries.length === 3 * payloads.length);
      hears.entries.forEach(({ body, payload }, i) => {
        t.is(body, hex(Buffer.from('body')));
        t.true(payload === hex(sent[i % payloads.length] ?? Buffer.alloc(0)), `payload ${i}`);
      });
    }
    t.true(openLanes().every(({ memoryBytes }) => memoryBytes > 2 * laneSlotBytes));
    near.close(new Error('done'));
    await farHears.closedReason();
    await nearHears.closedReason();
    t.deepEqual(openLanes(), []);
  });
}

test.serial('stock ws on either side does without a lane', async (t) => {
  for (const frames of [
    { near: 'direct', far: 'stock' },
    { near: 'stock', far: 'direct' },
  ] as const) {
    const path = join(await temporaryDirectory(t), 's');
    const { near, farHears } = await pair(t, frames, { kind: 'unix', path });
    t.deepEqual(openLanes(), []);
    near.send([entryBytes(Buffer.from('b'), Buffer.alloc(laneSlotBytes, 7))]);
    await farHears.until(() => farHears.entries.length === 1);
  }
});
