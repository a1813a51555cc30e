/** Rows that belong to a handle and have a name there: entries of a directory, attributes of a file. */
import type { ByteString, Handle } from '../../shared/units.ts';
import { type Entry, TickRows } from './tick-rows.ts';

export interface NamedEntry<Row> extends Entry<Row> {
  readonly owner: Handle;
  readonly name: ByteString;
}

export abstract class NamedRows<Row> extends TickRows<string, Row, NamedEntry<Row>> {
  /** The first `#indexed` changes of the tick by owner, so that a listing meets only its own. */
  readonly #changesByOwner = new Map<Handle, NamedEntry<Row>[]>();
  #indexed = 0;
  /** What was asked for is often changed next: saves its second look-up. */
  #last: NamedEntry<Row> | undefined;

  get(owner: Handle, name: ByteString): Row | undefined {
    const known = this.#find(owner, name);
    const entry = known ?? this.#remember(owner, name, this.load(owner, name) ?? null);
    return entry.row ?? undefined;
  }

  set(owner: Handle, name: ByteString, row: Row | null): void {
    const known = this.#find(owner, name);
    if (known === undefined) this.change(this.#remember(owner, name, row), undefined, row);
    else this.change(known, known.row, row);
  }

  override undo(mark: number): void {
    this.#last = undefined;
    super.undo(mark);
    if (this.changes.length < this.#indexed) this.#clearIndex();
  }

  override settle(): void {
    super.settle();
    this.#clearIndex();
  }

  override forget(): void {
    this.#last = undefined;
    super.forget();
    this.#clearIndex();
  }

  protected abstract load(owner: Handle, name: ByteString): Row | undefined;

  /** What this tick has changed of one owner. */
  protected changesOf(owner: Handle): readonly NamedEntry<Row>[] {
    for (; this.#indexed < this.changes.length; this.#indexed++) {
      const entry = this.changes[this.#indexed] as NamedEntry<Row>;
      const beside = this.#changesByOwner.get(entry.owner);
      if (beside === undefined) this.#changesByOwner.set(entry.owner, [entry]);
      else beside.push(entry);
    }
    return this.#changesByOwner.get(owner) ?? [];
  }

  protected override ownerOf(entry: NamedEntry<Row>): Handle {
    return entry.owner;
  }

  protected override keyOf({ owner, name }: NamedEntry<Row>): string {
    return keyOf(owner, name);
  }

  #clearIndex(): void {
    this.#changesByOwner.clear();
    this.#indexed = 0;
  }

  #find(owner: Handle, name: ByteString): NamedEntry<Row> | undefined {
    const last = this.#last;
    if (last !== undefined && last.owner === owner && last.name === name) return last;
    return (this.#last = this.recent.get(keyOf(owner, name)));
  }

  #remember(owner: Handle, name: ByteString, row: Row | null): NamedEntry<Row> {
    const entry = { owner, name, row, changed: false };
    this.recent.set(keyOf(owner, name), entry);
    return (this.#last = entry);
  }
}

function keyOf(owner: Handle, name: ByteString): string {
  return `${owner}/${name}`;
}
