/** Questions on their way whose answers may lend something to us, and what is asked back before they come. */
import type { Handle } from '../shared/units.ts';

/** One of them. */
export interface Asking {
  /** What was asked back meanwhile. */
  readonly recalled: Set<Handle>;
  /** All was. */
  isOver: boolean;
}

export class Askings {
  readonly #all = new Set<Asking>();

  /** Before the question. */
  ask(): Asking {
    const asking = { recalled: new Set<Handle>(), isOver: false };
    this.#all.add(asking);
    return asking;
  }

  /** It was answered, or failed. */
  answered(asking: Asking): void {
    this.#all.delete(asking);
  }

  recalled(handles: readonly Handle[] | 'all'): void {
    for (const asking of this.#all) {
      if (handles === 'all') asking.isOver = true;
      else for (const handle of handles) asking.recalled.add(handle);
    }
  }
}
