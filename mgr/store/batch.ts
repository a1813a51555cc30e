/**
 * What the rules read and change: the store as the running tick has changed it so far. All changes
 * of a tick reach the store in one commit (group commit); until then only this view knows them.
 */
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import {
  type ByteString,
  compareTimestamps,
  type Handle,
  rootHandle,
  type SessionId,
} from '../../shared/units.ts';
import { ContentTable } from './content-table.ts';
import { Counter } from './counters.ts';
import { DirentTable } from './dirent-table.ts';
import { InodeTable } from './inode-table.ts';
import type { CommitWait, MetaStore } from './meta-store.ts';
import type { DirentRow, Inode, Mutation } from './rows.ts';
import { counterKeys, syncedKey } from './setting-keys.ts';
import { XattrTable } from './xattr-table.ts';

/** Changes of what the view does not read: they reach the store in the order of their making. */
export type OtherMutation = Exclude<
  Mutation,
  { kind: `${'put' | 'delete'}-${'inode' | 'dirent' | 'xattr' | 'contents'}` }
>;

/** A point in the changes of this tick, for `undo`. Valid until the next commit. */
export interface Mark {
  readonly inodes: number;
  readonly dirents: number;
  readonly xattrs: number;
  readonly contents: number;
  readonly others: number;
}

/** What changes have touched. */
export interface Touched {
  readonly inodes: ReadonlySet<Handle>;
  /** In which names have changed. */
  readonly directories: ReadonlySet<Handle>;
}

/** What a commit has changed. */
export interface Committed {
  readonly names: readonly {
    readonly parent: Handle;
    readonly name: ByteString;
    /** What it led to, and what it leads to now. */
    readonly before: Handle | undefined;
    readonly after: Handle | undefined;
  }[];
  /** Whose content or attributes are not what they were. */
  readonly inodes: ReadonlySet<Handle>;
}

/** Throws when what is stored is not all that there is. */
export interface Guard {
  /** What is here of it the session itself knows better. */
  readonly isLentTo: (session: SessionId, handle: Handle) => boolean;
  /** An inode is about to be read. */
  readonly read: (handle: Handle) => void;
  /** All of these are. */
  readonly readAll: (handles: readonly Handle[]) => void;
  /** Nobody is to make anything by himself. */
  readonly makers: () => void;
}

export interface CommitObserver {
  /** False: nobody would hear of it. */
  readonly isNeeded: boolean;
  committed(changes: Committed): void;
}

export class MetaView {
  readonly #store: MetaStore;
  readonly #inodes: InodeTable;
  readonly #dirents: DirentTable;
  readonly #xattrs: XattrTable;
  readonly #contents: ContentTable;
  #others: OtherMutation[] = [];
  /** Apart from the changes, because a number that was taken stays taken when its taker fails. */
  #reservations: Mutation[] = [];
  #observer: CommitObserver | undefined;
  #guard: Guard | undefined;
  #needsDisk = false;
  /** Commits that were made only to be durable. */
  #syncs = 0;
  readonly #handles: Counter;
  readonly #cookies: Counter;
  readonly #sessions: Counter;
  readonly #sequence: Counter;

  constructor(
    store: MetaStore,
    inodesMax: number = limits.inodeCacheEntriesMax,
    direntsMax: number = limits.direntCacheEntriesMax,
  ) {
    this.#store = store;
    this.#inodes = new InodeTable(store, inodesMax);
    this.#dirents = new DirentTable(store, direntsMax);
    this.#xattrs = new XattrTable(store);
    this.#contents = new ContentTable(store);
    this.#handles = new Counter(store, counterKeys.handle, rootHandle + 1);
    this.#cookies = new Counter(store, counterKeys.cookie, 1);
    this.#sessions = new Counter(store, counterKeys.session, 1);
    this.#sequence = new Counter(store, counterKeys.sequence, 1);
  }

  /** For whoever makes something new. @throws FsError ENOSPC, WEFT_E_DISK */
  requireRoom(): void {
    if (this.#store.hasRoom) return;
    throw new FsError('ENOSPC', {
      id: 'WEFT_E_DISK',
      what: "the mgr's disk is full: what is there can be opened, closed and removed, no more",
    });
  }

  /** @throws as the guard */
  inode(handle: Handle): Inode | undefined {
    this.#guard?.read(handle);
    return this.#inodes.get(handle);
  }

  /** All of these are about to be read: whoever has to wait for some waits once. @throws as the guard */
  requireHere(handles: readonly Handle[]): void {
    this.#guard?.readAll(handles);
  }

  /** As it is here, lent or not: where it belongs, and its defaults, only the mgr changes. */
  stored(handle: Handle): Inode | undefined {
    return this.#inodes.get(handle);
  }

  /** An inode with a handle that was just allocated. */
  addInode(row: Inode): void {
    this.#needsDisk = true;
    this.#inodes.add(row);
  }

  putInode(row: Inode): void {
    this.#needsDisk = true;
    this.#inodes.set(row.handle, row);
  }

  /** Its extended attributes go too. */
  deleteInode(handle: Handle): void {
    this.#needsDisk = true;
    this.#inodes.set(handle, null);
  }

  dirent(parent: Handle, name: ByteString): DirentRow | undefined {
    return this.#dirents.get(parent, name);
  }

  /** At most `count` entries with a cookie above `after`, by cookie. */
  dirents(parent: Handle, after: number, count: number): readonly DirentRow[] {
    return this.#dirents.page(parent, after, count);
  }

  putDirent(row: DirentRow): void {
    this.#needsDisk = true;
    this.#dirents.set(row.parent, row.name, row);
  }

  deleteDirent(parent: Handle, name: ByteString): void {
    this.#needsDisk = true;
    this.#dirents.set(parent, name, null);
  }

  xattr(handle: Handle, name: ByteString): Uint8Array | undefined {
    return this.#xattrs.get(handle, name);
  }

  xattrNames(handle: Handle): readonly ByteString[] {
    return this.#xattrs.names(handle);
  }

  putXattr(handle: Handle, name: ByteString, value: Uint8Array): void {
    this.#needsDisk = true;
    this.#xattrs.set(handle, name, value);
  }

  deleteXattr(handle: Handle, name: ByteString): void {
    this.#needsDisk = true;
    this.#xattrs.set(handle, name, null);
  }

  /** All bytes of a file that has them here. The caller changes none of them. */
  contents(handle: Handle): Uint8Array {
    return this.#contents.get(handle) ?? noBytes;
  }

  /** They are the view's from now on. Without any there is no row. */
  putContents(handle: Handle, bytes: Uint8Array): void {
    this.#needsDisk = true;
    this.#contents.set(handle, bytes.length === 0 ? null : bytes);
  }

  deleteContents(handle: Handle): void {
    this.#needsDisk = true;
    this.#contents.set(handle, null);
  }

  /** Sessions, opens, replies, pending work, members, settings: the caller keeps what it reads. */
  add(mutation: OtherMutation): void {
    // A reply is as durable as that of which it tells.
    if (mutation.kind !== 'put-reply') this.#needsDisk = true;
    this.#others.push(mutation);
  }

  /**
   * What `change` does is committed with the tick as all else, but nobody waits until it is on the
   * disk: it outlives this process, and its host from the next commit on that waits.
   */
  relaxed<T>(change: () => T): T {
    const before = this.#needsDisk;
    try {
      return change();
    } finally {
      this.#needsDisk = before;
    }
  }

  /** The commit of this tick waits for the disk: all that was committed before it is durable then. */
  requireDisk(): void {
    this.#needsDisk = true;
  }

  /** Committed changes may still be lost with the host. */
  get isBehind(): boolean {
    return this.#store.isBehind;
  }

  allocateHandle(): Handle {
    return this.#take(this.#handles) as Handle;
  }

  /** For somebody who will make something by himself. @returns the first of `handlesPerTake` */
  allocateHandles(): Handle {
    if (this.#handles.low) this.#reserve(this.#handles);
    return this.#handles.takeSome(limits.handlesPerTake) as Handle;
  }

  /** Somebody was given this handle, and has made nothing of it. */
  isHandleFree(handle: Handle): boolean {
    const isGiven = handle > rootHandle && this.#handles.hasGiven(handle);
    return isGiven && this.#inodes.get(handle) === undefined;
  }

  nextCookie(): number {
    return this.#take(this.#cookies);
  }

  allocateSession(): SessionId {
    return this.#take(this.#sessions) as SessionId;
  }

  /**
   * The next number of the stream of opens. It may leave before the commit of its tick: half a
   * block (`limits.counterBlock`) is reserved ahead, and `reserveCounters` makes the first one.
   */
  nextSequence(): number {
    return this.#take(this.#sequence);
  }

  /** At the start, before the commit that stores the generation. */
  reserveCounters(): void {
    for (const counter of [this.#handles, this.#cookies, this.#sessions, this.#sequence]) {
      this.#reserve(counter);
    }
  }

  mark(): Mark {
    return {
      inodes: this.#inodes.mark(),
      dirents: this.#dirents.mark(),
      xattrs: this.#xattrs.mark(),
      contents: this.#contents.mark(),
      others: this.#others.length,
    };
  }

  touched(mark: Mark): Touched {
    return {
      inodes: new Set(this.#inodes.changedSince(mark.inodes)),
      directories: new Set(this.#dirents.changedSince(mark.dirents)),
    };
  }

  /** What the inodes that have changed since `mark` were before. */
  replaced(mark: Mark): Iterable<Inode> {
    return this.#inodes.replacedSince(mark.inodes);
  }

  /** Takes back all changes since `mark`: an operation that failed leaves nothing. */
  undo(mark: Mark): void {
    this.#inodes.undo(mark.inodes);
    this.#dirents.undo(mark.dirents);
    this.#xattrs.undo(mark.xattrs);
    this.#contents.undo(mark.contents);
    this.#others.length = mark.others;
  }

  /** True when the next commit has something to do. */
  get hasWork(): boolean {
    return this.changeCount > 0 || (this.#needsDisk && this.isBehind);
  }

  /** Changes since the last commit, about: one batch should not keep the others waiting. */
  get changeCount(): number {
    const tables =
      this.#inodes.changeCount + this.#dirents.changeCount + this.#contents.changeCount;
    return tables + this.#others.length;
  }

  /**
   * Commits all changes of the tick, durably unless all of them are `relaxed`. When it fails none of
   * them has happened, for the store and for this view: whoever waits for them is told the error.
   * @throws FsError as `MetaStore.commit`
   */
  commit(generation: number): void {
    const changes = this.#observer?.isNeeded === true ? this.#changes() : undefined;
    try {
      const mutations = this.#mutations(generation);
      if (mutations.length > 0) this.#store.commit(mutations, generation, this.#waits);
    } catch (error) {
      this.#discard();
      throw error;
    }
    for (const table of this.#tables) table.settle();
    this.#startBatch();
    if (changes !== undefined) this.#observer?.committed(changes);
  }

  guardWith(guard: Guard): void {
    this.#guard = guard;
  }

  isLentTo(session: SessionId, handle: Handle): boolean {
    return this.#guard?.isLentTo(session, handle) === true;
  }

  /** What is made below a directory may get other defaults from now on. @throws as the guard */
  requireNothingMadeBelow(): void {
    this.#guard?.makers();
  }

  /** Hears of every commit from now on, when it is made. */
  observeWith(observer: CommitObserver): void {
    this.#observer = observer;
  }

  get #tables() {
    return [this.#inodes, this.#dirents, this.#xattrs, this.#contents];
  }

  #changes(): Committed {
    const names = Array.from(this.#dirents.outcomes(), ({ entry, before, after }) => {
      const { owner: parent, name } = entry;
      return { parent, name, before: before?.handle, after: after?.handle };
    });
    const inodes = new Set<Handle>();
    for (const { entry, before, after } of this.#inodes.outcomes()) {
      if (before && after && differs(before, after)) inodes.add(entry.handle);
    }
    for (const { entry } of this.#xattrs.outcomes()) inodes.add(entry.owner);
    return { names: names.filter(({ before, after }) => before !== after), inodes };
  }

  /** A number of a counter may be used as soon as its reservation cannot be lost. */
  get #waits(): CommitWait {
    return this.#needsDisk || this.#reservations.length > 0 ? 'disk' : 'nothing';
  }

  #mutations(generation: number): Mutation[] {
    const mutations: Mutation[] = [];
    // Before the inodes: one that goes takes its attributes along, those set in this tick too.
    this.#xattrs.appendTo(mutations);
    this.#inodes.appendTo(mutations);
    this.#dirents.appendTo(mutations);
    this.#contents.appendTo(mutations);
    const all = mutations.concat(this.#others, this.#reservations);
    if (all.length > 0 || !this.hasWork) return all;
    // Nothing is synced by a commit that changes nothing, also not by one that writes what is there.
    const row = { key: syncedKey, value: `${generation}.${++this.#syncs}` };
    return [{ kind: 'put-setting', row }];
  }

  #discard(): void {
    for (const table of this.#tables) table.forget();
    for (const counter of [this.#handles, this.#cookies, this.#sessions, this.#sequence]) {
      counter.forget();
    }
    this.#startBatch();
  }

  #startBatch(): void {
    this.#others = [];
    this.#reservations = [];
    this.#needsDisk = false;
  }

  #take(counter: Counter): number {
    if (counter.low) this.#reserve(counter);
    return counter.take();
  }

  #reserve(counter: Counter): void {
    this.#reservations.push({ kind: 'put-setting', row: counter.reserve() });
  }
}

const noBytes = Buffer.alloc(0);

/** The times of a directory follow its names, which are told by themselves. */
function differs(before: Inode, after: Inode): boolean {
  const { mode, uid, gid, size, kind, modified, accessed } = before;
  if (mode !== after.mode || uid !== after.uid || gid !== after.gid) return true;
  if (kind === 'directory') return false;
  return (
    size !== after.size ||
    compareTimestamps(modified, after.modified) !== 0 ||
    compareTimestamps(accessed, after.accessed) !== 0
  );
}
