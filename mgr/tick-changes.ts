/** All that an operation may change in a tick, as one: it happens whole or not at all. */
import type { OpenMark, OpenTable } from './open-table.ts';
import type { Mark, MetaView, Touched } from './store/batch.ts';

export interface TickMark {
  readonly view: Mark;
  readonly opens: OpenMark;
}

export class TickChanges {
  readonly #view: MetaView;
  readonly #openTable: OpenTable;

  constructor(view: MetaView, openTable: OpenTable) {
    this.#view = view;
    this.#openTable = openTable;
  }

  mark(): TickMark {
    return { view: this.#view.mark(), opens: this.#openTable.mark() };
  }

  touched(mark: TickMark): Touched {
    return this.#view.touched(mark.view);
  }

  /** Takes back all changes since `mark`. */
  undo(mark: TickMark): void {
    this.#openTable.undo(mark.opens);
    this.#view.undo(mark.view);
  }

  atomically<T>(change: () => T): T {
    const mark = this.mark();
    try {
      return change();
    } catch (error) {
      this.undo(mark);
      throw error;
    }
  }
}
