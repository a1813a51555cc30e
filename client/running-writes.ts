/**
 * Writes of an open file that are under way. Who closes it waits for them: the iods hear of the
 * close a little later, and would take until then what comes (SCENARIOS 119).
 */
import type { Clock } from '../shared/runtime/runtime.ts';

export class RunningWrites {
  readonly #clock: Clock;
  #count = 0;
  #ended: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get areRunning(): boolean {
    return this.#count > 0;
  }

  async during<R>(write: () => Promise<R>): Promise<R> {
    this.#count++;
    try {
      return await write();
    } finally {
      this.#count--;
      if (this.#count === 0) this.#ended?.();
    }
  }

  /** While some are running: resolves when none is left, or at the deadline. For one caller. */
  over(deadline: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const leftMs = Math.max(0, deadline - this.#clock.now());
      const timer = leftMs === Infinity ? undefined : this.#clock.timer(leftMs, resolve);
      this.#ended = () => {
        timer?.cancel();
        resolve();
      };
    });
  }
}
