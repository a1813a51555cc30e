import test from 'ava';
import * as fc from 'fast-check';
import { searchFile } from '../../client/hole-search.ts';
import { toLocal } from '../../shared/stripe.ts';

const unit = 4;

/** Objects of a file that has bytes where `full` says so. */
function objectsOf(
  layout: { base: number; pcount: number; ssize: number; total: number },
  full: readonly boolean[],
) {
  const objects = Array.from({ length: layout.pcount }, () => [] as boolean[]);
  for (const [at, isFull] of full.entries()) {
    const { column, localOffset } = toLocal(layout, at);
    if (!isFull) continue;
    const object = objects[column] ?? [];
    while (object.length <= localOffset) object.push(false);
    object[localOffset] = true;
  }
  return objects;
}

test('the nearest of all columns is found, as if the file were one', async (t) => {
  const layouts = fc.record({
    pcount: fc.integer({ min: 1, max: 5 }),
    units: fc.integer({ min: 1, max: 3 }),
  });
  const bytes = fc.array(fc.boolean(), { maxLength: 100 });
  const range = fc.nat(110);
  await fc.assert(
    fc.asyncProperty(
      layouts,
      bytes,
      range,
      range,
      fc.integer({ min: 1, max: 9 }),
      async ({ pcount, units }, full, position, size, step) => {
        const layout = { base: 0, pcount, ssize: unit * units, total: pcount };
        const objects = objectsOf(layout, full);
        const wanted = step % 2 === 0 ? 'data' : 'hole';
        /** Looks at `step` bytes at a time. */
        const ask = async (column: number, offset: number) => {
          const object = objects[column] ?? [];
          const end = Math.min(object.length, offset + step);
          for (let at = offset; at < end; at++) {
            if (object[at] === (wanted === 'data')) return { found: true, offset: at };
          }
          if (end < object.length) return { found: false, offset: end };
          if (wanted === 'data') return { found: false, offset: undefined };
          return { found: true, offset: Math.max(offset, object.length) };
        };
        const isWanted = (at: number): boolean => (full[at] ?? false) === (wanted === 'data');
        let expected: number | undefined = position;
        while (expected < size && !isWanted(expected)) expected++;
        if (position >= size || (expected === size && wanted === 'data')) expected = undefined;
        const searching = searchFile({ layout, position, size, wanted, ask });
        t.is(await searching, expected);
      },
    ),
    { numRuns: 500 },
  );
});

test('where there are no holes the bytes are here, and the hole is the end', async (t) => {
  const search = { layout: { base: 0, pcount: 1, ssize: 4096, total: 1 }, position: 3, size: 10 };
  t.is(await searchFile({ ...search, wanted: 'data', ask: undefined }), 3);
  t.is(await searchFile({ ...search, wanted: 'hole', ask: undefined }), 10);
  t.is(await searchFile({ ...search, position: 10, wanted: 'hole', ask: undefined }), undefined);
});

test('a column that is further than what was found is not asked again', async (t) => {
  const layout = { base: 0, pcount: 2, ssize: 4096, total: 2 };
  const asked: number[] = [];
  const ask = (column: number, offset: number) => {
    asked.push(column);
    const hasIt = column === 0;
    return Promise.resolve({ found: hasIt, offset: hasIt ? offset : offset + 8192 });
  };
  t.is(await searchFile({ layout, position: 0, size: 1e6, wanted: 'data', ask }), 0);
  t.deepEqual(asked, [0, 1]);
});
