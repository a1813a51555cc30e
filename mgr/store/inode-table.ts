import type { Handle } from '../../shared/units.ts';
import type { MetaStore } from './meta-store.ts';
import type { Inode, Mutation } from './rows.ts';
import { type Entry, TickRows } from './tick-rows.ts';

interface InodeEntry extends Entry<Inode> {
  readonly handle: Handle;
}

export class InodeTable extends TickRows<Handle, Inode, InodeEntry> {
  readonly #store: MetaStore;

  constructor(store: MetaStore, entriesMax: number) {
    super(entriesMax);
    this.#store = store;
  }

  get(handle: Handle): Inode | undefined {
    const entry = this.recent.get(handle) ?? this.#load(handle);
    return entry.row ?? undefined;
  }

  set(handle: Handle, row: Inode | null): void {
    const entry = this.recent.get(handle);
    if (entry === undefined) this.change(this.#remember(handle, row), undefined, row);
    else this.change(entry, entry.row, row);
  }

  /** What was just made: there is nothing to look for. */
  add(row: Inode): void {
    this.change(this.#remember(row.handle, null), null, row);
  }

  protected override ownerOf(entry: InodeEntry): Handle {
    return entry.handle;
  }

  protected override keyOf(entry: InodeEntry): Handle {
    return entry.handle;
  }

  protected override toMutation({ handle, row }: InodeEntry): Mutation {
    return row === null ? { kind: 'delete-inode', handle } : { kind: 'put-inode', row };
  }

  #load(handle: Handle): InodeEntry {
    return this.#remember(handle, this.#store.inode(handle) ?? null);
  }

  #remember(handle: Handle, row: Inode | null): InodeEntry {
    const entry = { handle, row, changed: false };
    this.recent.set(handle, entry);
    return entry;
  }
}
