import test from 'ava';
import {
  array,
  assert,
  constantFrom,
  integer,
  maxSafeNat,
  oneof,
  property,
  tuple,
} from 'fast-check';
import { isSameDigest, OpenDigest } from '../../shared/open-digest.ts';

type Open = readonly [handle: number, session: number, rights: number, sequence: number];

function digestOf(opens: readonly Open[]): OpenDigest {
  const digest = new OpenDigest();
  for (const open of opens) digest.add(...open);
  return digest;
}

const number = oneof(
  integer({ min: 1, max: 20 }),
  maxSafeNat(),
  constantFrom(2 ** 32 + 1, 2 ** 53 - 1),
);
const open = tuple(number, number, integer({ min: 1, max: 3 }), number);

test('the order in which opens are added does not matter', (t) => {
  assert(
    property(array(open), (opens) => {
      t.true(isSameDigest(digestOf(opens), digestOf(opens.toReversed())));
    }),
  );
});

test('the digest of two sets is that of both, and without one of them that of the other', (t) => {
  assert(
    property(array(open), array(open), (some, others) => {
      const both = digestOf(some);
      both.include(digestOf(others));
      t.true(isSameDigest(both, digestOf([...some, ...others])));
      both.exclude(digestOf(some));
      t.true(isSameDigest(both, digestOf(others)));
    }),
  );
});

test('one number of one open changed, one open more or one less is another digest', (t) => {
  assert(
    property(
      array(open, { minLength: 1, maxLength: 9 }),
      number,
      integer({ min: 0, max: 3 }),
      (opens, value, place) => {
        const [first, ...others] = opens;
        if (first === undefined || first[place] === value) return;
        const changed = first.with(
          place,
          place === 2 ? (first[2] % 3) + 1 : value,
        ) as unknown as Open;
        const whole = digestOf(opens);
        t.false(isSameDigest(whole, digestOf([changed, ...others])));
        t.false(isSameDigest(whole, digestOf(others)));
        t.false(isSameDigest(whole, digestOf([...opens, changed])));
      },
    ),
  );
});

test('opens whose numbers count upward differ in either half, and evenly', (t) => {
  const halves = [new Set<number>(), new Set<number>()] as const;
  const ones = Array.from({ length: 64 }, () => 0);
  const count = 20_000;
  for (let at = 0; at < count; at++) {
    const { low, high } = digestOf([[at + 1, (at % 100) + 1, 3, at]]);
    halves[0].add(low);
    halves[1].add(high);
    for (let bit = 0; bit < 64; bit++) {
      const half = bit < 32 ? low : high;
      ones[bit] = (ones[bit] ?? 0) + ((half >>> (bit % 32)) & 1);
    }
  }
  // Of 20 000 numbers of 32 bits about 0.05 pairs are the same.
  for (const half of halves) t.true(half.size > count - 5);
  for (const one of ones) t.true(Math.abs(one / count - 0.5) < 0.02);
});

test('a digest is the same in every version of this program', (t) => {
  const { low, high } = digestOf([
    [1, 1, 3, 1],
    [2 ** 53 - 1, 2 ** 40 + 5, 1, 2 ** 33],
  ]);
  t.deepEqual([low, high], [1_548_445_908, 760_699_118]);
});
