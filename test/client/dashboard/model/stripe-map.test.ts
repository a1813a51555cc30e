import test from 'ava';
import * as fc from 'fast-check';
import { cellsMax, stripeMap } from '../../../../client/dashboard/model/stripe-map.ts';
import { member } from '../../cluster-samples.ts';

const layout = { base: 1, pcount: 2, ssize: 100, total: 3 };
const members = [member(0), member(1), member(2, { state: 'syncing' })];

test('each stripe is a cell on its iod, and what is away is counted', (t) => {
  const map = stripeMap(layout, 250, members);
  t.deepEqual(map.cells, [
    { from: 0, to: 100, iod: 1, healthy: true },
    { from: 100, to: 200, iod: 2, healthy: false },
    { from: 200, to: 250, iod: 1, healthy: true },
  ] as never);
  t.is(map.awayBytes, 100);
  t.is(map.more, 0);
  t.deepEqual(map.shares, [
    { iod: 1, name: 'iod1', state: 'serving', bytes: 150, stripes: 2 },
    { iod: 2, name: 'iod2', state: 'syncing', bytes: 100, stripes: 1 },
  ] as never);
});

test('an empty file has no cells, and nothing of it is away', (t) => {
  t.like(stripeMap(layout, 0, members), { cells: [], more: 0, awayBytes: 0 });
});

test('cells cover the file from its beginning, without a gap, up to as many as are drawn', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: 3 }),
      (size, pcount) => {
        const { cells, more, shares } = stripeMap({ ...layout, pcount }, size, members);
        let end = 0;
        for (const { from, to } of cells) {
          t.is(from, end);
          t.true(to > from);
          end = to;
        }
        t.true(cells.length <= cellsMax);
        t.is(more === 0, end === size);
        t.is(cells.length + more, Math.ceil(size / layout.ssize));
        t.is(
          shares.reduce((sum, { bytes }) => sum + bytes, 0),
          size,
        );
      },
    ),
  );
});
