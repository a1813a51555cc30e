/**
 * (handle, session) -> rights and sequence, a million of them in 52 MB: columns of numbers under
 * one hash, probed in a row, without an object for each entry. Pure.
 */
import assert from 'node:assert/strict';
import { hashPair } from '../shared/pair-hash.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { OpenEntry } from '../shared/wire/values.ts';

const capacityMin = 64;

interface Columns {
  /** 0 marks a free place: handles begin at 1. */
  readonly handles: Float64Array;
  readonly sessions: Float64Array;
  readonly sequences: Float64Array;
  readonly rights: Uint8Array;
}

export class OpenEntries {
  #columns: Columns;
  #mask: number;
  #size = 0;

  /** @param room for so many it need not grow */
  constructor(room = 0) {
    let capacity = capacityMin;
    while (room * 4 > capacity * 3) capacity *= 2;
    this.#columns = makeColumns(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  get(handle: Handle, session: SessionId): OpenEntry | undefined {
    const at = this.#find(handle, session);
    return this.#columns.handles[at] === 0 ? undefined : entryAt(this.#columns, at);
  }

  /** 0 when there is no entry. */
  rights(handle: Handle, session: SessionId): number {
    const at = this.#find(handle, session);
    return this.#columns.handles[at] === 0 ? 0 : (this.#columns.rights[at] ?? 0);
  }

  set({ handle, session, rights, sequence }: OpenEntry): void {
    this.put(handle, session, rights, sequence);
  }

  /** As `set`, without an object. */
  put(handle: Handle, session: SessionId, rights: number, sequence: number): void {
    assert(handle > 0, 'handles begin at 1');
    if ((this.#size + 1) * 4 > (this.#mask + 1) * 3) this.#resize((this.#mask + 1) * 2);
    const at = this.#find(handle, session);
    const columns = this.#columns;
    if (columns.handles[at] === 0) this.#size++;
    columns.handles[at] = handle;
    columns.sessions[at] = session;
    columns.rights[at] = rights;
    columns.sequences[at] = sequence;
  }

  delete(handle: Handle, session: SessionId): void {
    const at = this.#find(handle, session);
    if (this.#columns.handles[at] === 0) return;
    this.#size--;
    this.#closeGap(at);
    const capacity = this.#mask + 1;
    if (capacity > capacityMin && this.#size * 8 < capacity) this.#resize(capacity / 2);
  }

  /** In no order. The entries must not change meanwhile. */
  *[Symbol.iterator](): Generator<OpenEntry> {
    for (let at = 0; at <= this.#mask; at++) {
      if (this.#columns.handles[at] !== 0) yield entryAt(this.#columns, at);
    }
  }

  /** All entries, in no order, without making objects of them. */
  forEach(
    visit: (handle: Handle, session: SessionId, rights: number, sequence: number) => void,
  ): void {
    const { handles, sessions, rights, sequences } = this.#columns;
    for (let at = 0; at <= this.#mask; at++) {
      const handle = handles[at] ?? 0;
      if (handle === 0) continue;
      const session = (sessions[at] ?? 0) as SessionId;
      visit(handle as Handle, session, rights[at] ?? 0, sequences[at] ?? 0);
    }
  }

  /** All entries for which `matches` is true, without making objects of the others. */
  select(matches: (session: SessionId, sequence: number) => boolean): OpenEntry[] {
    const { handles, sessions, sequences } = this.#columns;
    const found: OpenEntry[] = [];
    for (let at = 0; at <= this.#mask; at++) {
      if (handles[at] === 0) continue;
      if (matches((sessions[at] ?? 0) as SessionId, sequences[at] ?? 0))
        found.push(entryAt(this.#columns, at));
    }
    return found;
  }

  /** Where the entry is, or the free place where it belongs. */
  #find(handle: number, session: number): number {
    const { handles, sessions } = this.#columns;
    let at = hashPair(handle, session) & this.#mask;
    while (handles[at] !== 0 && (handles[at] !== handle || sessions[at] !== session)) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  /** Moves back what was put behind the free place only because that was taken. */
  #closeGap(gap: number): void {
    const { handles, sessions } = this.#columns;
    let free = gap;
    for (let at = (gap + 1) & this.#mask; handles[at] !== 0; at = (at + 1) & this.#mask) {
      const home = hashPair(handles[at] ?? 0, sessions[at] ?? 0) & this.#mask;
      if (((at - home) & this.#mask) < ((at - free) & this.#mask)) continue;
      copyEntry(this.#columns, at, this.#columns, free);
      free = at;
    }
    handles[free] = 0;
  }

  #resize(capacity: number): void {
    const old = this.#columns;
    this.#columns = makeColumns(capacity);
    this.#mask = capacity - 1;
    for (let at = 0; at < old.handles.length; at++) {
      const handle = old.handles[at] ?? 0;
      if (handle === 0) continue;
      copyEntry(old, at, this.#columns, this.#find(handle, old.sessions[at] ?? 0));
    }
  }
}

function makeColumns(capacity: number): Columns {
  return {
    handles: new Float64Array(capacity),
    sessions: new Float64Array(capacity),
    sequences: new Float64Array(capacity),
    rights: new Uint8Array(capacity),
  };
}

function copyEntry(from: Columns, at: number, into: Columns, place: number): void {
  into.handles[place] = from.handles[at] ?? 0;
  into.sessions[place] = from.sessions[at] ?? 0;
  into.sequences[place] = from.sequences[at] ?? 0;
  into.rights[place] = from.rights[at] ?? 0;
}

function entryAt({ handles, sessions, sequences, rights }: Columns, at: number): OpenEntry {
  return {
    handle: (handles[at] ?? 0) as Handle,
    session: (sessions[at] ?? 0) as SessionId,
    rights: rights[at] ?? 0,
    sequence: sequences[at] ?? 0,
  };
}
