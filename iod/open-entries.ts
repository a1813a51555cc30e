/**
 * (handle, session) -> rights and sequence, a million of them in 52 MB: columns of numbers under
 * one hash, probed in a row, without an object for each entry. Pure.
 */
import assert from 'node:assert/strict';
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
  #columns = makeColumns(capacityMin);
  #mask = capacityMin - 1;
  #size = 0;

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

  set(entry: OpenEntry): void {
    assert(entry.handle > 0, 'handles begin at 1');
    if ((this.#size + 1) * 4 > (this.#mask + 1) * 3) this.#resize((this.#mask + 1) * 2);
    const at = this.#find(entry.handle, entry.session);
    if (this.#columns.handles[at] === 0) this.#size++;
    this.#put(at, entry);
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
    let at = hash(handle, session) & this.#mask;
    while (handles[at] !== 0 && (handles[at] !== handle || sessions[at] !== session)) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  #put(at: number, { handle, session, rights, sequence }: OpenEntry): void {
    const columns = this.#columns;
    columns.handles[at] = handle;
    columns.sessions[at] = session;
    columns.rights[at] = rights;
    columns.sequences[at] = sequence;
  }

  /** Moves back what was put behind the free place only because that was taken. */
  #closeGap(gap: number): void {
    const { handles, sessions } = this.#columns;
    let free = gap;
    for (let at = (gap + 1) & this.#mask; handles[at] !== 0; at = (at + 1) & this.#mask) {
      const home = hash(handles[at] ?? 0, sessions[at] ?? 0) & this.#mask;
      if (((at - home) & this.#mask) < ((at - free) & this.#mask)) continue;
      this.#put(free, entryAt(this.#columns, at));
      free = at;
    }
    handles[free] = 0;
  }

  #resize(capacity: number): void {
    const old = this.#columns;
    this.#columns = makeColumns(capacity);
    this.#mask = capacity - 1;
    for (let at = 0; at < old.handles.length; at++) {
      if (old.handles[at] === 0) continue;
      const entry = entryAt(old, at);
      this.#put(this.#find(entry.handle, entry.session), entry);
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

function entryAt({ handles, sessions, sequences, rights }: Columns, at: number): OpenEntry {
  return {
    handle: (handles[at] ?? 0) as Handle,
    session: (sessions[at] ?? 0) as SessionId,
    rights: rights[at] ?? 0,
    sequence: sequences[at] ?? 0,
  };
}

/** Handles and sessions count upward: their low bits must reach all bits of the hash. */
function hash(handle: number, session: number): number {
  let mixed = Math.imul(handle | 0, 0x9e37_79b1) ^ Math.imul(session | 0, 0x85eb_ca77);
  mixed ^= Math.imul((handle / 0x1_0000_0000) | 0, 0xc2b2_ae3d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
