/**
 * The opens in memory: found by file and session, by file in the order of handles, and by session;
 * about 115 bytes each with its file, as columns of numbers. What a session or a file has are
 * lists through these columns, so that neither a file of many sessions nor a session of many files
 * costs more than its own at any step. Pure.
 */
import assert from 'node:assert/strict';
import { type Digest, OpenDigest } from '../shared/open-digest.ts';
import { iodOfColumn, type Layout } from '../shared/stripe.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { rights } from '../shared/wire/values.ts';
import { nowhere, PairPlaces } from './pair-places.ts';
import { PlaceLists } from './place-lists.ts';
import { SortedNumbers } from './sorted-numbers.ts';
import type { OpenRow } from './store/rows.ts';

/** It is not known how often the file had been cut when a session began to write. */
export const unknownCuts = 2 ** 32 - 1;
/** Columns shorter than this are not worth it. */
const repackedMin = 1024;

/** What a session has open; the list of its rows begins at `first`. */
interface Holder {
  first: number;
  count: number;
}

export class OpenRows {
  /** By handle and session. */
  #rows: PairPlaces;
  #row = makeRowColumns(0);
  /** By handle, and 0. */
  #files: PairPlaces;
  #file = makeFileColumns(0);
  #order = new SortedNumbers<Handle>();
  /** Its rows, one list a file; and the same for a session. */
  #byFile = new PlaceLists();
  #bySession = new PlaceLists();
  #sessions = new Map<SessionId, Holder>();
  /** Of all opens of files that have bytes on an iod, by its number. */
  #digests: OpenDigest[] = [];

  /** @param room for so many it need not grow; what growing leaves behind comes back late */
  constructor(room = 0) {
    this.#rows = new PairPlaces(room);
    this.#files = new PairPlaces(room);
    this.#widen();
  }

  get size(): number {
    return this.#rows.size;
  }

  find(handle: Handle, session: SessionId): OpenRow | undefined {
    const at = this.#rows.find(handle, session);
    return at === nowhere ? undefined : this.#rowAt(at);
  }

  /** How often the file was cut when the session began to write, as given; or `undefined`. */
  cutsAtOpen(handle: Handle, session: SessionId): number | undefined {
    const at = this.#rows.find(handle, session);
    return at === nowhere ? undefined : this.#row.cuts[at];
  }

  has(handle: Handle): boolean {
    return this.#files.find(handle, 0) !== nowhere;
  }

  /** How many sessions have the file open. */
  holdersOf(handle: Handle): number {
    return this.#file.holders[this.#files.find(handle, 0)] ?? 0;
  }

  /** How many of them for writing. */
  writersOf(handle: Handle): number {
    return this.#file.writers[this.#files.find(handle, 0)] ?? 0;
  }

  /** How often it was cut since it was opened first; never as often as `unknownCuts` says. */
  cutsOf(handle: Handle): number {
    return this.#file.cuts[this.#files.find(handle, 0)] ?? 0;
  }

  cut(handle: Handle): void {
    const file = this.#files.find(handle, 0);
    if (file !== nowhere) this.#file.cuts[file] = (this.cutsOf(handle) + 1) % unknownCuts;
  }

  layoutOf(handle: Handle): Layout {
    const file = this.#files.find(handle, 0);
    assert(file !== nowhere, 'nobody has the file open');
    return this.#layoutAt(file);
  }

  #layoutAt(file: number): Layout {
    const { bases, pcounts, ssizes, totals } = this.#file;
    return {
      base: bases[file] ?? 0,
      pcount: pcounts[file] ?? 0,
      ssize: ssizes[file] ?? 0,
      total: totals[file] ?? 0,
    };
  }

  /** Whether the file has bytes on the iod. */
  covers(handle: Handle, iod: number): boolean {
    return this.#covers(this.#files.find(handle, 0), iod);
  }

  countOf(session: SessionId): number {
    return this.#sessions.get(session)?.count ?? 0;
  }

  /** The rows must not change while they are taken. */
  *filesOf(session: SessionId): Iterable<Handle> {
    for (const at of this.#bySession.from(this.#sessions.get(session)?.first ?? nowhere)) {
      yield this.#rows.first(at) as Handle;
    }
  }

  /** All files from this handle on, in order. The rows must not change while they are taken. */
  filesFrom(handle: number): Iterable<Handle> {
    return this.#order.from(handle);
  }

  /** Who has the file open, with a number above `after`, in order. */
  rowsOf(handle: Handle, after: SessionId): OpenRow[] {
    const rows: OpenRow[] = [];
    for (const at of this.#placesOf(handle)) {
      if (this.#rows.second(at) > after) rows.push(this.#rowAt(at));
    }
    return rows.toSorted((a, b) => a.session - b.session);
  }

  /** Adds the opens of the file if it has bytes on the iod. @returns how many they are */
  digest(handle: Handle, iod: number, into: OpenDigest): number {
    const file = this.#files.find(handle, 0);
    if (!this.#covers(file, iod)) return 0;
    let at = this.#file.firsts[file] ?? nowhere;
    for (; at !== nowhere; at = this.#byFile.next(at)) this.#addTo(into, at);
    return this.#file.holders[file] ?? 0;
  }

  /** Of all that the iod must know. */
  digestOfAll(iod: number): Digest {
    return this.#digests[iod] ?? new OpenDigest();
  }

  /** @param cuts see `cutsAtOpen` */
  put(
    { handle, session, readers, writers, sequence, since }: OpenRow,
    cuts: number,
    layout: Layout,
  ): void {
    let at = this.#rows.find(handle, session);
    if (at === nowhere) at = this.#add(handle, session, layout);
    else this.#count(at, 'exclude');
    const row = this.#row;
    const file = row.files[at] ?? nowhere;
    const wrote = row.writers[at] === 0 ? 0 : 1;
    this.#file.writers[file] = (this.#file.writers[file] ?? 0) - wrote + (writers > 0 ? 1 : 0);
    row.readers[at] = readers;
    row.writers[at] = writers;
    row.sequences[at] = sequence;
    row.since[at] = since;
    row.cuts[at] = cuts;
    this.#count(at, 'include');
  }

  /** Does nothing when it is not there. */
  delete(handle: Handle, session: SessionId): void {
    const at = this.#rows.find(handle, session);
    if (at === nowhere) return;
    this.#count(at, 'exclude');
    this.#leaveFile(at);
    this.#leaveSession(at, session);
    this.#rows.delete(at);
    const { capacity } = this.#rows;
    if (capacity > repackedMin && this.size * 8 < capacity) this.#repack();
  }

  #add(handle: Handle, session: SessionId, layout: Layout): number {
    const at = this.#rows.add(handle, session);
    this.#widen();
    let file = this.#files.find(handle, 0);
    if (file === nowhere) file = this.#addFile(handle, layout);
    const { firsts, holders } = this.#file;
    firsts[file] = this.#byFile.add(firsts[file] ?? nowhere, at);
    holders[file] = (holders[file] ?? 0) + 1;
    this.#row.files[at] = file;
    this.#row.writers[at] = 0;
    const holder = this.#sessions.get(session) ?? { first: nowhere, count: 0 };
    holder.first = this.#bySession.add(holder.first, at);
    holder.count++;
    this.#sessions.set(session, holder);
    return at;
  }

  #addFile(handle: Handle, { base, pcount, ssize, total }: Layout): number {
    const file = this.#files.add(handle, 0);
    this.#order.add(handle);
    this.#widen();
    const columns = this.#file;
    columns.firsts[file] = nowhere;
    columns.holders[file] = 0;
    columns.writers[file] = 0;
    columns.cuts[file] = 0;
    columns.bases[file] = base;
    columns.pcounts[file] = pcount;
    columns.ssizes[file] = ssize;
    columns.totals[file] = total;
    return file;
  }

  /** In the digests of the iods that its file has bytes on. */
  #count(at: number, change: 'include' | 'exclude'): void {
    const open = new OpenDigest();
    this.#addTo(open, at);
    const layout = this.#layoutAt(this.#row.files[at] ?? nowhere);
    for (let column = 0; column < layout.pcount; column++) {
      const digest = (this.#digests[iodOfColumn(layout, column)] ??= new OpenDigest());
      digest[change](open);
    }
  }

  #addTo(digest: OpenDigest, at: number): void {
    const { readers, writers, sequences } = this.#row;
    const counts = { readers: readers[at] ?? 0, writers: writers[at] ?? 0 };
    const [handle, session] = [this.#rows.first(at), this.#rows.second(at)];
    digest.add(handle, session, rightsOf(counts), sequences[at] ?? 0);
  }

  #leaveFile(at: number): void {
    const file = this.#row.files[at] ?? nowhere;
    const { firsts, holders, writers } = this.#file;
    firsts[file] = this.#byFile.remove(firsts[file] ?? nowhere, at);
    holders[file] = (holders[file] ?? 0) - 1;
    if ((this.#row.writers[at] ?? 0) > 0) writers[file] = (writers[file] ?? 0) - 1;
    if (holders[file] > 0) return;
    this.#order.delete(this.#files.first(file) as Handle);
    this.#files.delete(file);
  }

  #leaveSession(at: number, session: SessionId): void {
    const holder = this.#sessions.get(session);
    assert(holder !== undefined, 'whoever has a file open has some');
    holder.first = this.#bySession.remove(holder.first, at);
    holder.count--;
    if (holder.count === 0) this.#sessions.delete(session);
  }

  /** The columns follow the places. */
  #widen(): void {
    const { capacity } = this.#rows;
    if (this.#row.files.length < capacity) {
      this.#row = widened(this.#row, makeRowColumns(capacity));
      this.#byFile.widen(capacity);
      this.#bySession.widen(capacity);
    }
    if (this.#file.firsts.length < this.#files.capacity) {
      this.#file = widened(this.#file, makeFileColumns(this.#files.capacity));
    }
  }

  /** Most of them are gone: the others take a place of their own size. */
  #repack(): void {
    const packed = new OpenRows(this.size);
    for (const handle of this.#order.from(0)) {
      const layout = this.layoutOf(handle);
      for (const at of this.#placesOf(handle)) {
        packed.put(this.#rowAt(at), this.#row.cuts[at] ?? 0, layout);
      }
      packed.#file.cuts[packed.#files.find(handle, 0)] = this.cutsOf(handle);
    }
    this.#rows = packed.#rows;
    this.#row = packed.#row;
    this.#files = packed.#files;
    this.#file = packed.#file;
    this.#order = packed.#order;
    this.#byFile = packed.#byFile;
    this.#bySession = packed.#bySession;
    this.#sessions = packed.#sessions;
    this.#digests = packed.#digests;
  }

  #covers(file: number, iod: number): boolean {
    const { bases, pcounts, totals } = this.#file;
    const total = totals[file] ?? 0;
    return iod < total && (iod - (bases[file] ?? 0) + total) % total < (pcounts[file] ?? 0);
  }

  #placesOf(handle: Handle): Iterable<number> {
    const file = this.#files.find(handle, 0);
    return this.#byFile.from(this.#file.firsts[file] ?? nowhere);
  }

  #rowAt(at: number): OpenRow {
    return {
      handle: this.#rows.first(at) as Handle,
      session: this.#rows.second(at) as SessionId,
      readers: this.#row.readers[at] ?? 0,
      writers: this.#row.writers[at] ?? 0,
      sequence: this.#row.sequences[at] ?? 0,
      since: this.#row.since[at] ?? 0,
    };
  }
}

/** Bits of `rights`; 0 when nothing is open. */
export function rightsOf({ readers, writers }: Pick<OpenRow, 'readers' | 'writers'>): number {
  return (readers > 0 ? rights.read : 0) | (writers > 0 ? rights.write : 0);
}

function makeRowColumns(capacity: number) {
  return {
    /** Its file's place. */
    files: new Int32Array(capacity),
    readers: new Uint32Array(capacity),
    writers: new Uint32Array(capacity),
    sequences: new Float64Array(capacity),
    since: new Uint32Array(capacity),
    cuts: new Uint32Array(capacity),
  };
}

function makeFileColumns(capacity: number) {
  return {
    /** The list of its rows. */
    firsts: new Int32Array(capacity),
    holders: new Uint32Array(capacity),
    writers: new Uint32Array(capacity),
    cuts: new Uint32Array(capacity),
    bases: new Uint16Array(capacity),
    pcounts: new Uint16Array(capacity),
    ssizes: new Uint32Array(capacity),
    totals: new Uint16Array(capacity),
  };
}

type Columns = Readonly<Record<string, { set(from: ArrayLike<number>): void } & ArrayLike<number>>>;

/** @returns `wide` with what stands in `columns` */
function widened<C extends Columns>(columns: C, wide: C): C {
  for (const name of Object.keys(columns)) wide[name]?.set(columns[name] ?? []);
  return wide;
}
