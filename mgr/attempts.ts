/** What is tried again until it is done, or the mgr stops. */
import { retryDelayMs } from '../shared/rpc/retry.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';

export class Attempts {
  readonly #runtime: Pick<Runtime, 'clock' | 'random'>;
  readonly #pauses = new Set<() => void>();
  #closed = false;

  constructor(runtime: Pick<Runtime, 'clock' | 'random'>) {
    this.#runtime = runtime;
  }

  /** @param attempt gets its number, from 1 on, and tells whether it has done it */
  async untilDone(attempt: (attempts: number) => Promise<boolean>): Promise<void> {
    for (let attempts = 1; !this.#closed; attempts++) {
      if (await attempt(attempts)) return;
      if (!this.#closed) await this.#pause(retryDelayMs(attempts, this.#runtime.random));
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** What is not done by now is left. */
  close(): void {
    this.#closed = true;
    for (const end of this.#pauses) end();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const timer = this.#runtime.clock.timer(delayMs, end);
      this.#pauses.add(end);
    });
  }
}
