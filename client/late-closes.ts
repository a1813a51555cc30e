/**
 * Closes for which nobody waits: in one packet with the next change, or soon. A commit of its own would
 * hold up the next call of a program that has long since gone on.
 */
import { limits } from '../shared/limits.ts';
import type { Clock, Timer } from '../shared/runtime/runtime.ts';
import type { Caching } from './caching.ts';
import type { File } from './file.ts';
import type { LentFiles } from './lent-files.ts';

export interface LateClosesOptions {
  readonly clock: Clock;
  readonly lent: Pick<LentFiles, 'settle' | 'close'>;
  /** Learns what a file is that was lent. */
  readonly caching: () => Pick<Caching, 'ask' | 'answered'> | undefined;
}

export class LateCloses {
  readonly #options: LateClosesOptions;
  #waiting: (() => void)[] = [];
  #timer: Timer | undefined;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: LateClosesOptions) {
    this.#options = options;
  }

  /** @param sent as of `HandleAccess.closeLate` */
  add(file: File, sent: () => void): Promise<void> {
    this.#timer ??= this.#options.clock.timer(limits.lateCloseMs, () => this.now());
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        const settling = this.#closeLent(file);
        const closing = settling ?? this.#closeBehind(file);
        if (settling === undefined) sent();
        this.#underWay.add(closing);
        closing.finally(() => this.#underWay.delete(closing)).then(resolve, reject);
      });
    });
  }

  /** Sends them. */
  now(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const close of this.#waiting.splice(0)) close();
  }

  /** Sent, and not answered yet. */
  get underWay(): Iterable<Promise<void>> {
    return this.#underWay;
  }

  /** What was done to it while it was lent must be told before, and both may be sent again. */
  async #closeBehind(file: File): Promise<void> {
    const settling = this.#options.lent.settle(file.handle);
    if (settling !== undefined) await settling;
    await file.close({ deadlineMs: Infinity });
  }

  #closeLent(file: File): Promise<void> | undefined {
    const caching = this.#options.caching();
    const question = caching?.ask();
    return this.#options.lent.close(file, (attr) => {
      if (question) caching?.answered(question)?.learn(question.moment, attr);
    });
  }
}
