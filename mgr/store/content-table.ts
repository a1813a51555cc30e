import type { Handle } from '../../shared/units.ts';
import type { MetaStore } from './meta-store.ts';
import type { Mutation } from './rows.ts';
import { type Entry, TickRows } from './tick-rows.ts';

/** What is read again is mostly in SQLite's own cache: few are remembered. */
const entriesMax = 128;

interface ContentEntry extends Entry<Uint8Array> {
  readonly handle: Handle;
}

/** The bytes of files that are not at the iods. A file without bytes has no row. */
export class ContentTable extends TickRows<Handle, Uint8Array, ContentEntry> {
  readonly #store: MetaStore;

  constructor(store: MetaStore) {
    super(entriesMax);
    this.#store = store;
  }

  get(handle: Handle): Uint8Array | undefined {
    const known = this.recent.get(handle);
    if (known !== undefined) return known.row ?? undefined;
    return this.#remember(handle, this.#store.contents(handle) ?? null).row ?? undefined;
  }

  set(handle: Handle, row: Uint8Array | null): void {
    const known = this.recent.get(handle);
    if (known === undefined) this.change(this.#remember(handle, row), undefined, row);
    else this.change(known, known.row, row);
  }

  protected override ownerOf(entry: ContentEntry): Handle {
    return entry.handle;
  }

  protected override keyOf(entry: ContentEntry): Handle {
    return entry.handle;
  }

  protected override toMutation({ handle, row }: ContentEntry): Mutation {
    return row === null
      ? { kind: 'delete-contents', handle }
      : { kind: 'put-contents', handle, bytes: row };
  }

  #remember(handle: Handle, row: Uint8Array | null): ContentEntry {
    const entry = { handle, row, changed: false };
    this.recent.set(handle, entry);
    return entry;
  }
}
