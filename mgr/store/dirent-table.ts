import type { ByteString, Handle } from '../../shared/units.ts';
import type { MetaStore } from './meta-store.ts';
import { type NamedEntry, NamedRows } from './named-rows.ts';
import type { DirentRow, Mutation } from './rows.ts';

export class DirentTable extends NamedRows<DirentRow> {
  readonly #store: MetaStore;

  constructor(store: MetaStore, entriesMax: number) {
    super(entriesMax);
    this.#store = store;
  }

  /**
   * A page of a directory: at most `count` entries with a cookie above `after`, by cookie. Costs
   * the page and the changes of this tick in this directory, however large the directory is.
   */
  page(parent: Handle, after: number, count: number): readonly DirentRow[] {
    const changes = this.changesOf(parent);
    if (changes.length === 0) return this.#store.dirents(parent, after, count);
    const changed = new Set(changes.map(({ name }) => name));
    // Each change hides at most one stored entry, so this many are enough to fill the page.
    const stored = this.#store.dirents(parent, after, count + changed.size);
    const rows = stored.filter((row) => !changed.has(row.name));
    for (const { row } of changes) {
      if (row !== null && row.cookie > after) rows.push(row);
    }
    return rows.toSorted((a, b) => a.cookie - b.cookie).slice(0, count);
  }

  protected override load(parent: Handle, name: ByteString): DirentRow | undefined {
    return this.#store.dirent(parent, name);
  }

  protected override toMutation({ owner, name, row }: NamedEntry<DirentRow>): Mutation {
    return row === null
      ? { kind: 'delete-dirent', parent: owner, name }
      : { kind: 'put-dirent', row };
  }
}
