import test from 'ava';
import * as fc from 'fast-check';
import { limits } from '../../../shared/limits.ts';
import { isPowerOfTwo, retryDelayMs } from '../../../shared/rpc/retry.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const randomOf = (fraction: number) => ({
  fraction: () => fraction,
  bytes: (count: number) => new Uint8Array(count),
});

/** All of the delay, of which half may be left out. */
function wholeDelayMs(attempts: number): number {
  return retryDelayMs(attempts, randomOf(0)) * 2;
}

test('a delay never shrinks with the attempts, and half of it is chance (SCENARIOS 157)', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), chance, (attempts, fraction) => {
      const ms = retryDelayMs(attempts, randomOf(fraction));
      const whole = wholeDelayMs(attempts);
      t.true(ms >= whole / 2 && ms <= whole);
      t.true(wholeDelayMs(attempts + 1) >= whole);
    }),
  );
});

test('for some seconds nobody looks away for long; then ever longer, up to the greatest', (t) => {
  const delays = Array.from({ length: 60 }, (_, i) => wholeDelayMs(i + 1));
  t.is(delays[0], limits.reconnectDelayMinMs);
  const watchful = delays.filter((ms) => ms <= limits.reconnectDelayWatchfulMs);
  const shortest = watchful.reduce((sum, ms) => sum + ms / 2, 0);
  t.true(shortest >= 2000, `${shortest} ms`);
  t.is(delays.at(-1), limits.reconnectDelayMaxMs);
});

test('it is never shorter than what the server asked for, nor much longer', (t) => {
  const attempts = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(attempts, chance, fc.nat(100_000), (attempts, fraction, hintMs) => {
      const ms = retryDelayMs(attempts, randomOf(fraction), hintMs);
      t.true(ms >= hintMs);
      t.true(ms <= Math.max(hintMs, limits.reconnectDelayMaxMs) + limits.reconnectDelayMaxMs / 2);
    }),
  );
});

test('equal events are logged at powers of two (SCENARIOS 177)', (t) => {
  const logged = Array.from({ length: 1000 }, (_, count) => count).filter(isPowerOfTwo);
  t.deepEqual(logged, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
});
