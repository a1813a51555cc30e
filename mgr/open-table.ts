/**
 * Who has which file open: the index in memory over the durable rows. Changes are told to the iods
 * when they are committed, and taken back when they are not.
 */
import assert from 'node:assert/strict';
import { FsError } from '../shared/errno.ts';
import type { Layout } from '../shared/stripe.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { type OpenEntry, rights } from '../shared/wire/values.ts';
import type { OpenPage, OpenStream } from './cluster-port.ts';
import { inodeOf } from './namespace/path.ts';
import type { Holders } from './ops/holders.ts';
import { SortedNumbers } from './sorted-numbers.ts';
import type { MetaView } from './store/batch.ts';
import type { Inode, OpenRow } from './store/rows.ts';

/** One session's opens of one file. */
interface Holder {
  row: OpenRow;
  /** The file's `cuts` when this session began to write; -1 when that is not known. */
  cuts: number;
}

/** A file that somebody has open. */
interface HeldFile {
  /** `undefined` until it is needed: after a start that would cost a look-up a file. */
  layout: Layout | undefined;
  /** By session. */
  readonly holders: Holder[];
  writers: number;
  /** How often it was truncated while it was open. */
  cuts: number;
}

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

const unknownCuts = -1;

export class OpenTable implements OpenStream, Holders {
  readonly #view: MetaView;
  readonly #files = new Map<Handle, HeldFile>();
  readonly #order = new SortedNumbers<Handle>();
  readonly #bySession = new Map<SessionId, Set<Handle>>();
  #journal: Change[] = [];
  #sequence = 0;
  #size = 0;

  constructor(view: MetaView) {
    this.#view = view;
  }

  /** At the start: the rows as stored. Every number that was ever given is below `sequence` now. */
  load(rows: Iterable<OpenRow>): void {
    for (const row of rows) this.#set(row.handle, row.session, row, unknownCuts);
    this.#sequence = this.#view.nextSequence();
  }

  get sequence(): number {
    return this.#sequence;
  }

  get size(): number {
    return this.#size;
  }

  isHeld(handle: Handle): boolean {
    return this.#files.has(handle);
  }

  /** How many sessions have the file open for writing. */
  writersOf(handle: Handle): number {
    return this.#files.get(handle)?.writers ?? 0;
  }

  holdersOf(handle: Handle): number {
    return this.#files.get(handle)?.holders.length ?? 0;
  }

  isWriter(session: SessionId, handle: Handle): boolean {
    return (this.find(handle, session)?.writers ?? 0) > 0;
  }

  find(handle: Handle, session: SessionId): OpenRow | undefined {
    return this.#holder(handle, session)?.row;
  }

  /** How many files the session has open. */
  countOf(session: SessionId): number {
    return this.#bySession.get(session)?.size ?? 0;
  }

  /** The files that the session has open; the table must not change while they are taken. */
  filesOf(session: SessionId): Iterable<Handle> {
    return this.#bySession.get(session) ?? [];
  }

  /**
   * Whether the session knows how long its writes have made the file: not when it was truncated
   * meanwhile, nor after a restart of the mgr. Then the iods are asked.
   */
  mayReportSize(handle: Handle, session: SessionId): boolean {
    const file = this.#files.get(handle);
    const holder = this.#holder(handle, session);
    return file !== undefined && holder?.cuts === file.cuts;
  }

  /** The file was truncated: what its writers know of its size is void. */
  cut(handle: Handle): void {
    const file = this.#files.get(handle);
    if (file !== undefined) file.cuts++;
  }

  /** One more open by a session. */
  open(inode: Inode, session: SessionId, wanted: number): OpenRow {
    const { handle, layout } = inode;
    assert(layout !== undefined, 'only files are opened');
    const before = this.find(handle, session);
    const readers = (before?.readers ?? 0) + (wanted & rights.read ? 1 : 0);
    const writers = (before?.writers ?? 0) + (wanted & rights.write ? 1 : 0);
    return this.#change(before, { handle, session, readers, writers }, layout);
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
    this.#change(before, { handle, session, readers, writers }, this.#layoutOf(handle));
  }

  /** All opens of a session on a file, if it has any. */
  drop(handle: Handle, session: SessionId): void {
    const before = this.find(handle, session);
    if (before === undefined) return;
    this.#change(before, { handle, session, readers: 0, writers: 0 }, this.#layoutOf(handle));
  }

  page(iod: number, afterHandle: Handle, afterSession: SessionId, count: number): OpenPage {
    const entries: OpenEntry[] = [];
    for (const handle of this.#order.from(afterHandle)) {
      if (!covers(this.#layoutOf(handle), iod)) continue;
      for (const { row } of this.#files.get(handle)?.holders ?? []) {
        if (handle === afterHandle && row.session <= afterSession) continue;
        if (entries.length === count) return { entries, done: false };
        entries.push(entryOf(row));
      }
    }
    return { entries, done: true };
  }

  mark(): OpenMark {
    return this.#journal.length as OpenMark;
  }

  /** Takes back all changes since `mark`; the mutations that belong to them are the view's. */
  undo(mark: OpenMark): void {
    for (const { handle, session, before } of this.#journal.splice(mark).toReversed()) {
      this.#set(handle, session, before, unknownCuts);
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

  #change(before: OpenRow | undefined, next: Omit<OpenRow, 'sequence'>, layout: Layout): OpenRow {
    const { handle, session } = next;
    const isNews = before === undefined || rightsOf(before) !== rightsOf(next);
    if (isNews) this.#sequence = this.#view.nextSequence();
    const row = { ...next, sequence: isNews ? this.#sequence : before.sequence };
    const isGone = rightsOf(row) === 0;
    const entry = isNews ? entryOf(row) : undefined;
    this.#journal.push({ handle, session, before, entry, layout });
    if (isGone) {
      this.#view.add({ kind: 'delete-open', handle, session });
      this.#set(handle, session, undefined, unknownCuts);
    } else {
      this.#view.add({ kind: 'put-open', row });
      const file = this.#set(handle, session, row, this.#cutsFor(before, handle, session));
      file.layout = layout;
    }
    return row;
  }

  /** Whoever writes already goes on from when it began. */
  #cutsFor(before: OpenRow | undefined, handle: Handle, session: SessionId): number {
    const isWriter = before !== undefined && before.writers > 0;
    if (isWriter) return this.#holder(handle, session)?.cuts ?? unknownCuts;
    return this.#files.get(handle)?.cuts ?? 0;
  }

  #set(handle: Handle, session: SessionId, row: OpenRow | undefined, cuts: number): HeldFile {
    const file = this.#fileAt(handle);
    const { holders } = file;
    const place = placeOf(holders, session);
    const holder = holders[place];
    if (holder?.row.session !== session) {
      if (row !== undefined) {
        holders.splice(place, 0, { row, cuts });
        this.#filesAt(session).add(handle);
        file.writers += row.writers > 0 ? 1 : 0;
        this.#size++;
      }
    } else {
      file.writers -= holder.row.writers > 0 ? 1 : 0;
      if (row === undefined) {
        holders.splice(place, 1);
        this.#forgetFile(handle, session);
        this.#size--;
      } else {
        file.writers += row.writers > 0 ? 1 : 0;
        holder.row = row;
        holder.cuts = cuts;
      }
    }
    if (holders.length === 0) {
      this.#files.delete(handle);
      this.#order.delete(handle);
    }
    return file;
  }

  #fileAt(handle: Handle): HeldFile {
    let file = this.#files.get(handle);
    if (file === undefined) {
      file = { layout: undefined, holders: [], writers: 0, cuts: 0 };
      this.#files.set(handle, file);
      this.#order.add(handle);
    }
    return file;
  }

  #filesAt(session: SessionId): Set<Handle> {
    let files = this.#bySession.get(session);
    if (files === undefined) this.#bySession.set(session, (files = new Set()));
    return files;
  }

  #forgetFile(handle: Handle, session: SessionId): void {
    const files = this.#bySession.get(session);
    files?.delete(handle);
    if (files?.size === 0) this.#bySession.delete(session);
  }

  #holder(handle: Handle, session: SessionId): Holder | undefined {
    const holders = this.#files.get(handle)?.holders;
    if (holders === undefined) return undefined;
    const holder = holders[placeOf(holders, session)];
    return holder?.row.session === session ? holder : undefined;
  }

  #layoutOf(handle: Handle): Layout {
    const file = this.#files.get(handle);
    const layout = file?.layout ?? inodeOf(this.#view, handle).layout;
    assert(layout !== undefined, 'only files are open');
    if (file !== undefined) file.layout = layout;
    return layout;
  }
}

function rightsOf({ readers, writers }: Pick<OpenRow, 'readers' | 'writers'>): number {
  return (readers > 0 ? rights.read : 0) | (writers > 0 ? rights.write : 0);
}

function entryOf(row: OpenRow): OpenEntry {
  const { handle, session, sequence } = row;
  return { handle, session, rights: rightsOf(row), sequence };
}

/** Whether a file of this layout has bytes on the iod. */
function covers({ base, pcount, total }: Layout, iod: number): boolean {
  return iod < total && (iod - base + total) % total < pcount;
}

/** Where the session is among the holders, or would have to be. */
function placeOf(holders: readonly Holder[], session: SessionId): number {
  let [low, high] = [0, holders.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((holders[middle] as Holder).row.session < session) low = middle + 1;
    else high = middle;
  }
  return low;
}
