/**
 * Who has which file open: the index in memory over the durable rows. Changes are told to the iods
 * when they are committed, and taken back when they are not.
 */
import assert from 'node:assert/strict';
import { FsError } from '../shared/errno.ts';
import type { Layout } from '../shared/stripe.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { type OpenEntry, rights } from '../shared/wire/values.ts';
import type { OpenPage, OpenPart, OpenRanges, OpenStream } from './cluster-port.ts';
import { entryOf, pageOf, rangesOf, wholeOf } from './open-pages.ts';
import { OpenRows, rightsOf, unknownCuts } from './open-rows.ts';
import type { Holders } from './ops/holders.ts';
import type { MetaView } from './store/batch.ts';
import type { Inode, OpenRow, StoredOpen } from './store/rows.ts';

/** A change of this tick: what was before, and what the iods are to hear once it is durable. */
interface Change {
  readonly handle: Handle;
  readonly session: SessionId;
  readonly before: OpenRow | undefined;
  readonly entry: OpenEntry | undefined;
  readonly layout: Layout;
}

/** A point in the changes of this tick, for `undo`. */
export type OpenMark = number & { readonly openMark: never };

export class OpenTable implements OpenStream, Holders {
  readonly #view: MetaView;
  #rows = new OpenRows();
  /** Some opens are not known, of files that nobody can tell. */
  isDoubtful = false;
  #journal: Change[] = [];
  #sequence = 0;

  constructor(view: MetaView) {
    this.#view = view;
  }

  /**
   * At the start: the rows as stored. Every number that was ever given is below `sequence` now.
   * @param count how many they are
   */
  load(opens: Iterable<StoredOpen>, count: number): void {
    this.#rows = new OpenRows(count);
    for (const { layout, ...row } of opens) {
      assert(layout !== undefined, 'only files are open');
      this.#rows.put(row, unknownCuts, layout);
    }
    this.#sequence = this.#view.nextSequence();
  }

  get sequence(): number {
    return this.#sequence;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Also while somebody may hold it. */
  isHeld(handle: Handle): boolean {
    return this.isDoubtful || this.#rows.has(handle);
  }

  /** How many sessions have the file open for writing. */
  writersOf(handle: Handle): number {
    return this.#rows.writersOf(handle);
  }

  holdersOf(handle: Handle): number {
    return this.#rows.holdersOf(handle);
  }

  isWriter(session: SessionId, handle: Handle): boolean {
    return (this.find(handle, session)?.writers ?? 0) > 0;
  }

  find(handle: Handle, session: SessionId): OpenRow | undefined {
    return this.#rows.find(handle, session);
  }

  /** Who has the file open, with a number above `after`, in order. */
  opensOf(handle: Handle, after: SessionId): OpenRow[] {
    return this.#rows.rowsOf(handle, after);
  }

  /** The open files from this handle on, in order; the table must not change while they are taken. */
  filesFrom(handle: number): Iterable<Handle> {
    return this.#rows.filesFrom(handle);
  }

  /** How many files the session has open. */
  countOf(session: SessionId): number {
    return this.#rows.countOf(session);
  }

  /** The files that the session has open; the table must not change while they are taken. */
  filesOf(session: SessionId): Iterable<Handle> {
    return this.#rows.filesOf(session);
  }

  /**
   * Whether the session knows how long its writes have made the file: not when it was truncated
   * meanwhile, nor after a restart of the mgr. Then the iods are asked.
   */
  mayReportSize(handle: Handle, session: SessionId): boolean {
    return this.#rows.cutsAtOpen(handle, session) === this.#rows.cutsOf(handle);
  }

  /** The file was truncated: what its writers know of its size is void. */
  cut(handle: Handle): void {
    this.#rows.cut(handle);
  }

  /** One more open by a session. @param now in seconds since 1970 */
  open(inode: Inode, session: SessionId, wanted: number, now: number): OpenRow {
    const { handle, layout } = inode;
    assert(layout !== undefined, 'only files are opened');
    const before = this.find(handle, session);
    const readers = (before?.readers ?? 0) + (wanted & rights.read ? 1 : 0);
    const writers = (before?.writers ?? 0) + (wanted & rights.write ? 1 : 0);
    const since = before?.since ?? now;
    return this.#change(before, { handle, session, readers, writers, since }, layout);
  }

  /** One open less. @throws FsError EBADF when the session has no such open */
  close(handle: Handle, session: SessionId, given: number): void {
    const before = this.find(handle, session);
    const readers = (before?.readers ?? 0) - (given & rights.read ? 1 : 0);
    const writers = (before?.writers ?? 0) - (given & rights.write ? 1 : 0);
    if (before === undefined || readers < 0 || writers < 0 || given === 0) {
      throw new FsError('EBADF', {
        what: `session ${session} does not have file ${handle} open in this way`,
      });
    }
    this.#change(before, { ...before, readers, writers }, this.#rows.layoutOf(handle));
  }

  /** What the session has open of the file gets a number that no iod has heard of yet. */
  renumber(handle: Handle, session: SessionId): OpenRow | undefined {
    const before = this.find(handle, session);
    return before && this.#change(before, before, this.#rows.layoutOf(handle), true);
  }

  /** All opens of a session on a file, if it has any. */
  drop(handle: Handle, session: SessionId): void {
    const before = this.find(handle, session);
    if (before === undefined) return;
    this.#change(before, { ...before, readers: 0, writers: 0 }, this.#rows.layoutOf(handle));
  }

  page(part: OpenPart, count: number): OpenPage {
    return pageOf(this.#rows, part, count);
  }

  ranges(iod: number, afterHandle: Handle): OpenRanges {
    return rangesOf(this.#rows, iod, afterHandle);
  }

  whole(iod: number): OpenRanges {
    return wholeOf(this.#rows, iod);
  }

  mark(): OpenMark {
    return this.#journal.length as OpenMark;
  }

  /** Takes back all changes since `mark`; the mutations that belong to them are the view's. */
  undo(mark: OpenMark): void {
    for (const { handle, session, before, layout } of this.#journal.splice(mark).toReversed()) {
      if (before === undefined) this.#rows.delete(handle, session);
      else this.#rows.put(before, unknownCuts, layout);
    }
  }

  /** The tick has failed: none of its changes has happened. */
  discard(): void {
    this.undo(0 as OpenMark);
  }

  /** The changes of the tick are durable: `tell` hears of each that concerns the iods. */
  settle(tell: (entry: OpenEntry, layout: Layout) => void): void {
    const changes = this.#journal;
    this.#journal = [];
    for (const { entry, layout } of changes) if (entry !== undefined) tell(entry, layout);
  }

  #change(
    before: OpenRow | undefined,
    next: Omit<OpenRow, 'sequence'>,
    layout: Layout,
    isNews = before === undefined || rightsOf(before) !== rightsOf(next),
  ): OpenRow {
    const { handle, session } = next;
    if (isNews) this.#sequence = this.#view.nextSequence();
    const row = { ...next, sequence: isNews || !before ? this.#sequence : before.sequence };
    const entry = isNews ? entryOf(row) : undefined;
    this.#journal.push({ handle, session, before, entry, layout });
    if (rightsOf(row) === 0) {
      this.#view.add({ kind: 'delete-open', handle, session });
      this.#rows.delete(handle, session);
    } else {
      this.#view.add({ kind: 'put-open', row });
      this.#rows.put(row, this.#cutsFor(before, handle, session), layout);
    }
    return row;
  }

  /** Whoever writes already goes on from when it began. */
  #cutsFor(before: OpenRow | undefined, handle: Handle, session: SessionId): number {
    const isWriter = before !== undefined && before.writers > 0;
    if (isWriter) return this.#rows.cutsAtOpen(handle, session) ?? unknownCuts;
    return this.#rows.cutsOf(handle);
  }
}
