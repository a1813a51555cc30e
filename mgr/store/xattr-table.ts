import type { ByteString, Handle } from '../../shared/units.ts';
import type { MetaStore } from './meta-store.ts';
import { type NamedEntry, NamedRows } from './named-rows.ts';
import type { Mutation } from './rows.ts';

/** Extended attributes are large and rarely asked for twice: few are remembered. */
const entriesMax = 64;

export class XattrTable extends NamedRows<Uint8Array> {
  readonly #store: MetaStore;

  constructor(store: MetaStore) {
    super(entriesMax);
    this.#store = store;
  }

  names(handle: Handle): readonly ByteString[] {
    const stored = this.#store.xattrNames(handle);
    const changes = this.changesOf(handle);
    if (changes.length === 0) return stored;
    const names = new Set(stored);
    for (const { name, row } of changes) {
      if (row === null) names.delete(name);
      else names.add(name);
    }
    return [...names];
  }

  protected override load(handle: Handle, name: ByteString): Uint8Array | undefined {
    return this.#store.xattr(handle, name);
  }

  protected override toMutation({ owner, name, row }: NamedEntry<Uint8Array>): Mutation {
    return row === null
      ? { kind: 'delete-xattr', handle: owner, name }
      : { kind: 'put-xattr', handle: owner, name, value: row };
  }
}
