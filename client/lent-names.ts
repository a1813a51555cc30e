/**
 * New directories that the mgr has lent to us (decision 21): nobody else looks into them before they were
 * asked back, so names are made in them here, with handles that we were given in advance, and told in one
 * message a moment later. What is in a new file, while it is open, is in lent-files.ts. What was made is
 * told before anybody asks the mgr for it, and before it is said to be durable.
 */
import { type Identity, inherited } from '../shared/inherited.ts';
import { limits } from '../shared/limits.ts';
import type { ByteString, Handle, Timestamp } from '../shared/units.ts';
import { fileOps, nameOps } from '../shared/wire/mgr-ops.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { Attr, InodeKind, Place } from '../shared/wire/values.ts';
import type { Caching, Revoke } from './caching.ts';
import { EarliestTimer } from './earliest-timer.ts';
import type { File } from './file.ts';
import { ending, LentDirectories, LentDirectory, type Unborn } from './lent-directory.ts';
import { HandleBlocks } from './handle-blocks.ts';
import type { Asking } from './askings.ts';
import { changedAttr, type LentChange, type LentFiles } from './lent-files.ts';
import type { MgrSession } from './mgr-session.ts';
import { MgrTime } from './mgr-time.ts';
import type { NameChange } from './name-cache.ts';
import type { OpensUnderRight } from './opens-under-right.ts';
import { namedBy } from './own-changes.ts';
import { UntoldNames } from './untold-names.ts';

export interface LentNamesOptions {
  readonly session: MgrSession;
  readonly caching: Pick<Caching, 'cache' | 'knowledge' | 'ask' | 'answered'>;
  readonly files: LentFiles;
  readonly opens: Pick<OpensUnderRight, 'known'>;
  /** Takes back from whoever was told of them. */
  readonly revoke: Revoke;
}

export interface NewName {
  readonly at: Place;
  readonly kind: Extract<InodeKind, 'file' | 'directory' | 'symlink'>;
  readonly mode: number;
  /** For whom it is made. */
  readonly maker: Identity;
  /** Where a symbolic link leads. */
  readonly target?: ByteString;
}

/** How a file is made that is open from its begin. */
export interface OpenNew {
  /** Bits of `openFlags`. */
  readonly flags: number;
  /** As of `OpenByPlace`. */
  readonly near?: Handle | undefined;
  readonly open: (handle: Handle, room: number) => File;
}

/** What comes with a directory that is lent. */
type Lending = Pick<ReplyOf<typeof nameOps.makeNode>, 'attr' | 'roomAtMgr'>;

export class LentNames {
  readonly #options: LentNamesOptions;
  readonly #directories = new LentDirectories();
  readonly #untold: UntoldNames;
  /** When the mgr has changed names in it for us last. */
  readonly #changedAt = new Map<Handle, number>();
  /** From when on it may be borrowed that was asked back by others. */
  readonly #unsharedAt = new Map<Handle, number>();
  /** When something was done in a borrowed one last. */
  #paidAt = -Infinity;
  /** On their way to be lent. */
  readonly #borrowing = new Set<Handle>();
  readonly #handles: HandleBlocks;
  readonly #timer: EarliestTimer;

  constructor(options: LentNamesOptions) {
    this.#options = options;
    const { session } = options;
    const directories = this.#directories;
    this.#untold = new UntoldNames({
      ...options,
      directories,
      wake: (inMs) => this.#timer.within(inMs),
      full: () => void this.recalled('all'),
    });
    this.#timer = new EarliestTimer(session.runtime.clock, () => this.#look());
    this.#handles = new HandleBlocks(() => {
      const deadline = session.runtime.clock.now() + limits.connectTimeoutMs;
      return session.call(nameOps.takeHandles, {}, { deadline });
    });
    session.onLost((_, error) => {
      this.#handles.clear();
      for (const [, directory] of this.#directories.lent) this.#untold.lose(directory, error);
    });
  }

  /** A directory is being made that may come back lent. */
  ask(): Asking {
    this.#handles.want();
    return this.#options.files.ask();
  }

  /**
   * The answer to `asking` lends a directory, unless that was taken back before it came.
   * @param now by the mgr's clock
   */
  take(asking: Asking, { attr, roomAtMgr }: Lending, now: Timestamp): void {
    const { handle } = attr;
    if (asking.isOver || asking.recalled.has(handle) || this.#directories.find(handle)) return;
    const { caching, session } = this.#options;
    const { clock } = session.runtime;
    this.#enter(new LentDirectory(attr, new MgrTime(clock, now), roomAtMgr, clock.now()));
    if (caching.cache?.isComplete(handle) !== true) void this.#giveBack(handle);
  }

  /**
   * We are changing names of this directory, and have just done so: as long as nobody else cares for it,
   * that can be done here. Called in the packet of the change.
   */
  async borrow(directory: Handle): Promise<void> {
    const { caching, session } = this.#options;
    const question = caching.ask();
    const asking = this.ask();
    const deadline = session.runtime.clock.now() + limits.connectTimeoutMs;
    this.#borrowing.add(directory);
    try {
      const reply = await session.call(fileOps.borrow, { handle: directory }, { deadline });
      caching.answered(question)?.learnChanged(question.moment, reply.attr);
      if (reply.lent) this.take(asking, reply, reply.now);
      const lent = this.#directories.lent.get(directory);
      if (lent !== undefined) lent.isBorrowed = true;
    } finally {
      this.#borrowing.delete(directory);
      this.#options.files.answered(asking);
    }
  }

  /**
   * Who removes a tree, or copies over one, does the same in each directory of it.
   * @returns whether to `borrow` it now, which we are about to change
   */
  wants(directory: Handle): boolean {
    const now = this.#options.session.runtime.clock.now();
    const isSecond = now - (this.#changedAt.get(directory) ?? -Infinity) < limits.lentDirectoryMs;
    const isNext = now - this.#paidAt < limits.lentStreakMs;
    if (this.#changedAt.size >= limits.directoriesWatchedMax) this.#changedAt.clear();
    this.#changedAt.set(directory, now);
    if (now < (this.#unsharedAt.get(directory) ?? -Infinity)) return false;
    // Asked for twice it would be asked back from us, and lent when we do not take it any more.
    if (this.#borrowing.has(directory)) return false;
    return (isSecond || isNext) && this.#options.caching.cache?.isComplete(directory) === true;
  }

  /** @returns what it is; `undefined`: the mgr is to make it */
  make(wish: NewName): Attr | undefined {
    return this.#make(wish)?.attr;
  }

  /** As `make`, of a file that is open. */
  open(wish: Omit<NewName, 'kind'>, open: OpenNew): { file: File; attr: Attr } | undefined {
    const { attr, file } = this.#make({ ...wish, kind: 'file' }, open) ?? {};
    return attr && file && { file, attr };
  }

  /**
   * Takes the name of a file away. @returns undefined: the mgr is to do it; a promise: it may be tried
   *   again then
   */
  remove(at: Place): true | Promise<void> | undefined {
    const directory = this.#usable(at.directory);
    const unborn = directory?.pending.get(at.path);
    // Who has it open would have to be told to the mgr.
    if (directory === undefined || unborn?.isClosed === false) return undefined;
    const going = this.#take(directory, at.path);
    if (going !== true) return going;
    this.#changed(directory, [at.path, undefined]);
    return true;
  }

  /** As `remove`, of a directory that is lent too, and in which there is nothing. */
  removeDirectory(at: Place): true | Promise<void> | undefined {
    const parent = this.#usable(at.directory);
    const { caching } = this.#options;
    const unborn = parent?.pending.get(at.path);
    if (unborn?.isTold === true) return unborn.over;
    const handle = caching.cache?.find(at.directory, at.path);
    const directory = handle == null ? undefined : this.#usable(handle);
    if (parent === undefined || directory === undefined || handle == null) return undefined;
    if (caching.cache?.isEmpty(handle) !== true) return undefined;
    if (unborn !== undefined) {
      const telling = directory.next ?? directory.running;
      if (telling !== undefined) return telling;
      this.#untold.over(unborn);
      this.#untold.forget(directory);
    } else {
      if (parent.removed.size === limits.namesPerSettle) return this.#untold.tell(parent, false);
      this.#untold.remove(parent, at.path, handle);
      if (this.#isUntold(directory)) parent.going.set(at.path, directory);
    }
    this.#directories.gone(handle);
    caching.knowledge.recall(handle);
    this.#changed(parent, [at.path, undefined], -1);
    return true;
  }

  /** As `remove`, of one that was made here, or that replaces a file. @param from, to names in lent directories */
  rename(from: Place, to: Place): true | Promise<void> | undefined {
    const source = this.#usable(from.directory);
    const target = this.#usable(to.directory);
    const unborn = source?.pending.get(from.path);
    if (source === undefined || target === undefined || unborn === undefined) return undefined;
    if (unborn.isTold) return unborn.over;
    const { attr } = unborn;
    if (attr.kind === 'directory' || (source === target && from.path === to.path)) return undefined;
    // There another layout may hold fewer bytes.
    if (to.path.length > limits.nameBytesMax || source.room !== target.room) return undefined;
    const there = this.#options.caching.cache?.find(to.directory, to.path);
    const isUnknown = there === null || target.pending.has(to.path);
    // An open file is told behind what it replaces, which must not be gone before.
    if (!unborn.isClosed && (!isUnknown || target.removed.has(to.path))) return undefined;
    const going = there === null ? true : this.#take(target, to.path);
    if (going !== true) return going;
    source.pending.delete(from.path);
    [unborn.directory, unborn.name] = [target, to.path];
    target.pending.set(to.path, unborn);
    this.#changed(source, [from.path, undefined]);
    this.#changed(target, [to.path, attr.handle]);
    // The time of its change.
    void (this.#options.files.change(attr.handle, {}) ?? this.change(attr.handle, {}));
    return true;
  }

  /** So much was made that some of it must be told first; `undefined`: there is room. */
  get isFull(): Promise<unknown> | undefined {
    if (this.#untold.count < limits.unbornMax) return undefined;
    return this.#untold.tellSome();
  }

  /** As it is now: a lent directory, or what was made in one. @returns undefined: the mgr knows */
  attr(handle: Handle): Attr | undefined {
    const unborn = this.#untold.unborn(handle);
    if (this.#options.caching.cache === undefined) {
      if (unborn !== undefined) void this.#untold.tell(unborn.directory, true);
      return undefined;
    }
    // Of what goes back others may know before we do.
    if (this.#directories.leaving.has(handle) || unborn?.directory.isBack === true)
      return undefined;
    return this.#directories.lent.get(handle)?.attr ?? unborn?.attr;
  }

  /** It was made here, and the mgr does not know it yet. */
  isUnborn(handle: Handle): boolean {
    return this.#untold.unborn(handle) !== undefined;
  }

  /** Where a symbolic link leads that was made here. */
  target(handle: Handle): Buffer | undefined {
    const unborn = this.#untold.unborn(handle);
    return unborn?.attr.kind === 'symlink' ? unborn.content : undefined;
  }

  /** Of a lent directory, or a symbolic link. @returns as it is then; undefined: it is not here */
  change(handle: Handle, change: LentChange): Attr | undefined {
    const unborn = this.#untold.unborn(handle);
    if (unborn?.attr.kind === 'symlink' && !unborn.isTold) {
      const { time } = unborn.directory;
      unborn.attr = changedAttr(unborn.attr, change, time.now(unborn.attr.changed));
      return unborn.attr;
    }
    const directory = this.#usable(handle);
    if (directory === undefined) return undefined;
    const { attr, time } = directory;
    this.#options.caching.knowledge.touch(handle);
    this.#put(directory, changedAttr(attr, change, time.now(attr.changed)));
    return directory.attr;
  }

  /**
   * What the mgr does not know yet of a directory or a file it is told.
   * @returns resolves when it knows, `undefined`: it does. Never rejects
   */
  settle(handle: Handle): Promise<void> | undefined {
    const changed = this.#untold.whereOf(handle);
    const directory = this.#directories.find(handle);
    if (changed === undefined && directory === undefined) return undefined;
    const waits: Promise<void>[] = [];
    if (changed !== undefined) waits.push(this.#untold.tellOf(handle));
    if (directory !== undefined && this.#isUntold(directory))
      waits.push(this.#untold.tell(directory, true));
    return waits.length === 0 ? undefined : Promise.all(waits).then(nothing);
  }

  /**
   * What a question to the mgr names must be known there, and nobody looks into what is lent but by listing
   * it, which is answered with what was told.
   * @returns what must be waited for before it is asked, if anything. Never rejects
   */
  inTheWayOf(request: unknown, isListing = false): Promise<unknown> | undefined {
    if (this.#directories.isEmpty && this.#untold.isEmpty) return undefined;
    const waits = namedBy(request).flatMap((handle) => {
      if (isListing) return this.settle(handle) ?? [];
      const isUnknown = this.#untold.whereOf(handle) !== undefined;
      return [this.#giveBack(handle) ?? [], (isUnknown && this.settle(handle)) || []].flat();
    });
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  /** @returns resolves when the mgr knows of a file that is closed; `undefined`: it is to be told by the file */
  close(file: File): Promise<void> | undefined {
    const unborn = this.#untold.unborn(file.handle);
    if (unborn?.file !== file || unborn.isTold) return undefined;
    unborn.isClosed = true;
    file.closeUnborn(unborn.over);
    return unborn.over;
  }

  /** Somebody else wants to look into them; or the connection over which they were lent is gone. */
  async recalled(handles: readonly Handle[] | 'all'): Promise<void> {
    const isAll = handles === 'all';
    const known = isAll ? [...this.#directories.lent].map(([handle]) => handle) : handles;
    if (!isAll) this.#areShared(handles);
    // What has lost its name here is gone before anybody looks at it.
    const going = known.flatMap(
      (handle) =>
        this.#giveBack(handle) ?? (this.#untold.whereOf(handle) && this.settle(handle)) ?? [],
    );
    if (!isAll) await Promise.all(going);
  }

  /** All that is being told. */
  owed(): Promise<unknown> | undefined {
    return this.#untold.owed();
  }

  // ------------------------------------------------------------- inner parts

  #make({ at, kind, mode, maker, target }: NewName, open?: OpenNew): Unborn | undefined {
    const { directory: parent, path: name } = at;
    const directory = this.#usable(parent);
    const { caching, files, session } = this.#options;
    if (directory === undefined || caching.cache?.find(parent, name) !== null) return undefined;
    if (name.length > limits.nameBytesMax) return undefined;
    if (kind === 'file' && directory.room === 0) return undefined;
    if (kind === 'directory' && directory.attr.links >= limits.linksMax) return undefined;
    if (this.#untold.count >= limits.unbornMax) return undefined;
    const handle = this.#handles.take();
    if (handle === undefined) return undefined;
    const now = directory.time.now(directory.attr.changed);
    const content = Buffer.from(target ?? '', 'latin1');
    const attr: Attr = {
      handle,
      kind,
      ...inherited(maker, directory.attr, kind, mode),
      links: kind === 'directory' ? 2 : 1,
      uid: maker.uid,
      device: 0,
      size: content.length,
      accessed: now,
      modified: now,
      changed: now,
      born: now,
      layout: undefined,
      place: kind === 'file' ? 'mgr' : 'iods',
      sizeExact: true,
      holes: 0,
      right: kind === 'directory',
    };
    const file = open?.open(handle, directory.room);
    if (file !== undefined) files.makeUnborn(file, attr, directory.room, directory.time);
    const madeAt = session.runtime.clock.now();
    const { flags = 0, near } = open ?? {};
    const state = { attr, content, file, flags, near, isClosed: file === undefined, isTold: false };
    const unborn: Unborn = { directory, name, madeAt, ...state, ...ending() };
    this.#untold.make(unborn);
    const cache = caching.knowledge;
    const isDirectory = kind === 'directory';
    if (isDirectory) cache.learnNew(cache.moment(), attr);
    this.#changed(directory, [name, handle], Number(isDirectory));
    // Behind its parent, which must not be the one that goes back for it.
    if (isDirectory) this.#enter(new LentDirectory(attr, directory.time, directory.room, madeAt));
    return unborn;
  }

  /** Of a name in a directory. @returns as `remove` */
  #take(directory: LentDirectory, name: ByteString): true | Promise<void> | undefined {
    const { caching, files, opens } = this.#options;
    const unborn = directory.pending.get(name);
    if (unborn !== undefined) {
      if (unborn.isTold) return unborn.over;
      if (!unborn.isClosed || unborn.attr.kind === 'directory') return undefined;
      files.takeOut(unborn.attr.handle);
      this.#untold.over(unborn);
      return true;
    }
    const handle = caching.cache?.find(directory.attr.handle, name);
    const attr = handle == null ? undefined : caching.cache?.attr(handle);
    // Other names of it would have to be known, and what else is open.
    if (attr === undefined || attr.kind === 'directory' || attr.links !== 1) return undefined;
    const opening = opens.known(attr.handle);
    if (opening !== undefined) return opening;
    if (directory.removed.size === limits.namesPerSettle)
      return this.#untold.tell(directory, false);
    this.#untold.remove(directory, name, attr.handle);
    caching.knowledge.recall(attr.handle);
    return true;
  }

  /** A name in it leads elsewhere by now. */
  #changed(directory: LentDirectory, change: NameChange, linksAdded = 0): void {
    const { attr, time } = directory;
    const cache = this.#options.caching.knowledge;
    cache.change(cache.moment(), attr.handle, change);
    const now = time.now(attr.changed);
    this.#put(directory, { ...attr, links: attr.links + linksAdded, modified: now, changed: now });
    if (directory.pending.size >= limits.namesPerSettle) void this.#untold.tell(directory, false);
  }

  #areShared(handles: readonly Handle[]): void {
    const until = this.#options.session.runtime.clock.now() + limits.unsharedMs;
    if (this.#unsharedAt.size >= limits.directoriesWatchedMax) this.#unsharedAt.clear();
    for (const handle of handles) {
      if (this.#directories.find(handle)) this.#unsharedAt.set(handle, until);
    }
  }

  /** It is lent, and may be used at this moment. */
  #usable(handle: Handle): LentDirectory | undefined {
    const directory = this.#directories.lent.get(handle);
    if (directory === undefined || this.#options.caching.cache !== undefined) return directory;
    void this.#giveBack(handle);
    return undefined;
  }

  #enter(directory: LentDirectory): void {
    this.#directories.use(directory);
    const { lent } = this.#directories;
    const { oldest } = lent;
    if (lent.size > limits.lentDirectoriesMax && oldest !== undefined) void this.#giveBack(oldest);
    this.#timer.within(limits.lentDirectoryMs);
  }

  #put(directory: LentDirectory, attr: Attr): void {
    const { caching, session } = this.#options;
    directory.attr = attr;
    directory.usedAt = session.runtime.clock.now();
    if (directory.isBorrowed) this.#paidAt = directory.usedAt;
    this.#directories.use(directory);
    this.#untold.changed(directory);
    const cache = caching.knowledge;
    cache.learn(cache.moment(), attr);
  }

  #isUntold(directory: LentDirectory): boolean {
    const { pending, isChanged, isBack, running, next } = directory;
    // Names that were taken away are a change too.
    return pending.size > 0 || isChanged || isBack || running !== undefined || next !== undefined;
  }

  /** @returns what to wait for; `undefined`: it is not lent */
  #giveBack(handle: Handle): Promise<void> | undefined {
    const { leaving, lent } = this.#directories;
    const { next, running } = leaving.get(handle) ?? {};
    if (leaving.has(handle)) return next ?? running ?? nothingToWaitFor;
    const directory = lent.get(handle);
    if (directory === undefined) return undefined;
    this.#directories.leave(directory);
    return this.#untold.tell(directory, true);
  }

  #look(): void {
    const now = this.#options.session.runtime.clock.now();
    void this.#untold.tellSome();
    for (const [handle, { usedAt }] of this.#directories.lent) {
      const leftMs = usedAt + limits.lentDirectoryMs - now;
      if (leftMs > 0) {
        this.#timer.within(leftMs);
        return;
      }
      void this.#giveBack(handle);
    }
  }
}

const nothingToWaitFor = Promise.resolve();

function nothing(): void {
  // Whoever waits for several has all of them.
}
