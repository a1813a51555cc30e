import test, { type ExecutionContext } from 'ava';
import { makeBlock } from './blocks.ts';
import { blockBytes, type Lane, recordBytes, slotOf, slots, writeBytes } from './lanes.ts';
import { Ledger } from './ledger.ts';

/** Two writers, after so many steps of one lane each. */
function ledgerAfter(lane: Lane, steps: number, note: (step: number) => number = () => -1): Ledger {
  const ledger = new Ledger();
  for (const writer of [1, 2]) {
    ledger.begin(writer);
    for (let step = 0; step < steps; step++)
      ledger.acknowledge(writer, { lane, step, note: note(step) });
  }
  ledger.endedInOrder(2);
  return ledger;
}

/** The file of blocks as it is after so many steps. */
function contentAfter(writer: number, steps: number): Buffer {
  const content = Buffer.alloc(slots * writeBytes);
  for (let step = 0; step < steps; step++) {
    const from = slotOf(step) * writeBytes;
    for (let place = from; place < from + writeBytes; place += blockBytes) {
      makeBlock(blockBytes, { writer, place, generation: step + 1 }).copy(content, place);
    }
  }
  return content;
}

function finds(t: ExecutionContext, wrong: readonly string[], pattern: RegExp): void {
  t.regex(wrong[0] ?? 'nothing', pattern);
}

for (const steps of [0, 1, slots - 1, slots, 3 * slots + 5]) {
  test(`after ${steps} steps the blocks of these are right, and of the next only for the dead`, (t) => {
    const ledger = ledgerAfter('blocks', steps);
    for (const writer of [1, 2]) {
      t.deepEqual(ledger.checkBlocks(writer, contentAfter(writer, steps)), []);
    }
    t.deepEqual(ledger.checkBlocks(1, contentAfter(1, steps + 1)), []);
    finds(t, ledger.checkBlocks(2, contentAfter(2, steps + 1)), /instead of generation/);
    finds(t, ledger.checkBlocks(1, contentAfter(1, steps + 2)), /instead of generation/);
    if (steps > 0) {
      finds(t, ledger.checkBlocks(1, contentAfter(1, steps - 1)), /instead of generation/);
    }
  });
}

test('one lost, damaged or foreign block of many is found', (t) => {
  const ledger = ledgerAfter('blocks', 20);
  const place = 7 * blockBytes;
  for (const bytes of [
    Buffer.alloc(blockBytes),
    Buffer.alloc(blockBytes, 1),
    makeBlock(blockBytes, { writer: 1, place: place + blockBytes, generation: 17 }),
    makeBlock(blockBytes, { writer: 2, place, generation: 17 }),
    contentAfter(1, 20).subarray(place, place + 100),
  ]) {
    const content = contentAfter(1, 20);
    bytes.copy(content, place);
    if (bytes.length < blockBytes) content.fill(9, place + 100, place + blockBytes);
    t.is(ledger.checkBlocks(1, content).length, 1);
  }
  const short = contentAfter(1, 20).subarray(0, -1);
  t.is(ledger.checkBlocks(1, short).length, 1);
});

test('what is read while writes go on may be of any step in between', (t) => {
  const ledger = ledgerAfter('blocks', 20);
  for (let steps = 12; steps <= 20; steps++) {
    t.deepEqual(ledger.checkBlocks(2, contentAfter(2, steps), { least: 12, most: 20 }), []);
  }
  t.not(ledger.checkBlocks(2, contentAfter(2, 11), { least: 12, most: 20 }).length, 0);
});

function appended(...records: readonly (readonly [number, number] | undefined)[]): Buffer {
  return Buffer.concat(
    records.map((record) =>
      record === undefined
        ? Buffer.alloc(recordBytes)
        : makeBlock(recordBytes, { writer: record[0], place: record[1], generation: 1 }),
    ),
  );
}

test('appends are there once, in order, where they were said to be', (t) => {
  const ledger = new Ledger();
  for (const writer of [1, 2]) ledger.begin(writer);
  ledger.acknowledge(1, { lane: 'appends', step: 0, note: 0 });
  ledger.acknowledge(2, { lane: 'appends', step: 0, note: recordBytes });
  ledger.acknowledge(1, { lane: 'appends', step: 1, note: 2 * recordBytes });
  ledger.endedInOrder(2);
  const right = [
    [1, 0],
    [2, 0],
    [1, 1],
  ] as const;
  t.deepEqual(ledger.checkAppends(appended(...right)), []);
  t.deepEqual(ledger.checkAppends(appended(...right, [1, 2])), [], 'was in flight');
  t.deepEqual(ledger.checkAppends(appended(...right, undefined)), [], 'was reserved');
  finds(t, ledger.checkAppends(appended(...right, undefined, undefined)), /2 empty places of 1/);
  finds(t, ledger.checkAppends(appended(...right, [2, 1])), /2 1: never begun/);
  finds(t, ledger.checkAppends(appended(...right, [1, 1])), /1 1: at 1024 and again at 1536/);
  finds(t, ledger.checkAppends(appended([1, 0], [2, 0])), /1 1: at undefined instead of 1024/);
  finds(t, ledger.checkAppends(appended([2, 0], [1, 0], [1, 1])), /1 0: at 512 instead of 0/);
  finds(t, ledger.checkAppends(appended([1, 1], [2, 0], [1, 0])), /1 0: out of order/);
  finds(t, ledger.checkAppends(Buffer.alloc(recordBytes, 3)), /damaged/);
});

test('names are those of the steps that were done', (t) => {
  const ledger = ledgerAfter('names', 9, (step) => (step % 6 < 2 ? 100 + step : -1));
  const left = new Map([
    ['c0', 100],
    ['d1', 107],
    ['d1/b', 106],
  ]);
  t.deepEqual(ledger.checkNames(2, 'names', left), []);
  t.deepEqual(ledger.checkNames(1, 'names', new Map([...left, ['c1', 106]])), [], 'in flight');
  finds(t, ledger.checkNames(2, 'names', new Map([...left, ['c1', 106]])), /c1 should not be/);
  finds(t, ledger.checkNames(1, 'names', new Map([...left].slice(1))), /c0 is lost/);
  finds(t, ledger.checkNames(1, 'names', new Map([...left, ['c0', 5]])), /c0 is another file/);
});

test('a file that was unlinked has no name', (t) => {
  const ledger = ledgerAfter('orphans', 4);
  t.deepEqual(ledger.checkNames(2, 'orphans', new Map()), []);
  finds(t, ledger.checkNames(2, 'orphans', new Map([['o0', 1]])), /o0 should not be there/);
});

test('an acknowledgement out of turn is no acknowledgement', (t) => {
  const ledger = ledgerAfter('names', 2);
  t.throws(() => ledger.acknowledge(1, { lane: 'names', step: 3, note: -1 }));
  t.throws(() => ledger.acknowledge(1, { lane: 'names', step: 1, note: -1 }));
  t.is(ledger.acknowledgements, 4);
});
