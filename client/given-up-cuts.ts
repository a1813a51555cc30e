/**
 * Truncations that were given up may be done for a while yet. What this program writes next to their
 * files must not be cut by them, so it waits until they are done, or surely never will be
 * (SCENARIOS 118).
 */
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Clock } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { withinCall } from './within-call.ts';

export class GivenUpCuts {
  readonly #clock: Clock;
  readonly #pending = new Map<Handle, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  arePending(handle: Handle): boolean {
    return this.#pending.has(handle);
  }

  /** Makes one. @param cut gets what is to be called once it can do nothing any more */
  async during<R>(handle: Handle, cut: (settled: () => void) => Promise<R>): Promise<R> {
    let settled: (() => void) | undefined;
    const over = new Promise<void>((resolve) => {
      settled = resolve;
    });
    try {
      return await cut(() => settled?.());
    } catch (error) {
      this.#add(handle, over);
      throw error;
    }
  }

  /** No longer than a call with these options would take. @throws FsError ETIMEDOUT, ECANCELED */
  async over(handle: Handle, options: CallOptions): Promise<void> {
    const over = this.#pending.get(handle);
    const what = 'a truncation that was given up is not over yet';
    if (over !== undefined) await withinCall(this.#clock, over, options, what);
  }

  #add(handle: Handle, over: Promise<void>): void {
    const all = Promise.all([this.#pending.get(handle), over]).then(() => {
      if (this.#pending.get(handle) === all) this.#pending.delete(handle);
    });
    this.#pending.set(handle, all);
  }
}
