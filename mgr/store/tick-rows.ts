/**
 * Rows of one table as the running tick sees them: read through a bounded memory, changed in it,
 * and taken back step by step. What an entry holds is always the newest; `changed` tells that the
 * store does not have it yet.
 */
import type { Handle } from '../../shared/units.ts';
import { RecentMap } from './recent-map.ts';
import type { Mutation } from './rows.ts';

export interface Entry<Row> {
  /** `null`: known not to exist. */
  row: Row | null;
  changed: boolean;
}

interface Step<Row, E> {
  readonly entry: E;
  /** `undefined`: not known, the store was not asked. */
  readonly before: Row | null | undefined;
  readonly wasChanged: boolean;
}

export interface Outcome<Row, E> {
  readonly entry: E;
  /** At the begin of the tick; `undefined`: not known. */
  readonly before: Row | null | undefined;
  readonly after: Row | null;
}

export abstract class TickRows<Key, Row, E extends Entry<Row>> {
  protected readonly recent: RecentMap<Key, E>;
  /** In the order of their first change in this tick. */
  protected changes: E[] = [];
  #journal: Step<Row, E>[] = [];

  constructor(entriesMax: number) {
    this.recent = new RecentMap(entriesMax);
  }

  /** How many rows the store does not have yet. */
  get changeCount(): number {
    return this.changes.length;
  }

  /** A point in the changes of this tick, for `undo`. */
  mark(): number {
    return this.#journal.length;
  }

  /** Whose rows have changed since `mark`. */
  *changedSince(mark: number): Iterable<Handle> {
    for (let at = mark; at < this.#journal.length; at++) {
      yield this.ownerOf((this.#journal[at] as Step<Row, E>).entry);
    }
  }

  /** What rows that have changed since `mark` were before. */
  *replacedSince(mark: number): Iterable<Row> {
    for (let at = mark; at < this.#journal.length; at++) {
      const { before } = this.#journal[at] as Step<Row, E>;
      if (before != null) yield before;
    }
  }

  /** What this tick has changed, each row once. */
  *outcomes(): Iterable<Outcome<Row, E>> {
    for (const { entry, before, wasChanged } of this.#journal) {
      if (!wasChanged) yield { entry, before, after: entry.row };
    }
  }

  undo(mark: number): void {
    while (this.#journal.length > mark) {
      const { entry, before, wasChanged } = this.#journal.pop() as Step<Row, E>;
      if (!wasChanged) {
        entry.changed = false;
        this.changes.pop();
      }
      if (before === undefined) this.recent.delete(this.keyOf(entry));
      else entry.row = before;
    }
  }

  /** The changes are in the store. */
  settle(): void {
    for (const entry of this.changes) entry.changed = false;
    this.changes = [];
    this.#journal = [];
  }

  /** The changes are lost: only the store knows what is true. */
  forget(): void {
    this.recent.clear();
    this.changes = [];
    this.#journal = [];
  }

  appendTo(mutations: Mutation[]): void {
    for (const entry of this.changes) mutations.push(this.toMutation(entry));
  }

  /** @param before what `entry` stood for so far; undefined when nobody has asked the store */
  protected change(entry: E, before: Row | null | undefined, row: Row | null): void {
    const wasChanged = entry.changed;
    this.#journal.push({ entry, before, wasChanged });
    entry.row = row;
    if (wasChanged) return;
    entry.changed = true;
    this.changes.push(entry);
  }

  protected abstract ownerOf(entry: E): Handle;
  protected abstract keyOf(entry: E): Key;
  protected abstract toMutation(entry: E): Mutation;
}
