/**
 * Who may use which file here: the mgr's table of opens as far as this iod knows it (DESIGN 5).
 * A new table is built aside from a snapshot and the changes since, and takes the place of the old
 * one at once (DESIGN 4). Pure.
 */
import assert from 'node:assert/strict';
import { limits } from '../shared/limits.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { CapBody, OpenEntry, OpenRange } from '../shared/wire/values.ts';
import { compareOpens, type OpenPart } from './compare-opens.ts';
import { OpenEntries } from './open-entries.ts';

/** What a new table has brought. */
export interface Swapped {
  readonly opens: number;
  /** Opens that were in force here until now, and whose they were, or some of them. */
  readonly closed: number;
  readonly closedOf: ReadonlySet<SessionId>;
}

/** A part of the mgr's stream of changes: all those after `after`, up to `upTo`. */
export interface Changes {
  readonly after: number;
  readonly upTo: number;
  readonly entries: readonly OpenEntry[];
}

/**
 * `stale`: the mgr has taken it back, or never gave it. `resyncing`: nobody can tell before the
 * first table, or the one that is being built, is in place.
 */
export type Admission = 'admitted' | 'stale' | 'resyncing';

export class OpenTable {
  #live = new OpenEntries();
  /** The changes that `#live` knows. Infinity before the first sync: any cap is an old one. */
  #upTo = Infinity;
  #rebuild: Rebuild | undefined;
  /** Opens of before, for nobody's use until the mgr has said which of them are in force. */
  #remembered: OpenEntries | undefined;

  get size(): number {
    return this.#live.size;
  }

  /** What is worth keeping for the next start; `undefined` before the first sync. */
  get entries(): OpenEntries | undefined {
    return this.#upTo === Infinity ? undefined : this.#live;
  }

  /** What a process before this one knew: it spares a part of the next sync if it is still true. */
  remember(entries: OpenEntries): void {
    this.#remembered = entries;
  }

  /** The last change that is in force here; 0 before the first sync. */
  get upTo(): number {
    return this.#upTo === Infinity ? 0 : this.#upTo;
  }

  /** False while what is not in the table may still be an open of the mgr's. */
  get isCurrent(): boolean {
    return this.#upTo !== Infinity && this.#rebuild === undefined;
  }

  /** Bits of `rights`; 0 when the session does not have the file open. */
  rights(handle: Handle, session: SessionId): number {
    return this.#live.rights(handle, session);
  }

  /** Takes a genuine cap: one newer than the table enters it, an older one must be in it. */
  admit({ handle, session, rights, sequence }: CapBody): Admission {
    const known = this.#live.get(handle, session);
    if (sequence > Math.max(this.#upTo, this.#rebuild?.upTo ?? 0)) {
      this.#live.set({
        handle,
        session,
        rights: (known?.rights ?? 0) | rights,
        sequence: Math.max(known?.sequence ?? 0, sequence),
      });
      return 'admitted';
    }
    if (known !== undefined && (known.rights & rights) === rights) return 'admitted';
    return this.isCurrent ? 'stale' : 'resyncing';
  }

  /**
   * Takes changes of the mgr. While a new table is built they go there, and into force here too:
   * what the mgr takes back is gone when this returns.
   * @returns false when something is missing before them: only a new sync can help
   */
  apply(changes: Changes): boolean {
    const { after, upTo, entries } = changes;
    const rebuild = this.#rebuild;
    const known = rebuild?.upTo ?? this.#upTo;
    if (rebuild === undefined) {
      if (after > known) return false;
      this.#upTo = Math.max(known, upTo);
    } else if (!rebuild.apply(changes)) {
      return false;
    }
    for (const entry of entries) {
      // It has come before; what it says may have been taken back since.
      if (entry.sequence <= known) continue;
      this.#enter(entry);
    }
    return true;
  }

  /** The session is over. */
  drop(session: SessionId): void {
    for (const { handle } of this.#live.select((one) => one === session)) {
      this.#live.delete(handle, session);
    }
  }

  /** Begins a new table; one that was being built is thrown away. */
  rebuild(): Rebuild {
    this.#rebuild = new Rebuild(this.#known(), this.#remembered !== undefined);
    return this.#rebuild;
  }

  /** The new table comes to nothing, unless it is in place already. */
  abandon(rebuild: Rebuild): void {
    if (this.#rebuild !== rebuild) return;
    this.#rebuild = undefined;
    // What it has learned need not be told again, if it is still true then.
    if (rebuild.size > this.#known().size) this.#remembered = rebuild.entries;
  }

  /** The new table takes the place of the old one. */
  swap(rebuild: Rebuild): Swapped {
    assert(this.#rebuild === rebuild, 'a table that was thrown away');
    const before = this.#live;
    const { upTo } = rebuild;
    // Caps so new that their opens have not come yet have been admitted meanwhile.
    const newer = this.#live.select((_, sequence) => sequence > upTo);
    this.#live = rebuild.finish(newer);
    this.#upTo = upTo;
    this.#rebuild = undefined;
    this.#remembered = undefined;
    return { opens: this.#live.size, ...this.#missing(before) };
  }

  /** What may be true at the mgr too; it has to say so. */
  #known(): OpenEntries {
    return this.#remembered ?? this.#live;
  }

  #missing(before: OpenEntries): Omit<Swapped, 'opens'> {
    let closed = 0;
    const closedOf = new Set<SessionId>();
    for (const { handle, session } of before) {
      if (this.#live.rights(handle, session) > 0) continue;
      closed++;
      if (closedOf.size < limits.recoveryNamesMax) closedOf.add(session);
    }
    return { closed, closedOf };
  }

  #enter(entry: OpenEntry): void {
    const { handle, session, rights, sequence } = entry;
    if (sequence < (this.#live.get(handle, session)?.sequence ?? 0)) return;
    if (rights === 0) this.#live.delete(handle, session);
    else this.#live.set(entry);
  }
}

/** A table that is being built: the snapshot and the changes since may come in any order. */
export class Rebuild {
  readonly #known: OpenEntries;
  /** Nobody is admitted by what is known. */
  readonly #isUnused: boolean;
  #entries: OpenEntries;
  /**
   * Entries whose last word is that they are closed: kept, lest the snapshot brings them back.
   * `undefined` once it cannot.
   */
  #closed: OpenEntry[] | undefined = [];
  /** Where the stream of changes began, and how far it has come. */
  #from: number | undefined;
  #upTo = 0;

  /** @param known opens that the mgr may have too */
  constructor(known: OpenEntries, isUnused: boolean) {
    this.#known = known;
    this.#isUnused = isUnused;
    this.#entries = new OpenEntries(known.size);
  }

  get entries(): OpenEntries {
    return this.#entries;
  }

  /** Whether there is anything to compare with the mgr. */
  get knowsSome(): boolean {
    return this.#known.size > 0;
  }

  /** Entries that it keeps, with those that are kept because they are closed. */
  get size(): number {
    return this.#entries.size;
  }

  /** The changes that it knows; 0 while not even their begin is known. */
  get upTo(): number {
    return this.#upTo;
  }

  /** @returns false when changes have come that do not begin at `cut` */
  startAt(cut: number): boolean {
    // They may have come in the same packet as the cut, and so before it.
    this.#begin(cut);
    return this.#from === cut;
  }

  /** @returns false when something is missing before these changes */
  apply({ after, upTo, entries }: Changes): boolean {
    this.#begin(after);
    const known = this.#upTo;
    if (after > known) return false;
    this.#upTo = Math.max(known, upTo);
    if (this.#closed) this.add(entries);
    // What has come before may have been taken back since, and nothing here would know.
    else for (const entry of entries) if (entry.sequence > known) this.#enter(entry);
    return true;
  }

  /**
   * Takes what is known in those ranges that are the same at the mgr, as if a page with them had
   * come when it answered.
   * @param ranges all handles, each range behind the one before
   * @returns the parts that must come as pages
   */
  takeKnown(ranges: readonly OpenRange[]): readonly OpenPart[] {
    const { parts, isAll, isSame } = compareOpens(this.#known, ranges);
    if (isAll && this.#isUnused && this.#entries.size === 0) {
      this.#entries = this.#known;
      return parts;
    }
    this.#known.forEach((handle, session, rights, sequence) => {
      if (rights > 0 && isSame(handle)) this.#addLatest({ handle, session, rights, sequence });
    });
    return parts;
  }

  /** Entries of the snapshot, or of a change: for each file and session the latest one counts. */
  add(entries: readonly OpenEntry[]): void {
    assert(this.#closed, 'the snapshot is complete');
    for (const entry of entries) this.#addLatest(entry);
  }

  /** All of the snapshot has come: from now on it takes no more room than what is open does. */
  complete(): void {
    for (const { handle, session } of this.#closed ?? []) {
      if (this.#entries.rights(handle, session) === 0) this.#entries.delete(handle, session);
    }
    this.#closed = undefined;
  }

  /** For the swap: nothing is added any more. */
  finish(newer: readonly OpenEntry[]): OpenEntries {
    this.complete();
    for (const entry of newer) this.#enter(entry);
    return this.#entries;
  }

  #enter(entry: OpenEntry): void {
    if (entry.rights === 0) this.#entries.delete(entry.handle, entry.session);
    else this.#entries.set(entry);
  }

  #addLatest(entry: OpenEntry): void {
    const known = this.#entries.get(entry.handle, entry.session);
    if (known !== undefined && entry.sequence < known.sequence) return;
    this.#entries.set(entry);
    if (entry.rights === 0) this.#closed?.push(entry);
  }

  #begin(at: number): void {
    if (this.#from !== undefined) return;
    this.#from = at;
    this.#upTo = at;
  }
}
