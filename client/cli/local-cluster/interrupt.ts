/**
 * Ctrl-C from the very start: daemons are processes of their own, so nothing but us passes it on,
 * and there is no moment at which it may merely end us and leave them behind.
 */
import { CommandError } from '../failure.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupt {
  readonly #abort = new AbortController();
  readonly #listeners = new Set<(times: number) => void>();
  #times = 0;
  readonly #heard = (): void => {
    this.#times++;
    this.#abort.abort(new CommandError('EINTR', 'it was interrupted', { effect: stopped }));
    for (const listener of this.#listeners) listener(this.#times);
  };

  constructor() {
    for (const signal of signals) process.on(signal, this.#heard);
  }

  /** Aborted by the first, with the error to tell. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Hears each one with its number, from 1; also the one that came before. */
  listen(listener: (times: number) => void): void {
    this.#listeners.add(listener);
    if (this.#times > 0) listener(this.#times);
  }

  /** Signals do what they usually do again. */
  end(): void {
    for (const signal of signals) process.off(signal, this.#heard);
    this.#listeners.clear();
  }
}

const stopped = 'what was started is stopped again';
