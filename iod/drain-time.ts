import { limits } from '../shared/limits.ts';
import type { Clock } from '../shared/runtime/runtime.ts';

/** @returns false when `work` was not done in the time for a drain; it goes on then */
export function within(clock: Clock, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(limits.drainTimeoutMs, () => {
      resolve(false);
    });
    work
      .then(() => {
        timer.cancel();
        resolve(true);
      })
      .catch(reject);
  });
}
