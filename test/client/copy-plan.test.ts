import test from 'ava';
import * as fc from 'fast-check';
import { planCopy } from '../../client/copy-plan.ts';
import { iodOfColumn, type Layout, toLocal } from '../../shared/stripe.ts';

const unit = 4;

/** Where a byte of a file is. */
function placeOf(layout: Layout, at: number): string {
  const { column, localOffset } = toLocal(layout, at);
  return `${iodOfColumn(layout, column)} ${localOffset}`;
}

const layouts = fc
  .record({
    total: fc.integer({ min: 1, max: 4 }),
    units: fc.integer({ min: 1, max: 2 }),
    base: fc.nat(3),
    pcount: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ total, units, base, pcount }) => ({
    base: base % total,
    pcount: Math.min(pcount, total),
    ssize: unit * units,
    total,
  }));
const position = fc.nat(60);
const ranges = fc.record({ from: position, to: position, length: fc.integer({ min: 1, max: 80 }) });

test('what is planned copies each byte of the range on the iod that has both, and no other', (t) => {
  fc.assert(
    fc.property(layouts, layouts, ranges, (source, target, { from, to, length }) => {
      const there = { layout: source, position: from };
      const parts = planCopy(there, { layout: target, position: to }, length);
      const isTogether = Array.from({ length }, (_, i) => {
        const [a] = placeOf(source, from + i).split(' ');
        const [b] = placeOf(target, to + i).split(' ');
        return a === b;
      }).every(Boolean);
      const isAlike = source.ssize === target.ssize && source.pcount === target.pcount;
      const isInStep = from % source.ssize === to % target.ssize;
      t.is(parts !== undefined, isTogether && isAlike && isInStep);
      const copied = (parts ?? []).flatMap(({ iod, localOffset, fromOffset, length: bytes }) =>
        Array.from(
          { length: bytes },
          (_, i) => `${iod} ${fromOffset + i} to ${iod} ${localOffset + i}`,
        ),
      );
      const wanted = Array.from(
        { length: parts === undefined ? 0 : length },
        (_, i) => `${placeOf(source, from + i)} to ${placeOf(target, to + i)}`,
      );
      t.deepEqual(copied.toSorted(), wanted.toSorted());
    }),
    { numRuns: 2000 },
  );
});

test('two files over all iods that begin on the same one are together everywhere', (t) => {
  const layout = { base: 3, pcount: 4, ssize: 4096, total: 4 };
  const there = { layout, position: 0 };
  t.is(planCopy(there, there, 1_000_000)?.length, 4);
  t.is(planCopy(there, { layout: { ...layout, base: 2 }, position: 0 }, 1_000_000), undefined);
  const shifted = { layout: { ...layout, base: 2 }, position: 4096 };
  t.is(planCopy(there, shifted, 1_000_000)?.length, 4, 'a stripe further it is on the same iod');
});
