import test from 'ava';
import * as fc from 'fast-check';
import { ProtocolError } from '../../../shared/errno.ts';
import { recordBytes, recordKinds } from '../../../shared/trace/record.ts';
import { About, Recorder } from '../../../shared/trace/recorder.ts';
import { headerBytes, type RingInfo, textsMax } from '../../../shared/trace/ring-header.ts';
import { Ring } from '../../../shared/trace/ring.ts';

const info: RingInfo = {
  role: 'iod',
  name: 'iod0',
  pid: 7,
  boot: 'b',
  anchor: { atMs: 100, hostMs: 5_000, wallMs: 1e12 },
};

function numbers(ring: Ring): number[] {
  return [...ring.records()].map(({ number }) => number);
}

test('what was recorded is read again, field by field', (t) => {
  const recorder = new Recorder(8, info);
  const about = {
    connection: 0xffff_ffff,
    tag: 2,
    generation: 3,
    epoch: 4,
    place: Number.MAX_SAFE_INTEGER,
    handle: 6,
    bytes: 7,
    op: 301,
    outcome: 11,
    call: 8,
  };
  recorder.record(recordKinds.replySent, 1.25, recorder.text('client c'), about);
  const ring = new Ring(recorder.image);
  t.deepEqual(ring.info, info);
  const { generation, epoch, ...rest } = about;
  t.deepEqual(ring.record(1), {
    ...rest,
    number: 1,
    kind: recordKinds.replySent,
    atMs: 1.25,
    text: 'client c',
    epoch: { generation, number: epoch },
  });
});

test('a ring that wraps loses the oldest, and its numbers go on (SCENARIOS 272)', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 40 }), (size, count) => {
      const recorder = new Recorder(size, info);
      for (let i = 0; i < count; i++) recorder.record(recordKinds.step, i, 0);
      const ring = new Ring(recorder.image);
      const kept = Math.min(size, count);
      t.deepEqual(
        numbers(ring),
        Array.from({ length: kept }, (_, i) => count - kept + 1 + i),
      );
      t.is(ring.missing, 0);
      t.is(recorder.last, count);
    }),
  );
});

test('the changes that are told make a copy that is the same', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 20 }), (bursts) => {
      const recorder = new Recorder(5, info);
      const copy = new Uint8Array(recorder.image.length);
      let told = 0;
      recorder.follow(() => told++);
      let due = 0;
      for (const burst of bursts) {
        for (let i = 0; i < burst; i++) recorder.note(recordKinds.log, i, `text ${i}`);
        if (burst > 0) due++;
        t.is(told, due, 'told once for all records since the last look');
        for (const { from, to } of recorder.changes()) {
          copy.set(recorder.image.subarray(from, to), from);
        }
        t.deepEqual(copy.length, recorder.image.length);
        if (told > 0) t.true(Buffer.from(copy).equals(recorder.image));
      }
    }),
  );
});

test('a torn record is missing, and the others are there', (t) => {
  const recorder = new Recorder(4, info);
  for (let i = 0; i < 6; i++) recorder.record(recordKinds.step, i, 0);
  const torn = recorder.image.slice();
  // Number 4 lies behind number 3, whose place is the third.
  torn.fill(0, headerBytes + 3 * recordBytes, headerBytes + 3 * recordBytes + recordBytes / 2);
  const ring = new Ring(torn);
  t.deepEqual(numbers(ring), [3, 5, 6]);
  t.is(ring.missing, 1);
});

test('a file that ends early has what it has; one that is no trace is refused', (t) => {
  const recorder = new Recorder(100, info);
  for (let i = 0; i < 10; i++) recorder.record(recordKinds.step, i, 0);
  const { image } = recorder;
  t.deepEqual(numbers(new Ring(image.slice(0, headerBytes + 3 * recordBytes + 5))), [1, 2, 3]);
  t.deepEqual(numbers(new Ring(image.slice(0, headerBytes))), []);
  t.throws(() => new Ring(new Uint8Array(10)), { instanceOf: ProtocolError });
  t.throws(() => new Ring(new Uint8Array(image.length)), { instanceOf: ProtocolError });
  const older = image.slice();
  older.set(Buffer.from('weftfs trace 9'));
  t.throws(() => new Ring(older), { instanceOf: ProtocolError });
  const endless = image.slice();
  endless.set(
    Buffer.from(
      Buffer.from(image).toString('latin1').replace('"capacity":100,', '"capacity":9e9,'),
      'latin1',
    ).subarray(0, 200),
  );
  t.throws(() => new Ring(endless), { instanceOf: ProtocolError });
});

test('any bytes behind a good head are read without a fault', (t) => {
  const head = new Recorder(4, info).image.subarray(0, headerBytes);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 * recordBytes }), (bytes) => {
      const ring = new Ring(Buffer.concat([head, bytes]));
      t.true(numbers(ring).length <= 4);
    }),
  );
});

test('texts of which there are many leave room for the others; what has no room is empty', (t) => {
  const recorder = new Recorder(4, info);
  for (let i = 0; i < 2 * textsMax; i++) recorder.text(`client ${i}`, true);
  t.is(recorder.text('client new', true), 0);
  const state = recorder.text('SYNCING -> SERVING');
  t.true(state > 0);
  t.is(recorder.text('SYNCING -> SERVING'), state);
  recorder.record(recordKinds.state, 1, state);
  t.is(new Ring(recorder.image).record(1)?.text, 'SYNCING -> SERVING');
});

test('a text that is too long is cut, and harms no other', (t) => {
  const recorder = new Recorder(4, info);
  const [long, short] = [recorder.text('ä'.repeat(100)), recorder.text('short')];
  recorder.record(recordKinds.log, 1, long);
  recorder.record(recordKinds.log, 2, short);
  const ring = new Ring(recorder.image);
  t.regex(ring.record(1)?.text ?? '', /^ä{20,}$/);
  t.is(ring.record(2)?.text, 'short');
});

test('a record costs no allocation but the number of its time', (t) => {
  const recorder = new Recorder(1024, info);
  const about = new About();
  const record = (times: number): void => {
    for (let i = 0; i < times; i++) {
      about.tag = i;
      about.place = i;
      recorder.record(recordKinds.requestSent, i + 0.25, 1, about);
    }
  };
  record(200_000);
  const before = process.memoryUsage().heapUsed;
  record(100_000);
  const perRecord = (process.memoryUsage().heapUsed - before) / 100_000;
  t.true(perRecord < 24, `${perRecord} bytes a record`);
});
