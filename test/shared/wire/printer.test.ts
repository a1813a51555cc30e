import test from 'ava';
import * as fc from 'fast-check';
import { byteString } from '../../../shared/units.ts';
import {
  bool,
  bytes,
  choice,
  type Codec,
  empty,
  list,
  name,
  optional,
  struct,
  text,
  u8,
} from '../../../shared/wire/codec.ts';
import { dataOps } from '../../../shared/wire/iod-ops.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { op } from '../../../shared/wire/op.ts';
import { printMessage } from '../../../shared/wire/printer.ts';
import { arbitraryOf, halves, sampleOf } from './arbitrary.ts';

/** Prints a value as the request of a message that has just this field. */
function print<T>(codec: Codec<T>, value: T, maxChars = 1000): string {
  const message = op(
    65_000,
    'For this test.',
    { from: ['client'], class: 'link', resend: 'never' },
    struct({ it: codec }),
    empty,
  );
  return printMessage(message, 'request', { it: value }, maxChars);
}

test('a message is printed as its fields', (t) => {
  const request = { handle: 5, offset: 1024, length: 10 };
  t.is(printMessage(dataOps.read, 'request', request, 100), 'handle=5 offset=1024 length=10');
  t.is(printMessage(linkOps.ping, 'request', {}, 100), '');
});

test('each kind of value has its own form', (t) => {
  t.is(print(bool, true), 'it=true');
  t.is(print(choice(['red', 'green']), 'green'), 'it=green');
  t.is(print(optional(u8), undefined), 'it=-');
  t.is(print(optional(u8), 7), 'it=7');
  t.is(print(list(u8, 9), [1, 2, 3]), 'it=3[1 2 3]');
  t.is(print(list(u8, 9), []), 'it=0[]');
  t.is(print(struct({ a: u8, b: struct({ c: u8 }) }), { a: 1, b: { c: 2 } }), 'it={a=1 b={c=2}}');
});

test('names are shown as the bytes that they are, text as what people read', (t) => {
  t.is(print(name(99), byteString('a "b" \\ \n')), String.raw`it="a \"b\" \\ \x0a"`);
  t.is(print(name(99), byteString('é')), String.raw`it="\xc3\xa9"`);
  t.is(print(text(99), 'é 語'), 'it="é 語"');
  t.is(print(text(99), 'a\n\u2028\u202eb\x1b'), String.raw`it="a\x0a\u{2028}\u{202e}b\x1b"`);
});

test('of bytes the length and the first four are shown', (t) => {
  t.is(print(bytes(99), Buffer.of()), 'it=0#');
  t.is(print(bytes(99), Buffer.of(0, 1, 0xab, 0xff)), 'it=4#0001abff');
  t.is(print(bytes(99), Buffer.alloc(32, 7)), 'it=32#07070707…');
});

test('no key, nonce, proof or signature of any message is printed in full', (t) => {
  for (const { title, op, side, codec } of halves) {
    const line = printMessage(op, side, sampleOf(codec.shape), 100_000);
    t.notRegex(line, /#[0-9a-f]{9}/, title);
    t.notRegex(line, /[0-9a-f]{24}/, title);
  }
});

test('a line never exceeds its bound, has no line break, and shows when it was cut', (t) => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...halves)
        .chain((half) =>
          fc.record({ half: fc.constant(half), value: arbitraryOf(half.codec.shape) }),
        ),
      fc.integer({ min: 1, max: 300 }),
      ({ half: { op, side }, value }, maxChars) => {
        const whole = printMessage(op, side, value, 1_000_000);
        const line = printMessage(op, side, value, maxChars);
        t.notRegex(whole, /\p{Cc}/u);
        t.true(line.length <= maxChars);
        t.is(line, whole.length <= maxChars ? whole : `${whole.slice(0, maxChars - 1)}…`);
      },
    ),
  );
});

test('what does not fit in the line is not looked at', (t) => {
  const items = new Proxy<number[]>(
    Array.from({ length: 1000 }, () => 1),
    {
      get(target, key) {
        if (key === '500') t.fail('the middle of the list was printed');
        return Reflect.get(target, key) as unknown;
      },
    },
  );
  t.is(print(list(u8, 1000), items, 12), 'it=1000[1 1…');
});
