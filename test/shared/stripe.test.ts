import test from 'ava';
import * as fc from 'fast-check';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import {
  checkLayout,
  columnOf,
  iodOfColumn,
  type Layout,
  localLength,
  logicalEnd,
  planTransfers,
  toLocal,
  toLogical,
  type Transfer,
} from '../../shared/stripe.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const maxBytes = limits.fileBytesMax;

function layouts(totalMax: number, ssizeMin: number, ssizeMax: number): fc.Arbitrary<Layout> {
  return fc
    .record({
      total: fc.integer({ min: 1, max: totalMax }),
      ssize: fc.integer({ min: ssizeMin, max: ssizeMax }),
      base: fc.nat(totalMax),
      pcount: fc.nat(totalMax),
    })
    .map(({ total, ssize, base, pcount }) => ({
      total,
      ssize,
      base: base % total,
      pcount: 1 + (pcount % total),
    }));
}

const smallLayout = layouts(7, 1, 9);
const realLayout = layouts(limits.iodsMax, limits.stripeBytesMin, limits.stripeBytesMax);

/** Offsets where 32-bit, floating and 53-bit arithmetic break, and anywhere else. */
const anyOffset = fc.oneof(
  fc.maxSafeNat(),
  ...[2 ** 31, 2 ** 32, 2 ** 52].map((edge) =>
    fc.integer({ min: -300, max: 300 }).map((delta) => edge + delta),
  ),
  fc.nat(300).map((below) => maxBytes - below),
);

/** The file written byte by byte: which column takes byte i, and how long each column is then. */
function naivePositions({ pcount, ssize }: Layout, sizeBytes: number) {
  const lengths = Array.from({ length: pcount }, () => 0);
  const positions = Array.from({ length: sizeBytes }, (_, offset) => {
    const column = Math.floor(offset / ssize) % pcount;
    const localOffset = lengths[column] ?? 0;
    lengths[column] = localOffset + 1;
    return { column, localOffset };
  });
  return { positions, lengths };
}

/** Bytes of the range as the transfers put them: `column:local` for each byte of the buffer. */
function scatter(transfers: readonly Transfer[], length: number): (string | undefined)[] {
  const buffer = Array.from<string | undefined>({ length });
  for (const { column, localOffset, pieces } of transfers) {
    let local = localOffset;
    for (const piece of pieces) {
      for (let at = piece.at; at < piece.at + piece.length; at++) {
        if (at < 0 || at >= length) throw new Error(`byte ${at} is outside the buffer`);
        if (buffer[at] !== undefined) throw new Error(`byte ${at} is moved twice`);
        buffer[at] = `${column}:${local++}`;
      }
    }
  }
  return buffer;
}

test('positions agree with a file written byte by byte', (t) => {
  fc.assert(
    fc.property(smallLayout, fc.nat(200), (layout, size) => {
      const { positions, lengths } = naivePositions(layout, size);
      positions.forEach((position, offset) => {
        t.deepEqual(toLocal(layout, offset), position);
        t.is(columnOf(layout, offset), position.column);
        t.is(toLogical(layout, position.column, position.localOffset), offset);
      });
      lengths.forEach((length, column) => t.is(localLength(layout, column, size), length));
      const ends = lengths.map((length, column) => logicalEnd(layout, column, length));
      t.is(Math.max(...ends), size);
    }),
  );
});

test('every byte of a range is transferred once, from the column and place that hold it', (t) => {
  fc.assert(
    fc.property(
      smallLayout,
      fc.nat(100),
      fc.nat(100),
      fc.integer({ min: 1, max: 20 }),
      (layout, offset, length, max) => {
        const { positions } = naivePositions(layout, offset + length);
        const expected = positions
          .slice(offset)
          .map(({ column, localOffset }) => `${column}:${localOffset}`);
        t.deepEqual(scatter(planTransfers(layout, offset, length, Infinity), length), expected);
        t.deepEqual(scatter(planTransfers(layout, offset, length, max), length), expected);
      },
    ),
  );
});

test('a range gives one transfer a column, in the order in which it meets the columns', (t) => {
  fc.assert(
    fc.property(smallLayout, fc.nat(100), fc.nat(100), (layout, offset, length) => {
      const { positions } = naivePositions(layout, offset + length);
      const met = [...new Set(positions.slice(offset).map(({ column }) => column))];
      const transfers = planTransfers(layout, offset, length, Infinity);
      t.deepEqual(
        transfers.map(({ column }) => column),
        met,
      );
      for (const { column, iod } of transfers) t.is(iod, iodOfColumn(layout, column));
    }),
  );
});

test('transfers keep to their bound, are cut at its multiples, and take turns', (t) => {
  fc.assert(
    fc.property(
      smallLayout,
      fc.nat(100),
      fc.nat(100),
      fc.integer({ min: 1, max: 20 }),
      (layout, offset, length, max) => {
        const transfers = planTransfers(layout, offset, length, max);
        const done = new Map<number, number>();
        const turns = transfers.map(({ column, localOffset, length: bytes, pieces }) => {
          t.true(bytes > 0 && bytes <= max);
          t.is(
            Math.floor(localOffset / max),
            Math.floor((localOffset + bytes - 1) / max),
            'no transfer crosses a multiple of the bound',
          );
          t.is(
            pieces.reduce((sum, piece) => sum + piece.length, 0),
            bytes,
          );
          const turn = done.get(column) ?? 0;
          done.set(column, turn + 1);
          return turn;
        });
        t.deepEqual(
          turns,
          turns.toSorted((a, b) => a - b),
          'no column is served again while another waits for its turn',
        );
      },
    ),
  );
});

test('positions are exact up to the largest file', (t) => {
  fc.assert(
    fc.property(realLayout, anyOffset, (layout, offset) => {
      const [ssize, pcount] = [BigInt(layout.ssize), BigInt(layout.pcount)];
      const stripe = BigInt(offset) / ssize;
      const expected = {
        column: Number(stripe % pcount),
        localOffset: Number((stripe / pcount) * ssize + (BigInt(offset) % ssize)),
      };
      t.deepEqual(toLocal(layout, offset), expected);
      t.is(columnOf(layout, offset), expected.column);
      t.is(toLogical(layout, expected.column, expected.localOffset), offset);
    }),
    { numRuns: 1000 },
  );
});

test('the lengths of the columns add up to the size, and the size comes back from them', (t) => {
  fc.assert(
    fc.property(realLayout, anyOffset, (layout, size) => {
      const lengths = Array.from({ length: layout.pcount }, (_, column) =>
        localLength(layout, column, size),
      );
      t.is(
        lengths.reduce((sum, length) => sum + BigInt(length), 0n),
        BigInt(size),
      );
      const ends = lengths.map((length, column) => logicalEnd(layout, column, length));
      t.is(Math.max(...ends), size);
    }),
  );
});

test('ranges that end at the largest file are planned exactly', (t) => {
  fc.assert(
    fc.property(
      realLayout,
      fc.oneof(fc.nat(8 * KiB), fc.integer({ min: 1, max: 64 * MiB })),
      anyOffset,
      (layout, length, anywhere) => {
        const offset = Math.min(anywhere, maxBytes - length);
        const transfers = planTransfers(layout, offset, length, limits.transferBytes);
        let bytes = 0;
        for (const { column, localOffset, pieces } of transfers) {
          let local = localOffset;
          for (const piece of pieces) {
            t.deepEqual(toLocal(layout, offset + piece.at), { column, localOffset: local });
            local += piece.length;
            bytes += piece.length;
          }
        }
        t.is(bytes, length);
      },
    ),
  );
});

for (const edge of [2 ** 31, 2 ** 32, 2 ** 52, maxBytes - 2]) {
  test(`bytes around ${edge} have their own places`, (t) => {
    const layout: Layout = { base: 3, pcount: 3, ssize: 65_536, total: 5 };
    for (const offset of [edge - 1, edge, edge + 1]) {
      const stripe = BigInt(offset) / 65_536n;
      t.deepEqual(toLocal(layout, offset), {
        column: Number(stripe % 3n),
        localOffset: Number((stripe / 3n) * 65_536n + (BigInt(offset) % 65_536n)),
      });
    }
  });
}

test('a call of 4 MiB over 4 iods becomes 4 groups of 4 stripes', (t) => {
  const layout: Layout = { base: 2, pcount: 4, ssize: 256 * KiB, total: 4 };
  const groups = planTransfers(layout, 0, 4 * MiB, Infinity);
  t.deepEqual(
    groups.map(({ iod }) => Number(iod)),
    [2, 3, 0, 1],
  );
  for (const [i, group] of groups.entries()) {
    t.is(group.length, 1 * MiB);
    t.is(group.localOffset, 0);
    t.deepEqual(
      group.pieces,
      [0, 1, 2, 3].map((row) => ({ at: (row * 4 + i) * 256 * KiB, length: 256 * KiB })),
    );
  }
});

test('the stripes of a lone column are one piece', (t) => {
  const layout: Layout = { base: 0, pcount: 1, ssize: 4 * KiB, total: 4 };
  const [only, ...others] = planTransfers(layout, 100, 1 * MiB, Infinity);
  t.deepEqual(only?.pieces, [{ at: 0, length: 1 * MiB }]);
  t.is(only?.localOffset, 100);
  t.is(others.length, 0);
});

test('an empty range needs no transfer', (t) => {
  const layout: Layout = { base: 0, pcount: 2, ssize: 4 * KiB, total: 2 };
  t.deepEqual(planTransfers(layout, 0, 0, Infinity), []);
  t.deepEqual(planTransfers(layout, maxBytes, 0, 4096), []);
});

function iodsOf(layout: Layout): number[] {
  return Array.from({ length: layout.pcount }, (_, column) => iodOfColumn(layout, column));
}

test('columns go on iod after iod from the base, and from the last to the first', (t) => {
  t.deepEqual(iodsOf({ base: 3, pcount: 3, ssize: 4 * KiB, total: 5 }), [3, 4, 0]);
  t.deepEqual(iodsOf({ base: 1, pcount: 2, ssize: 4 * KiB, total: 5 }), [1, 2]);
  fc.assert(
    fc.property(realLayout, (layout) => {
      const iods = iodsOf(layout);
      t.is(iods[0], layout.base);
      t.is(new Set(iods).size, layout.pcount, 'no iod has two columns');
      t.true(iods.every((iod) => iod < layout.total));
    }),
  );
});

test('an object longer than any file has is refused, not rounded', (t) => {
  const layout: Layout = { base: 0, pcount: 512, ssize: 64 * KiB, total: 512 };
  const tooLong = localLength(layout, 0, maxBytes) + layout.ssize + 1;
  for (const length of [tooLong, 2 ** 50, maxBytes]) {
    t.is(t.throws(() => logicalEnd(layout, 0, length), { instanceOf: FsError }).code, 'EFBIG');
    t.is(t.throws(() => toLogical(layout, 0, length), { instanceOf: FsError }).code, 'EFBIG');
  }
  const lone: Layout = { base: 0, pcount: 1, ssize: 64 * KiB, total: 1 };
  t.is(logicalEnd(lone, 0, maxBytes), maxBytes);
  t.is(t.throws(() => logicalEnd(lone, 0, maxBytes + 1), { instanceOf: FsError }).code, 'EFBIG');
});

test('a range beyond any file is a mistake of ours', (t) => {
  const layout: Layout = { base: 0, pcount: 2, ssize: 4 * KiB, total: 2 };
  for (const [offset, length] of [
    [-1, 1],
    [0.5, 1],
    [0, -1],
    [maxBytes, 1],
    [1, maxBytes],
    [NaN, 1],
  ] as const) {
    t.throws(() => planTransfers(layout, offset, length, Infinity), { name: 'AssertionError' });
  }
});

test('a layout with a wrong word is refused with EINVAL that names the word', (t) => {
  const good: Layout = { base: 3, pcount: 4, ssize: 64 * KiB, total: 4 };
  t.notThrows(() => checkLayout(good));
  t.notThrows(() => checkLayout({ base: 0, pcount: 1, ssize: 4096, total: 1 }));
  t.notThrows(() => checkLayout({ base: 511, pcount: 512, ssize: 64 * MiB, total: 512 }));
  const wrong: [Partial<Layout>, string][] = [
    [{ base: -1 }, 'a layout has base from 0 to 3, not -1'],
    [{ base: 4 }, 'a layout has base from 0 to 3, not 4'],
    [{ pcount: 0 }, 'a layout has pcount from 1 to 4, not 0'],
    [{ pcount: 5 }, 'a layout has pcount from 1 to 4, not 5'],
    [{ pcount: 1.5 }, 'a layout has pcount from 1 to 4, not 1.5'],
    [{ ssize: 4095 }, 'a layout has ssize from 4096 to 67108864, not 4095'],
    [{ ssize: 64 * MiB + 1 }, 'a layout has ssize from 4096 to 67108864, not 67108865'],
    [{ ssize: NaN }, 'a layout has ssize from 4096 to 67108864, not NaN'],
    [{ total: 0 }, 'a layout has total from 1 to 512, not 0'],
    [{ total: 513 }, 'a layout has total from 1 to 512, not 513'],
  ];
  for (const [words, what] of wrong) {
    const error = t.throws(() => checkLayout({ ...good, ...words }), { instanceOf: FsError });
    t.is(error.code, 'EINVAL');
    t.is(error.what, what);
  }
});
