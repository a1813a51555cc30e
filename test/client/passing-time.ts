import type { Clock } from '../../shared/runtime/runtime.ts';

/** Time that passes only when it is told to. */
export class PassingTime {
  now: number;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  readonly clock = {
    now: () => this.now,
    timer: (delayMs: number, run: () => void) => {
      const timer = { at: this.now + delayMs, run };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
  } as unknown as Clock;

  constructor(begunAt: number) {
    this.now = begunAt;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until);
      const [timer] = due.toSorted((a, b) => a.at - b.at);
      if (timer === undefined) break;
      this.#timers.delete(timer);
      this.now = Math.max(this.now, timer.at);
      timer.run();
    }
    this.now = until;
  }
}

/** What has been answered by now is heard. */
export function soon(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** It resolves without anything that would have to happen first. */
export async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  void promise.then(() => (over = true));
  await soon();
  return over;
}
