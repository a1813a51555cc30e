import test from 'ava';
import * as fc from 'fast-check';
import { searchObject, type Wanted } from '../../iod/hole-search.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';

const handle = 1 as Handle;
const block = 4096;
const none = { found: false, offset: undefined };

/** @param allocatedBytes what the disk says that it takes; less than all where nothing is said */
function stage(object: Buffer | undefined, allocatedBytes = 0) {
  const state = { reads: 0, object };
  const store = {
    stat: () =>
      Promise.resolve(
        object && {
          lengthBytes: object.length,
          allocatedBytes,
          modified: { seconds: 0, nanoseconds: 0 },
        },
      ),
    read: (_: Handle, offset: number, [into = Buffer.alloc(0)]: readonly Uint8Array[]) => {
      state.reads++;
      const part = state.object?.subarray(offset, offset + into.length) ?? Buffer.alloc(0);
      into.set(part);
      return part.length;
    },
  };
  const buffer = Buffer.alloc(limits.transferBytes, 7);
  const seek = (offset: number, wanted: Wanted) =>
    searchObject(store, { handle, offset, wanted }, buffer);
  return { state, seek };
}

/** A byte in each block that is named. */
function objectOf(blocks: readonly number[], length: number): Buffer {
  const object = Buffer.alloc(length);
  for (const at of blocks) if (at * block < length) object[at * block] = 1;
  return object;
}

test('what takes all of its length has no holes, and is not read', async (t) => {
  const { state, seek } = stage(Buffer.alloc(100_000), 102_400);
  t.deepEqual(await seek(5, 'data'), { found: true, offset: 5 });
  t.deepEqual(await seek(5, 'hole'), { found: true, offset: 100_000 });
  t.deepEqual(await seek(100_000, 'data'), none);
  t.deepEqual(await seek(200_000, 'hole'), { found: true, offset: 200_000 });
  t.is(state.reads, 0);
});

test('what was never written is a hole', async (t) => {
  const { seek } = stage(undefined);
  t.deepEqual(await seek(0, 'data'), none);
  t.deepEqual(await seek(7, 'hole'), { found: true, offset: 7 });
});

test('the next bytes, and the next hole, are where the object has them', async (t) => {
  const blocks = fc.uniqueArray(fc.nat(150), { maxLength: 60 });
  const last = 150 * block;
  await fc.assert(
    fc.asyncProperty(blocks, fc.nat(last), fc.nat(last), async (full, length, from) => {
      const object = objectOf(full, length);
      const { seek } = stage(object);
      const data = object.indexOf(1, from - (from % block));
      const begin = Math.max(from, data - (data % block));
      // Of the block in which it begins the byte may lie before.
      const isBehind = data >= 0 && data < from;
      const found = await seek(from, 'data');
      if (from >= length || (data < 0 && !isBehind)) t.deepEqual(found, none);
      else if (!isBehind) t.deepEqual(found, { found: true, offset: begin });
      const { offset: hole = -1 } = await seek(from, 'hole');
      t.true(hole >= from);
      if (hole < length) {
        const end = Math.min(length, hole - (hole % block) + block);
        t.true(object.subarray(hole, end).every((byte) => byte === 0));
      }
      for (let at = from + block - (from % block); at < Math.min(hole, length); at += block) {
        t.is(object[at], 1, 'no hole was passed over');
      }
    }),
  );
});

test('it looks at a part of a long object at a time', async (t) => {
  const part = limits.seekBytesPerCall;
  const object = Buffer.alloc(2 * part + block);
  object[2 * part] = 1;
  const { seek } = stage(object);
  t.deepEqual(await seek(10, 'data'), { found: false, offset: 10 + part });
  t.deepEqual(await seek(10 + part, 'data'), { found: true, offset: 2 * part });
  t.deepEqual(await seek(2 * part, 'hole'), { found: true, offset: object.length });
});

test('one that is cut meanwhile ends there', async (t) => {
  const { state, seek } = stage(Buffer.alloc(10 * block, 1));
  state.object = Buffer.alloc(100, 1);
  t.deepEqual(await seek(0, 'hole'), { found: true, offset: 100 });
  t.deepEqual(await seek(200, 'data'), none);
});
