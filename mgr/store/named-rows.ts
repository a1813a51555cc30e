/** Rows that belong to a handle and have a name there: entries of a directory, attributes of a file. */
import type { ByteString, Handle } from '../../shared/units.ts';
import { type Entry, TickRows } from './tick-rows.ts';

export interface NamedEntry<Row> extends Entry<Row> {
  readonly owner: Handle;
  readonly name: ByteString;
}

export abstract class NamedRows<Row> extends TickRows<string, Row, NamedEntry<Row>> {
  /** By owner, so that a listing meets only the changes of its own. */
  readonly #changes = new Map<Handle, NamedEntry<Row>[]>();
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
  }

  override forget(): void {
    this.#last = undefined;
    super.forget();
  }

  protected abstract load(owner: Handle, name: ByteString): Row | undefined;

  /** What this tick has changed of one owner. */
  protected changesOf(owner: Handle): readonly NamedEntry<Row>[] {
    return this.#changes.get(owner) ?? [];
  }

  protected override keyOf({ owner, name }: NamedEntry<Row>): string {
    return keyOf(owner, name);
  }

  protected override *changes(): Iterable<NamedEntry<Row>> {
    for (const changes of this.#changes.values()) yield* changes;
  }

  protected override changesBeside({ owner }: NamedEntry<Row>): NamedEntry<Row>[] {
    let changes = this.#changes.get(owner);
    if (changes === undefined) this.#changes.set(owner, (changes = []));
    return changes;
  }

  protected override clearChanges(): void {
    this.#changes.clear();
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
