/**
 * Tells the mgr what was made and taken away in lent directories: in the order in which they lie within
 * each other, one message of a directory after another. What it does not take is lost, and said to be.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { ByteString, Handle } from '../shared/units.ts';
import { fileOps, openFlags } from '../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import { anyLayout, type Attr } from '../shared/wire/values.ts';
import type { Caching, Revoke } from './caching.ts';
import type { LentDirectories, LentDirectory, Unborn } from './lent-directory.ts';
import type { LentFiles } from './lent-files.ts';
import type { MgrSession } from './mgr-session.ts';

export interface UntoldNamesOptions {
  readonly session: MgrSession;
  readonly caching: Pick<Caching, 'cache' | 'knowledge' | 'ask' | 'answered'>;
  readonly files: LentFiles;
  /** Takes back from whoever was told of them. */
  readonly revoke: Revoke;
  readonly directories: LentDirectories;
  /** There is something that is to be told a moment later. */
  readonly wake: (inMs: number) => void;
  /** The disk of the mgr is full. */
  readonly full: () => void;
}

export class UntoldNames {
  readonly #options: UntoldNamesOptions;
  readonly #unborn = new Map<Handle, Unborn>();
  /** What had its only name there, until the mgr knows that it is gone. */
  readonly #removed = new Map<Handle, LentDirectory>();
  /** In which something is to be told. */
  readonly #dirty = new Set<LentDirectory>();
  readonly #telling = new Set<Promise<void>>();

  constructor(options: UntoldNamesOptions) {
    this.#options = options;
  }

  /** Made here, and not known to the mgr. */
  unborn(handle: Handle): Unborn | undefined {
    return this.#unborn.get(handle);
  }

  /** Where something of this handle was made, or has lost its name, that the mgr does not know. */
  whereOf(handle: Handle): LentDirectory | undefined {
    return this.#unborn.get(handle)?.directory ?? this.#removed.get(handle);
  }

  get isEmpty(): boolean {
    return this.#unborn.size + this.#removed.size === 0;
  }

  /** Things that were made, and not told. */
  get count(): number {
    return this.#unborn.size;
  }

  make(unborn: Unborn): void {
    unborn.directory.pending.set(unborn.name, unborn);
    this.#unborn.set(unborn.attr.handle, unborn);
  }

  /** @param handle of a directory, or of a file that had no other name */
  remove(directory: LentDirectory, name: ByteString, handle: Handle): void {
    directory.removed.set(name, handle);
    this.#removed.set(handle, directory);
  }

  /** Something has become of it that is to be told. */
  changed(directory: LentDirectory): void {
    directory.isChanged = true;
    this.#dirty.add(directory);
    this.#options.wake(limits.lentMs);
  }

  /** What was to be told of it the mgr need not know: it has never heard of it. */
  forget(directory: LentDirectory): void {
    directory.isChanged = false;
    this.#dirty.delete(directory);
  }

  /** What is to be told by now. @returns resolves when the first of what is being told is */
  tellSome(): Promise<unknown> {
    for (const directory of this.#dirty) void this.tell(directory, false);
    return Promise.race(this.#telling);
  }

  /** All that is being told. */
  owed(): Promise<unknown> | undefined {
    return this.#telling.size === 0 ? undefined : this.#allTold();
  }

  /** @param all also files that are open, and were made just now. Never rejects */
  tell(directory: LentDirectory, all: boolean): Promise<void> {
    directory.all ||= all;
    if (directory.next === undefined) {
      const told = this.#after(directory).finally(() => this.#telling.delete(told));
      this.#telling.add(told);
      directory.next = told;
    }
    return directory.next;
  }

  /** What has this handle, in whichever directory it is by then. Never rejects */
  async tellOf(handle: Handle): Promise<void> {
    for (;;) {
      const directory = this.whereOf(handle);
      if (directory === undefined) return;
      await this.tell(directory, true);
    }
  }

  /** The mgr knows it, or it was taken away before. */
  over({ directory, name, attr, end }: Unborn): void {
    directory.pending.delete(name);
    this.#unborn.delete(attr.handle);
    end();
  }

  /** The mgr does not take it, or there is no session any more. */
  lose(directory: LentDirectory, error: FsError): void {
    const { handle } = directory.attr;
    directory.lost ??= error;
    this.#dirty.delete(directory);
    this.#options.directories.gone(handle);
    for (const [name, one] of directory.removed) {
      this.#options.caching.knowledge.changeUnknown(handle, name);
      this.#removed.delete(one);
    }
    // It is there still, and so is what was in it.
    for (const going of directory.going.values()) this.lose(going, error);
    directory.going.clear();
    const lost = [...directory.pending.values()];
    if (lost.length > 0 || directory.isChanged) this.#loseNames(directory, lost, error);
    directory.isChanged = false;
  }

  #loseNames(directory: LentDirectory, lost: readonly Unborn[], error: FsError): void {
    const { caching, session, files, revoke, directories } = this.#options;
    const { handle } = directory.attr;
    if (lost.length > 0) {
      const { message: why } = error;
      const names = lost.length;
      session.runtime.log.error('new names are lost', { directory: handle, names, why });
    }
    const what = 'the file was lost before the mgr knew of it';
    const loss = new FsError('EIO', { id: 'WEFT_E_DATA_LOST', what, cause: error });
    const cache = caching.knowledge;
    cache.touch(handle);
    for (const unborn of lost) {
      const { attr, file, name } = unborn;
      file?.lose(loss);
      files.takeOut(attr.handle);
      cache.changeUnknown(handle, name);
      cache.recall(attr.handle);
      this.over(unborn);
      const made = directories.find(attr.handle);
      if (made !== undefined) this.lose(made, error);
    }
    revoke([handle, ...lost.map(({ attr }) => attr.handle)]).catch(nothing);
  }

  async #allTold(): Promise<void> {
    while (this.#telling.size > 0) await Promise.all(this.#telling);
  }

  async #after(directory: LentDirectory): Promise<void> {
    // What is wanted in the same turn is told at once.
    await directory.running;
    directory.running = directory.next;
    directory.next = undefined;
    const { all } = directory;
    directory.all = false;
    try {
      await this.#tellAll(directory, all);
    } catch (error) {
      this.lose(directory, toFsError(error));
    } finally {
      directory.running = undefined;
    }
  }

  async #tellAll(directory: LentDirectory, all: boolean): Promise<void> {
    // It is made before anything in it: until then, and no longer, since what it lies in may wait for it.
    const unborn = this.#unborn.get(directory.attr.handle);
    if (unborn !== undefined) {
      void this.tell(unborn.directory, false);
      await unborn.over;
    }
    if (directory.lost !== undefined) throw directory.lost;
    const { session } = this.#options;
    const { clock } = session.runtime;
    this.#dirty.delete(directory);
    const isDue = ({ madeAt }: Unborn): boolean => all || clock.now() >= madeAt + limits.lentMs;
    const open = (): Unborn[] =>
      [...directory.pending.values()].filter((one) => !one.isClosed && isDue(one));
    // Some may have the names of what was taken away before. While that is told they may be closed.
    while (open().some(({ name }) => directory.removed.has(name))) await this.#send(directory, []);
    await Promise.all(open().map((one) => this.#open(one)));
    for (;;) {
      const made = this.#next(directory);
      const isDone = made.length === 0 && !directory.isChanged;
      if (isDone && !this.#goesBackNow(directory)) break;
      await this.#send(directory, made);
    }
    // Only files that are open are left, in the order in which they were made.
    const [oldest] = directory.pending.values();
    if (oldest === undefined) return;
    this.#dirty.add(directory);
    this.#options.wake(Math.max(0, oldest.madeAt + limits.lentMs - clock.now()));
  }

  /** Nothing is left in it but what is on its way. Files that stay open are told before. */
  #goesBackNow(directory: LentDirectory): boolean {
    if (!this.#options.directories.isLeaving(directory)) return false;
    return [...directory.pending.values()].every(({ isTold }) => isTold);
  }

  /** A file that is open: the mgr makes it, and lends it to us; then it is told what is in it. */
  async #open(unborn: Unborn): Promise<void> {
    const { directory, name, file, flags, attr } = unborn;
    const { session, files } = this.#options;
    unborn.isTold = true;
    const { handle } = attr;
    if (file === undefined) return;
    const request = {
      at: { directory: directory.attr.handle, path: name },
      flags: flags | openFlags.create | openFlags.exclusive | openFlags.lend,
      mode: attr.mode,
      layout: anyLayout,
      near: unborn.near,
      maker: undefined,
      handle,
    };
    const options = { deadline: Infinity, goesOn: true };
    const reply = await session.call(fileOps.open, request, options).catch(toFsError);
    if (reply instanceof FsError) {
      if (reply.weftCode === 'WEFT_E_SESSION_LOST') throw reply;
      this.#loseNames(directory, [unborn], reply);
      return;
    }
    file.born(reply);
    files.born(handle, reply.attr.changed);
    this.over(unborn);
    await files.settle(handle);
  }

  /** As many as go into a message. */
  #next({ pending }: LentDirectory): Unborn[] {
    const made: Unborn[] = [];
    let bytes = 0;
    for (const unborn of pending.values()) {
      if (!unborn.isClosed || unborn.isTold) continue;
      if (made.length === limits.namesPerSettle || bytes > settleBytes) break;
      const { attr } = unborn;
      const file = unborn.file && this.#options.files.takeOut(attr.handle);
      if (file !== undefined) [unborn.attr, unborn.content] = [file.attr, file.bytes];
      unborn.isTold = true;
      bytes += unborn.content.length;
      made.push(unborn);
    }
    return made;
  }

  /** What has become of directories that were taken away in it. */
  async #tellGoing(directory: LentDirectory): Promise<void> {
    const { handle } = directory.attr;
    for (const [name, going] of directory.going) {
      await this.tell(going, true);
      if (directory.going.get(name) !== going) continue;
      directory.going.delete(name);
      if (going.lost === undefined) continue;
      // Nobody knows what is in it, so it stays.
      directory.removed.delete(name);
      this.#removed.delete(going.attr.handle);
      this.#options.caching.knowledge.changeUnknown(handle, name);
    }
  }

  async #send(directory: LentDirectory, made: readonly Unborn[]): Promise<void> {
    const { caching, session, directories } = this.#options;
    while (directory.going.size > 0) {
      await this.#tellGoing(directory);
      // With the session, perhaps: the next one has nothing lent.
      if (directory.lost !== undefined) throw directory.lost;
    }
    const { attr } = directory;
    const { handle } = attr;
    const back = this.#goesBackNow(directory);
    // What takes the place of something is told with it: nobody ever finds neither.
    const isReplaced = (name: ByteString): boolean => {
      const next = directory.pending.get(name);
      return next?.isClosed === true && !next.isTold;
    };
    const removed = [...directory.removed].filter(([name]) => !isReplaced(name));
    for (const [name] of removed) directory.removed.delete(name);
    directory.isChanged = false;
    const question = caching.ask();
    const request = {
      ...told(attr),
      directory: handle,
      back,
      removed: removed.map(([name]) => name),
      made: made.map(toldOf),
      contents: Buffer.concat(made.map(({ content }) => content)),
    };
    const options = { deadline: Infinity, goesOn: true };
    const reply = await session
      .call(fileOps.settleNames, request, options)
      .catch((error: unknown) => {
        directory.removed = new Map([...removed, ...directory.removed]);
        directory.isChanged = true;
        throw error;
      });
    for (const [, one] of removed) this.#removed.delete(one);
    const cache = caching.answered(question);
    made.forEach((unborn, i) => {
      const { attr: born } = unborn;
      this.over(unborn);
      const right = reply.rights[i] === 1;
      if (born.kind !== 'directory' && right) cache?.learn(question.moment, { ...born, right });
    });
    if (back) {
      directories.gone(handle);
      cache?.learn(question.moment, reply.attr);
    }
    if (reply.isFull) this.#options.full();
  }
}

type Request = RequestOf<typeof fileOps.settleNames>;

/** With room for one more file. */
const settleBytes = limits.settleBytesMax - limits.smallFileBytesMax;

function nothing(): void {
  // Whoever waits for several has all of them.
}

function told({ mode, uid, gid, accessed, modified, changed }: Attr) {
  return { mode, uid, gid, accessed, modified, changed };
}

function toldOf({ attr, name, content }: Unborn): Request['made'][number] {
  const { handle, kind, born } = attr;
  return { ...told(attr), handle, kind, born, name, length: content.length };
}
