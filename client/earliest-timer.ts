/** One timer for all who want to be woken: it fires at the earliest time that anybody has asked for. */
import type { Clock, Timer } from '../shared/runtime/runtime.ts';

export class EarliestTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: Timer | undefined;
  #firesAt = Infinity;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** It fires by then. Who wants more than that asks again when it has. */
  within(ms: number): void {
    const firesAt = this.#clock.now() + ms;
    if (this.#timer !== undefined && this.#firesAt <= firesAt) return;
    this.#timer?.cancel();
    this.#firesAt = firesAt;
    this.#timer = this.#clock.timer(ms, () => {
      this.#timer = undefined;
      this.#fire();
    });
  }
}
