import test from 'ava';
import * as fc from 'fast-check';
import { solve, solveBatches } from '../../../bench/modelled/queues.ts';

const small = fc.integer({ min: 1, max: 40 });
const seconds = fc.double({ min: 1e-6, max: 1, noNaN: true });

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.abs(b);
}

test('equal stations without delay do what the formula for balanced systems says', (t) => {
  fc.assert(
    fc.property(small, small, seconds, (count, calls, each) => {
      const { perSecond } = solve([{ name: 'a', count, seconds: each }], 0, calls);
      // Asymptotic bounds of balanced systems are exact (Zahorjan, Sevcik, Eager and Galler 1982).
      t.true(isNear(perSecond, (calls * count) / (each * (calls + count - 1))));
    }),
  );
});

test('one call waits for nobody, and no station does more than it can', (t) => {
  fc.assert(
    fc.property(small, seconds, seconds, seconds, small, (count, one, other, delay, calls) => {
      const stations = [
        { name: 'one', count: 1, seconds: one },
        { name: 'other', count, seconds: other },
      ];
      t.true(isNear(solve(stations, delay, 1).perSecond, 1 / (one + other + delay)));
      const { perSecond, busiest } = solve(stations, delay, calls);
      t.true(busiest.use <= 1 + 1e-9);
      t.true(perSecond <= calls / (one + other + delay) + 1e-9);
    }),
  );
});

test('batches grow with the calls, until only what each call needs is left', (t) => {
  const server = { name: 'a', fixedSeconds: 1e-3, seconds: 1e-5 };
  const rates = [1, 10, 100, 1000, 100_000].map((calls) => solveBatches(server, 2e-3, calls));
  t.true(isNear(rates[0]?.perSecond ?? 0, 1 / (2e-3 + 1e-3 + 1e-5)));
  for (const [i, { perSecond, busiest }] of rates.entries()) {
    t.true(perSecond > (rates[i - 1]?.perSecond ?? 0));
    t.true(perSecond < 1e5);
    t.true(busiest.use < 1);
  }
  t.true((rates.at(-1)?.perSecond ?? 0) > 0.99e5);
});
