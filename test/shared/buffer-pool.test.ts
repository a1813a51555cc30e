import { AssertionError } from 'node:assert/strict';
import test from 'ava';
import * as fc from 'fast-check';
import { BufferPool } from '../../shared/buffer-pool.ts';

const MiB = 1024 * 1024;

test('no two buffers in use share memory, whatever was given back before', (t) => {
  const action = fc.record({ size: fc.nat(2 * MiB), give: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const pool = new BufferPool(4 * MiB);
      const used: Uint8Array[] = [];
      for (const { size, give, which } of actions) {
        if (give && used.length > 0) {
          for (const one of used.splice(which % used.length, 1)) pool.give(one);
        } else {
          const buffer = pool.take(size);
          t.is(buffer.length, size);
          used.push(buffer);
        }
      }
      const owners = new Map<ArrayBufferLike, [number, number][]>();
      for (const { buffer, byteOffset, length } of used) {
        const taken = owners.get(buffer) ?? [];
        t.true(taken.every(([from, to]) => byteOffset + length <= from || byteOffset >= to));
        owners.set(buffer, [...taken, [byteOffset, byteOffset + length]]);
      }
    }),
    { numRuns: 50 },
  );
});

test('a large buffer that was given back is used again, for any size of its class', (t) => {
  const pool = new BufferPool(MiB);
  const first = pool.take(200_000);
  pool.give(first);
  t.is(pool.take(150_000).buffer, first.buffer);
  t.not(pool.take(150_000).buffer, first.buffer, 'there was only the one');
});

test('a buffer of a page is used again, and one that Node takes from its slab is not kept', (t) => {
  const pool = new BufferPool(MiB);
  const page = pool.take(4096);
  pool.give(page);
  t.is(pool.take(4096).buffer, page.buffer);
  pool.give(pool.take(1000));
  t.is(pool.take(1000).length, 1000);
});

test('no more is kept than was allowed', (t) => {
  const pool = new BufferPool(512 * 1024);
  const taken = Array.from({ length: 4 }, () => pool.take(256 * 1024));
  for (const one of taken) pool.give(one);
  const kept = new Set(taken.map(({ buffer }) => buffer));
  const again = Array.from({ length: 4 }, () => pool.take(256 * 1024).buffer);
  t.is(again.filter((buffer) => kept.has(buffer)).length, 2);
});

test('a buffer of somebody else is not taken for one of the pool', (t) => {
  const foreign = new Uint8Array(100_000);
  t.throws(() => new BufferPool(MiB).give(foreign), { instanceOf: AssertionError });
});
