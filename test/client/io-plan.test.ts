import test from 'ava';
import * as fc from 'fast-check';
import { contiguousBytes, planIo } from '../../client/io-plan.ts';
import { limits } from '../../shared/limits.ts';
import { iodOfColumn, type Layout, toLocal } from '../../shared/stripe.ts';

const layouts: fc.Arbitrary<Layout> = fc
  .record({
    total: fc.integer({ min: 1, max: 9 }),
    base: fc.nat(100),
    pcount: fc.nat(100),
    ssize: fc.constantFrom(4096, 5000, 65_536),
  })
  .map(({ total, base, pcount, ssize }) => ({
    total,
    base: base % total,
    pcount: 1 + (pcount % total),
    ssize,
  }));
const sizes = fc.array(fc.nat(80_000), { minLength: 1, maxLength: 6 });
const positions = fc.oneof(fc.nat(200_000), fc.integer({ min: 2 ** 40, max: 2 ** 41 }));

/** Buffers whose bytes count up through all of them. */
function buffersOf(lengths: readonly number[]): { whole: Buffer; buffers: Buffer[] } {
  const length = lengths.reduce((sum, one) => sum + one, 0);
  const whole = Buffer.alloc(length);
  for (let at = 0; at < length; at++) whole[at] = (at * 31 + (at >> 8)) & 0xff;
  let from = 0;
  const buffers = lengths.map((one) => whole.subarray(from, (from += one)));
  return { whole, buffers };
}

test('every byte of the buffers is in the plan once, at the place that the layout gives it', (t) => {
  fc.assert(
    fc.property(layouts, positions, sizes, (layout, position, lengths) => {
      const { whole, buffers } = buffersOf(lengths);
      const seen = Buffer.alloc(whole.length);
      for (const part of planIo(layout, position, whole.length, buffers)) {
        t.true(part.length > 0 && part.length <= limits.transferBytes);
        t.is(part.iod, iodOfColumn(layout, part.column));
        const bytes = Buffer.concat(part.segments);
        t.is(bytes.length, part.length);
        let local = part.localOffset;
        let from = 0;
        for (const { at, length } of part.pieces) {
          t.deepEqual(toLocal(layout, position + at), { column: part.column, localOffset: local });
          t.true(bytes.subarray(from, from + length).equals(whole.subarray(at, at + length)));
          for (let i = at; i < at + length; i++) seen[i] = (seen[i] ?? 0) + 1;
          local += length;
          from += length;
        }
      }
      t.true(seen.every((count) => count === 1));
    }),
    { numRuns: 150 },
  );
});

test('segments are the memory of the caller itself, so that what is read lands there', (t) => {
  fc.assert(
    fc.property(layouts, positions, sizes, (layout, position, lengths) => {
      const { whole, buffers } = buffersOf(lengths);
      const expected = Buffer.from(whole);
      whole.fill(0);
      for (const part of planIo(layout, position, whole.length, buffers)) {
        const content = Buffer.concat(
          part.pieces.map(({ at, length }) => expected.subarray(at, at + length)),
        );
        let from = 0;
        for (const segment of part.segments) {
          segment.set(content.subarray(from, from + segment.length));
          from += segment.length;
        }
      }
      t.true(whole.equals(expected));
    }),
    { numRuns: 60 },
  );
});

test('the first requests go to different iods, so that all are busy from the start', (t) => {
  const layout = { base: 1, pcount: 4, ssize: 65_536, total: 5 };
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  const parts = planIo(layout, 0, buffer.length, [buffer]);
  t.deepEqual(
    parts.slice(0, 4).map(({ iod }) => Number(iod)),
    [1, 2, 3, 4],
  );
});

test('a range is done as far as no part before it has a gap', (t) => {
  fc.assert(
    fc.property(
      layouts,
      positions,
      sizes,
      fc.infiniteStream(fc.nat()),
      (layout, position, lengths, draw) => {
        const { whole, buffers } = buffersOf(lengths);
        const parts = planIo(layout, position, whole.length, buffers);
        const done = parts.map(({ length }) => {
          const drawn = draw.next().value ?? 0;
          return drawn % 3 === 0 ? drawn % (length + 1) : length;
        });
        const stored = new Uint8Array(whole.length);
        parts.forEach(({ pieces }, i) => {
          let left = done[i] ?? 0;
          for (const { at, length } of pieces) {
            stored.fill(1, at, at + Math.min(left, length));
            left -= Math.min(left, length);
          }
        });
        const gap = stored.indexOf(0);
        t.is(contiguousBytes(parts, done, whole.length), gap < 0 ? whole.length : gap);
      },
    ),
    { numRuns: 150 },
  );
});
