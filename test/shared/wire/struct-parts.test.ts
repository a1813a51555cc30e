import test from 'ava';
import * as fc from 'fast-check';
import { bytes, decode, encode, optional, struct, u16, u32 } from '../../../shared/wire/codec.ts';
import { compiled, looped, structParts } from '../../../shared/wire/struct-parts.ts';

const inner = struct({ low: u16, high: u32 });
const fields = { first: u32, within: inner, maybe: optional(u16), last: bytes(16) };
const { shape } = struct(fields);
const entries = Object.entries(fields);
const ways = [compiled, looped].map((parts) => ({ shape, ...parts(entries) }));
const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const value = fc.record({
  first: int(32),
  within: fc.record({ low: int(16), high: int(32) }),
  maybe: fc.option(int(16), { nil: undefined }),
  last: fc.uint8Array({ maxLength: 16 }).map((content) => Buffer.from(content)),
});

test('a struct is the same bytes and the same value, compiled or in a loop', (t) => {
  fc.assert(
    fc.property(value, (one) => {
      const [fast, plain] = ways.map((way) => encode(way, one));
      t.deepEqual(fast, plain);
      for (const way of ways) t.deepEqual(decode(way, fast ?? Buffer.alloc(0)), one);
    }),
  );
});

test('a field whose name is no plain word is refused before it becomes code', (t) => {
  t.throws(() => compiled([['a; process.exit()', u16]]), { name: 'AssertionError' });
});

test('here structs are compiled', (t) => {
  t.is(structParts, compiled);
});
