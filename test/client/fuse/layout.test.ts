import test from 'ava';
import * as fc from 'fast-check';
import {
  compiled,
  encode,
  gap,
  i32,
  i64,
  looped,
  struct,
  u16,
  u32,
  u64,
} from '../../../client/fuse/layout.ts';

const every = struct({
  a: u16,
  hole: gap(2),
  b: u32,
  c: i32,
  d: u64,
  e: i64,
  f: struct({ g: u16 }),
});

const values = fc.record({
  a: fc.integer({ min: 0, max: 0xffff }),
  b: fc.integer({ min: 0, max: 0xffff_ffff }),
  c: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  d: fc.maxSafeNat(),
  e: fc.maxSafeInteger(),
  f: fc.record({ g: fc.integer({ min: 0, max: 0xffff }) }),
});

test('what is written at any place is read there again, and nothing beside it is touched', (t) => {
  fc.assert(
    fc.property(values, fc.nat(40), (value, at) => {
      const into = Buffer.alloc(at + every.bytes + 8, 0xa5);
      every.write(into, at, value);
      t.deepEqual(every.read(into, at), value);
      t.true(into.subarray(0, at).every((byte) => byte === 0xa5));
      t.true(into.subarray(at + every.bytes).every((byte) => byte === 0xa5));
    }),
  );
});

test('a structure is the same bytes and the same value, compiled or in a loop', (t) => {
  const placed = [
    { name: 'a', field: u16, at: 0 },
    { name: 'hole', field: gap(2), at: 2 },
    { name: 'b', field: u64, at: 4 },
  ];
  const [fast, plain] = [compiled(placed), looped(placed)].map((parts) => {
    const into = Buffer.alloc(16, 0xa5);
    parts.write(into, 2, { a: 1, b: 2 ** 40 });
    return { into, value: parts.read(into, 2) };
  });
  t.deepEqual(fast, plain);
  t.deepEqual(fast?.value, { a: 1, b: 2 ** 40 });
  t.throws(() => compiled([{ name: 'a; process.exit()', field: u16, at: 0 }]), {
    name: 'AssertionError',
  });
});

test('fields stand behind each other in the order of their declaration, low bytes first', (t) => {
  const bytes = encode(every, { a: 1, b: 2, c: -1, d: 2 ** 40 + 3, e: -2, f: { g: 0x1234 } });
  t.is(
    bytes.toString('hex'),
    '0100 0000 02000000 ffffffff 0300000000010000 feffffffffffffff 3412'.replaceAll(' ', ''),
  );
});

test('a number of 64 bits beyond 2^53 is read as one that is no safe integer', (t) => {
  const bytes = Buffer.from('ffffffffffffff7f', 'hex');
  t.false(Number.isSafeInteger(u64.read(bytes, 0)));
  t.is(i64.read(Buffer.from('ffffffffffffffff', 'hex'), 0), -1);
});
