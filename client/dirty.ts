/**
 * What an open file has written and not yet synced, by column: which iods a sync must ask, and
 * whether one of them lost writes that it had acknowledged (SCENARIOS 4, MISSION M19).
 */
import { FsError } from '../shared/errno.ts';
import { iodOfColumn, type Layout, toLogical } from '../shared/stripe.ts';
import type { IodIndex } from '../shared/units.ts';
import type { PlacedPart } from './io-plan.ts';

export class DirtyColumn {
  readonly iod: IodIndex;
  readonly column: number;
  readonly #layout: Layout;
  readonly #verifiers = new Set<number>();
  #from = Infinity;
  #to = 0;

  constructor(layout: Layout, column: number) {
    this.#layout = layout;
    this.column = column;
    this.iod = iodOfColumn(layout, column);
  }

  add(localOffset: number, length: number, verifier: number): void {
    this.#from = Math.min(this.#from, localOffset);
    this.#to = Math.max(this.#to, localOffset + length);
    this.#verifiers.add(verifier);
  }

  /** Takes the writes of an earlier, failed sync along. */
  merge(earlier: DirtyColumn): void {
    for (const verifier of earlier.#verifiers) {
      this.add(earlier.#from, earlier.#to - earlier.#from, verifier);
    }
  }

  /**
   * @param verifier what the iod answered to the sync
   * @throws FsError EIO WEFT_E_DATA_LOST, with the range, when it is not that of every write
   */
  check(verifier: number): void {
    if (this.#verifiers.size === 0) return; // Nothing of ours: see `takeAll`.
    if (this.#verifiers.size === 1 && this.#verifiers.has(verifier)) return;
    const from = toLogical(this.#layout, this.column, this.#from);
    const last = toLogical(this.#layout, this.column, this.#to - 1);
    throw new FsError('EIO', {
      id: 'WEFT_E_DATA_LOST',
      what: `iod ${this.iod} lost writes that were not synced yet, within bytes ${from} to ${last}`,
    });
  }
}

export class Dirty {
  readonly #layout: Layout;
  #columns = new Map<number, DirtyColumn>();

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  wrote({ column, localOffset, length }: PlacedPart, verifier: number): void {
    this.#at(column).add(localOffset, length, verifier);
  }

  /** All of them; what is written from now on is of the next sync. */
  take(): readonly DirtyColumn[] {
    const columns = [...this.#columns.values()];
    this.#columns = new Map();
    return columns;
  }

  /** Also those that others wrote to, or this program through a file that it has closed. */
  takeAll(): readonly DirtyColumn[] {
    for (let column = 0; column < this.#layout.pcount; column++) this.#at(column);
    return this.take();
  }

  /** Its sync failed: the next one must ask again. */
  putBack(earlier: DirtyColumn): void {
    this.#at(earlier.column).merge(earlier);
  }

  #at(column: number): DirtyColumn {
    let dirty = this.#columns.get(column);
    if (dirty === undefined) {
      dirty = new DirtyColumn(this.#layout, column);
      this.#columns.set(column, dirty);
    }
    return dirty;
  }
}
