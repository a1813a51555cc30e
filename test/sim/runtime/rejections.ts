/**
 * Finds whose promise was rejected with nobody to catch it. Node tells of it after the promises of
 * a job have settled and before anything else runs, so it is of the world whose job ran last.
 */
import { listenerCount } from 'node:events';

export interface RejectionTaker {
  rejected(reason: unknown): void;
}

let last: RejectionTaker | undefined;
let watching = 0;

/** Everything until the next call, or until `undefined` is given, runs on behalf of `taker`. */
export function runsFor(taker: RejectionTaker | undefined): void {
  last = taker;
}

/** Listens until the returned function is called. */
export function watchRejections(): () => void {
  if (watching++ === 0) {
    process.on('unhandledRejection', onUnhandled);
    process.on('rejectionHandled', onHandled);
  }
  return () => {
    if (--watching > 0) return;
    process.off('unhandledRejection', onUnhandled);
    process.off('rejectionHandled', onHandled);
  };
}

function onUnhandled(reason: unknown, promise: Promise<unknown>): void {
  if (last) {
    promise.catch(() => undefined);
    last.rejected(reason);
  } else if (listenerCount(process, 'unhandledRejection') === 1) throw reason;
}

/** Its presence keeps Node from warning of rejections that were handled above. */
function onHandled(): void {
  // Nothing to do.
}
