/** A clock that a test moves on, and timers that fire when it does. */
interface ManualTimer {
  readonly at: number;
  readonly run: () => void;
  readonly cancel: () => void;
}

export class ManualClock {
  #now = 0;
  readonly #timers = new Set<ManualTimer>();

  readonly now = (): number => this.#now;

  readonly timer = (ms: number, run: () => void): ManualTimer => {
    const timer = { at: this.#now + ms, run, cancel: () => this.#timers.delete(timer) };
    this.#timers.add(timer);
    return timer;
  };

  pass(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}
