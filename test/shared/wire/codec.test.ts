import test from 'ava';
import { ProtocolError } from '../../../shared/errno.ts';
import type { ByteString } from '../../../shared/units.ts';
import {
  bool,
  bytes,
  choice,
  type Codec,
  decode,
  encode,
  fixed,
  i53,
  list,
  name,
  optional,
  Reader,
  struct,
  text,
  timestamp,
  u16,
  u32,
  u53,
  u8,
  Writer,
} from '../../../shared/wire/codec.ts';

const refused = { instanceOf: ProtocolError };

function hexOf<T>(codec: Codec<T>, value: T): string {
  return encode(codec, value).toString('hex');
}

function fromHex<T>(codec: Codec<T>, hex: string): T {
  return decode(codec, Buffer.from(hex, 'hex'));
}

test('integers are little-endian', (t) => {
  t.is(hexOf(u8, 0x12), '12');
  t.is(hexOf(u16, 0x1234), '3412');
  t.is(hexOf(u32, 0xfedc_ba98), '98badcfe');
  t.is(hexOf(u53(), 0x0012_3456_789a_bcde), 'debc9a7856341200');
  t.is(hexOf(i53, -2), 'feffffffffffffff');
});

test('integers keep their value at every edge', (t) => {
  const edges = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  for (const edge of edges) {
    t.is(decode(u53(), encode(u53(), edge)), edge);
    t.is(decode(i53, encode(i53, -edge)), 0 - edge);
  }
});

test('an integer out of its range is refused when it is sent', (t) => {
  for (const value of [-1, 256, 1.5, Number.NaN, Infinity])
    t.throws(() => encode(u8, value), refused);
  t.throws(() => encode(u16, 0x1_0000), refused);
  t.throws(() => encode(u32, 2 ** 32), refused);
  t.throws(() => encode(u53(), -1), refused);
  t.throws(() => encode(u53(511), 512), refused);
  t.throws(() => encode(i53, 2 ** 53), refused);
  t.throws(() => encode(timestamp, { seconds: 0, nanoseconds: 1e9 }), refused);
});

test('an integer out of its range is refused when it comes in', (t) => {
  t.throws(() => fromHex(u53(), 'ffffffffffffffff'), refused);
  t.throws(() => fromHex(u53(), '0000000000002000'), refused);
  t.throws(() => fromHex(u53(511), '0002000000000000'), refused);
  t.throws(() => fromHex(i53, '000000000000e0ff'), refused);
  t.throws(() => fromHex(timestamp, '0000000000000000ffffffff'), refused);
});

test('a boolean is 0 or 1, a choice one of its words', (t) => {
  const colour = choice(['red', 'green']);
  t.is(hexOf(bool, true), '01');
  t.is(hexOf(colour, 'green'), '01');
  t.throws(() => fromHex(bool, '02'), refused);
  t.throws(() => fromHex(colour, '02'), refused);
  t.throws(() => encode(choice(['red']) as Codec<string>, 'blue'), refused);
});

test('strings and bytes have a length before them, and keep every byte', (t) => {
  t.is(hexOf(text(10), 'é'), '02000000c3a9');
  t.is(hexOf(name(10), 'a\xff' as ByteString), '020061ff');
  t.is(hexOf(bytes(10), Buffer.of(1, 2)), '020000000102');
  t.is(hexOf(fixed(2), Buffer.of(1, 2)), '0102');
  t.is(fromHex(name(10), '0300c3a9ff'), 'Ã©ÿ' as ByteString);
});

test('an optional value has a boolean before it, a list its count', (t) => {
  const values = list(u8, 3);
  t.is(hexOf(optional(u16), undefined), '00');
  t.is(hexOf(optional(u16), 7), '010700');
  t.is(hexOf(values, [1, 2]), '020000000102');
  t.deepEqual(fromHex(values, '00000000'), []);
});

test('what is at its bound passes, what is over it is refused on both sides', (t) => {
  const cases = [
    [bytes(2), Buffer.of(1, 2), Buffer.of(1, 2, 3), '03000000010203'],
    [text(2), 'é', 'éa', '03000000c3a961'],
    [name(2), 'ab', 'abc', '0300616263'],
    [list(u8, 2), [1, 2], [1, 2, 3], '03000000010203'],
  ] as unknown as [Codec<unknown>, unknown, unknown, string][];
  for (const [codec, fits, tooLong, hex] of cases) {
    t.deepEqual(decode(codec, encode(codec, fits)), fits);
    t.throws(() => encode(codec, tooLong), refused);
    t.throws(() => fromHex(codec, hex), refused);
  }
  t.throws(() => encode(fixed(2), Buffer.of(1)), refused);
});

test('a count beyond the bytes present is refused before the first item is read', (t) => {
  const never: Codec<number> = {
    ...u8,
    read: () => t.fail('an item was read'),
  };
  t.throws(() => fromHex(list(never, 0xffff_ffff), 'ffffffff00'), refused);
});

test('fields follow each other in the order of the declaration', (t) => {
  const pair = struct({ b: u8, a: struct({ c: u16 }) });
  t.is(hexOf(pair, { a: { c: 2 }, b: 1 }), '010200');
  t.deepEqual(Object.keys(fromHex(pair, '010200')), ['b', 'a']);
});

test('a writer grows at any field, whatever its kind', (t) => {
  const append: readonly ((to: Writer) => void)[] = [
    (to) => to.u8(1),
    (to) => to.u16(1),
    (to) => to.u32(1),
    (to) => to.i64(1),
    (to) => to.raw(Buffer.of(1, 2, 3)),
    (to) => to.latin1('abc'),
    (to) => to.utf8('äöü'),
  ];
  const roomy = new Writer(1024);
  for (const one of append) one(roomy);
  for (let capacity = 1; capacity <= roomy.length; capacity++) {
    const tight = new Writer(capacity);
    for (const one of append) one(tight);
    t.deepEqual(tight.copy(), roomy.copy());
  }
});

test('a writer can be used again, cut back and patched', (t) => {
  const to = new Writer();
  to.u32(0);
  to.u8(9);
  to.patchU32(0, 7);
  t.is(to.copy().toString('hex'), '0700000009');
  to.reset(4);
  t.is(to.length, 4);
  to.reset();
  t.is(to.bytesView().length, 0);
});

test('a value that could not be encoded leaves nothing behind for the next', (t) => {
  t.throws(() => encode(struct({ a: u8, b: u8 }), { a: 1, b: 1000 }), refused);
  t.is(hexOf(u8, 5), '05');
});

test('a reader begins where it is told to, in any kind of byte array', (t) => {
  const whole = new Uint8Array([9, 9, 9, 1, 2, 3]);
  for (const view of [whole.subarray(2), Buffer.from(whole).subarray(2)]) {
    const from = new Reader(view, 1);
    t.is(from.u8(), 1);
    t.is(from.u16(), 0x0302);
    t.is(from.remaining, 0);
    t.throws(() => from.u8(), refused);
    t.notThrows(() => {
      from.end();
    });
  }
});

test('decoded bytes are a copy: the body is used again', (t) => {
  const body = encode(bytes(4), Buffer.of(1, 2));
  const value = decode(bytes(4), body);
  body.fill(0);
  t.deepEqual([...value], [1, 2]);
});
