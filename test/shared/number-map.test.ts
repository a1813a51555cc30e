import test from 'ava';
import * as fc from 'fast-check';
import { NumberMap } from '../../shared/number-map.ts';
import { bytesKept } from './bytes-kept.ts';

interface Value {
  readonly n: number;
}

function inOrder(values: Iterable<Value>): number[] {
  return Array.from(values, ({ n }) => n).toSorted((a, b) => a - b);
}

/** Near each other, far apart, and with the same low bits. */
const keys = fc.oneof(
  fc.nat(40),
  fc.nat(40).map((n) => n * 65_536),
  fc.nat(40).map((n) => n * 2 ** 32 + 1),
  fc.maxSafeNat(),
);

test('it holds what a Map holds, whatever comes and goes', (t) => {
  const step = fc.record({
    key: keys,
    value: fc.option(fc.record({ n: fc.nat() }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const ours = new NumberMap<number, Value>();
      const map = new Map<number, Value>();
      for (const { key, value } of steps) {
        if (value === undefined) t.is(ours.delete(key), map.delete(key));
        else {
          ours.set(key, value);
          map.set(key, value);
        }
        t.is(ours.size, map.size);
        t.is(ours.get(key), map.get(key));
        t.is(ours.has(key), map.has(key));
      }
      for (const [key, value] of map) t.is(ours.get(key), value);
      t.deepEqual(inOrder(ours.values()), inOrder(map.values()));
      ours.clear();
      t.is(ours.size, 0);
      t.deepEqual(ours.values(), []);
    }),
  );
});

test('it gives back what room many have left, and keeps the few', (t) => {
  const map = new NumberMap<number, Value>();
  const many = 50_000;
  for (let n = 0; n < many; n++) map.set(n * 7, { n });
  for (let n = 0; n < many; n++) if (n % 1000 !== 0) t.true(map.delete(n * 7));
  t.is(map.size, many / 1000);
  for (let n = 0; n < many; n += 1000) t.is(map.get(n * 7)?.n, n);
  const collected = bytesKept((n, thing) => {
    map.set(n, thing as Value);
    map.delete(n);
  });
  t.true(collected < 0.1);
});

test('what is no whole number is refused', (t) => {
  const map = new NumberMap<number, object>();
  for (const key of [-1, 0.5, NaN, 2 ** 53]) t.throws(() => map.set(key, {}));
});

test('what has left it can be collected, however old it is itself', (t) => {
  const map = new NumberMap<number, object>();
  const kept = bytesKept((n, thing) => {
    map.set(n, thing);
    if (n >= 10) map.delete(n - 10);
  });
  t.true(kept < 0.1, `${kept} of what went through`);
});
