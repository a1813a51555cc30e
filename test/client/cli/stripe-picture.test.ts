import test from 'ava';
import * as fc from 'fast-check';
import { shownWidth } from '../../../client/cli/columns.ts';
import { sharesOf } from '../../../client/observing/stripe-shares.ts';
import { drawStripes } from '../../../client/cli/stripe-picture.ts';

const layouts = fc
  .record({ total: fc.integer({ min: 1, max: 40 }), at: fc.nat(), count: fc.nat() })
  .map(({ total, at, count }) => ({
    total,
    base: at % total,
    pcount: 1 + (count % total),
    ssize: 4096,
  }));

test('the shares of all iods are the whole file, and each is a different iod', (t) => {
  fc.assert(
    fc.property(layouts, fc.nat(2 ** 31 - 1), (layout, size) => {
      const shares = sharesOf(layout, size);
      t.is(
        shares.reduce((sum, { bytes }) => sum + bytes, 0),
        size,
      );
      t.is(new Set(shares.map(({ index }) => index)).size, layout.pcount);
    }),
  );
});

test('a picture shows each stripe with the number of its iod', (t) => {
  const layout = { base: 1, pcount: 3, ssize: 4096, total: 4 };
  const lines = drawStripes(layout, 5 * 4096, {
    width: 40,
    colored: false,
    nameOf: (index) => `iod${index}`,
  });
  t.is(lines[0], '     0  [1][2][3][1][2]');
  t.is(lines[1], '');
  t.regex(lines[2] ?? '', /^\[1\] iod1 █+ +8\.0K +40%  2 stripes$/);
  t.regex(lines[4] ?? '', /^\[3\] iod3 █+ +4\.0K +20%  1 stripe$/);
});

test('no picture is wider than the terminal or longer than a screen', (t) => {
  fc.assert(
    fc.property(
      layouts,
      fc.nat(2 ** 31 - 1),
      fc.integer({ min: 60, max: 200 }),
      fc.boolean(),
      (layout, size, width, colored) => {
        const options = { width, colored, nameOf: (index: number) => `iod${index}` };
        const lines = drawStripes(layout, size, options);
        t.true(lines.length <= 16 + 1 + layout.pcount);
        for (const line of lines) t.true(shownWidth(line) <= width, line);
      },
    ),
    { numRuns: 50 },
  );
});
