import test from 'ava';
import * as fc from 'fast-check';
import {
  audit,
  columnOn,
  type FileRow,
  judge,
  type ObjectRow,
} from '../../../../client/cli/fsck/audit.ts';
import { iodOfColumn, localLength } from '../../../../shared/stripe.ts';
import type { Handle, IodIndex } from '../../../../shared/units.ts';

const layout = { base: 1, pcount: 2, ssize: 4096, total: 3 };
const file = (
  handle: number,
  size: number,
  opens = 0,
  place: FileRow['place'] = 'iods',
): FileRow => ({
  handle: handle as Handle,
  layout,
  size,
  opens,
  place,
});
const object = (handle: number, length: number): ObjectRow => ({
  handle: handle as Handle,
  length,
  allocated: length,
});
const iod = (index: number): IodIndex => index as IodIndex;

async function* rows<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

async function suspectsOf(
  files: readonly FileRow[],
  objects: Readonly<Record<number, readonly ObjectRow[]>>,
): Promise<string[]> {
  const lists = new Map(Object.entries(objects).map(([i, all]) => [iod(Number(i)), rows(all)]));
  const found: string[] = [];
  for await (const { kind, iod: where, object: what } of audit(rows(files), lists)) {
    found.push(`${kind} ${what.handle} on ${where}`);
  }
  return found.toSorted();
}

test('objects of files are in order, also where there are holes', async (t) => {
  const files = [file(5, 10_000), file(9, 1)];
  t.deepEqual(await suspectsOf(files, { 1: [object(5, 5904), object(9, 1)], 2: [] }), []);
});

test('an object without a file is an orphan, wherever it stands in the list', async (t) => {
  const objects = { 1: [object(3, 1), object(5, 1), object(7, 1)], 2: [object(8, 1)] };
  t.deepEqual(await suspectsOf([file(5, 100)], objects), [
    'orphan 3 on 1',
    'orphan 7 on 1',
    'orphan 8 on 2',
  ]);
});

test('a small file needs no object, and may have one where a move was cut short', async (t) => {
  const files = [file(5, 100, 0, 'mgr'), file(6, 100, 0, 'moving'), file(7, 100, 0, 'mgr')];
  const objects = { 1: [object(6, 4000), object(7, 100)], 0: [object(6, 1)] };
  t.deepEqual(await suspectsOf(files, objects), ['misplaced 6 on 0', 'needless 7 on 1']);
});

test('an object on an iod outside the layout is misplaced', async (t) => {
  t.deepEqual(await suspectsOf([file(5, 100)], { 0: [object(5, 1)] }), ['misplaced 5 on 0']);
});

test('an object may be longer than the size says only while its file is open', (t) => {
  t.is(judge(iod(1), object(5, 101), file(5, 100))?.kind, 'too long');
  t.is(judge(iod(1), object(5, 101), file(5, 100, 1)), undefined);
});

test('whatever is written by the layout is found to be right', async (t) => {
  const sizes = fc.array(fc.nat(50_000), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, async (all) => {
      const files = all.map((size, at) => file(2 * at + 2, size));
      const objects: Record<number, ObjectRow[]> = { 0: [], 1: [], 2: [] };
      for (const { handle, size } of files) {
        for (let column = 0; column < layout.pcount; column++) {
          const length = localLength(layout, column, size);
          if (length > 0) objects[iodOfColumn(layout, column)]?.push(object(handle, length));
        }
      }
      t.deepEqual(await suspectsOf(files, objects), []);
    }),
    { numRuns: 30 },
  );
});

test('the column of an iod is the inverse of the iod of a column', (t) => {
  for (let column = 0; column < layout.pcount; column++) {
    t.is(columnOn(layout, iodOfColumn(layout, column)), column);
  }
  t.is(columnOn(layout, iod(0)), undefined);
  t.is(columnOn(layout, iod(4)), undefined);
});
