/**
 * Stamps by the mgr's clock, for what the mgr hears of later: what it told once, and how long ago that
 * is by ours. A little less than its own, so nothing that it stamps itself is older than what it knows.
 */
import type { Clock } from '../shared/runtime/runtime.ts';
import { compareTimestamps, type Timestamp } from '../shared/units.ts';

export class MgrTime {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #told: Timestamp;
  readonly #heardAt: number;

  /** @param told a time that the mgr has just told of this moment */
  constructor(clock: Pick<Clock, 'now'>, told: Timestamp) {
    this.#clock = clock;
    this.#told = told;
    this.#heardAt = clock.now();
  }

  /** Of something that was changed last at this time. */
  now(last: Timestamp): Timestamp {
    const now = after(this.#told, this.#clock.now() - this.#heardAt);
    return compareTimestamps(now, last) > 0 ? now : last;
  }
}

function after({ seconds, nanoseconds }: Timestamp, ms: number): Timestamp {
  const sum = nanoseconds + Math.floor(ms * 1e6);
  return { seconds: seconds + Math.floor(sum / 1e9), nanoseconds: sum % 1e9 };
}
