/** Handles of which nothing was made yet, for what is made in lent directories. */
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';

interface Block {
  readonly first: Handle;
  readonly count: number;
}

export class HandleBlocks {
  readonly #ask: () => Promise<Block>;
  #next = 0;
  #end = 0;
  #following: Block | undefined;
  #asking: Promise<void> | undefined;
  /** What was asked for before was given to a session that has ended. */
  #life = 0;

  /** @param ask the mgr for more */
  constructor(ask: () => Promise<Block>) {
    this.#ask = ask;
  }

  /** @returns undefined: there is none now */
  take(): Handle | undefined {
    if (this.#next === this.#end && this.#following !== undefined) {
      const { first, count } = this.#following;
      this.#following = undefined;
      [this.#next, this.#end] = [first, first + count];
    }
    if (this.#end - this.#next < limits.handlesPerTake / 2) this.want();
    return this.#next < this.#end ? (this.#next++ as Handle) : undefined;
  }

  /** Some will be needed soon. */
  want(): void {
    if (this.#following !== undefined || this.#asking !== undefined) return;
    const life = this.#life;
    const asking = this.#ask()
      .then((block) => {
        if (life === this.#life) this.#following = block;
      })
      // Without any the mgr makes what is to be made.
      .catch(() => undefined)
      .finally(() => {
        if (this.#asking === asking) this.#asking = undefined;
      });
    this.#asking = asking;
  }

  /** The session has ended. */
  clear(): void {
    this.#life++;
    this.#following = this.#asking = undefined;
    this.#next = this.#end = 0;
  }
}
