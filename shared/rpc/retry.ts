/** When to try again: TRY_AGAIN and lost connections, never by count, always within the deadline. */
import { limits } from '../limits.ts';
import type { Random, Runtime } from '../runtime/runtime.ts';

/** A daemon that was killed is back within a few seconds: whoever waits for it keeps looking. */
const watchfulAttempts = 25;

/**
 * Doubles from the least delay on, at first only up to one after which nobody has waited for long,
 * later up to the greatest. Half of it is left to chance, so that callers that were turned away
 * together do not come back together.
 * @param attempts how often it has been tried, from 1
 * @param hintMs what the server asked for
 */
export function retryDelayMs(attempts: number, random: Random, hintMs = 0): number {
  const { reconnectDelayMinMs, reconnectDelayWatchfulMs, reconnectDelayMaxMs } = limits;
  const patience = Math.max(0, attempts - watchfulAttempts);
  const grown = reconnectDelayMinMs * 2 ** Math.min(attempts - 1, 20);
  const delay = Math.min(
    grown,
    reconnectDelayWatchfulMs * 2 ** Math.min(patience, 20),
    reconnectDelayMaxMs,
  );
  return Math.max(hintMs, delay / 2) + (delay / 2) * random.fraction();
}

/** Waits until it is time to try again. @param leftMs no longer than that */
export function retryPause(
  { clock, random }: Pick<Runtime, 'clock' | 'random'>,
  attempts: number,
  leftMs = Infinity,
): Promise<void> {
  return new Promise((resolve) => {
    clock.timer(Math.min(leftMs, retryDelayMs(attempts, random)), resolve);
  });
}

/** Logs at the 1st, 2nd, 4th, 8th … of a row of equal events (DESIGN 6). */
export function isPowerOfTwo(count: number): boolean {
  return count > 0 && (count & (count - 1)) === 0;
}
