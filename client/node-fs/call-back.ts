/** From a promise to a callback of Node. */
import type { Callback } from './checks.ts';

/** What the callback throws is its program's, as in Node: no rejection nobody hears of. */
export function callBack(callback: Callback, promise: Promise<unknown>): void {
  promise.then(
    (value) => process.nextTick(callback, ...(value === undefined ? [null] : [null, value])),
    (error: unknown) => process.nextTick(callback, error),
  );
}
