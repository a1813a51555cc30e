/** All that an operation may change in a tick, as one: it happens whole or not at all. */
import type { Lends } from './lends.ts';
import type { OpenMark, OpenTable } from './open-table.ts';
import type { Mark, MetaView, Touched } from './store/batch.ts';
import type { Inode } from './store/rows.ts';

export interface TickMark {
  readonly view: Mark;
  readonly opens: OpenMark;
  readonly lends: number;
}

export class TickChanges {
  readonly #view: MetaView;
  readonly #openTable: OpenTable;
  readonly #lends: Pick<Lends, 'mark' | 'undo'>;

  constructor(view: MetaView, openTable: OpenTable, lends: Pick<Lends, 'mark' | 'undo'>) {
    this.#view = view;
    this.#openTable = openTable;
    this.#lends = lends;
  }

  mark(): TickMark {
    return {
      view: this.#view.mark(),
      opens: this.#openTable.mark(),
      lends: this.#lends.mark(),
    };
  }

  touched(mark: TickMark): Touched {
    return this.#view.touched(mark.view);
  }

  replaced(mark: TickMark): Iterable<Inode> {
    return this.#view.replaced(mark.view);
  }

  /** Takes back all changes since `mark`. */
  undo(mark: TickMark): void {
    this.#lends.undo(mark.lends);
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
