/** The file system by path: every name operation is one round trip to the mgr. */
import { FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { byteString, displayText } from '../shared/units.ts';
import { clusterOps } from '../shared/wire/cluster-ops.ts';
import { fileOps, nameOps, renameFlags } from '../shared/wire/mgr-ops.ts';
import type { Op, ReplyOf } from '../shared/wire/op.ts';
import type { InodeKind, LayoutWish, Member, Place } from '../shared/wire/values.ts';
import { owner, type SetAttr, type TimeLike, timeOf, timesOf, unchanged } from './attributes.ts';
import { callOptions, type Control, type Settling } from './control.ts';
import { Directory, type DirectoryOptions } from './directory.ts';
import type { File } from './file.ts';
import type { Gathering } from './gathering.ts';
import { IodPool, type MakeDirectReads } from './iod-pool.ts';
import type { MgrSession } from './mgr-session.ts';
import { openIntent, type OpenMode } from './open-flags.ts';
import type { FileSource, OpenGrant } from './open-grant.ts';
import { OpenFiles } from './open-files.ts';
import { openedFile, type OpenWish } from './opened-file.ts';
import { type PathLike, pathBytes, placeOf, shownPath } from './path.ts';
import { truncatePath } from './truncate-path.ts';
import { type RecoveryListener, RecoveryWatch } from './recovery-watch.ts';
import { type Dirent, Stats } from './stats.ts';
import { makeDirectories, remove, type RemoveOptions } from './tree.ts';
import { useFile } from './use-file.ts';
import { readAll, readSmallFile, writeSmallFile } from './whole-file.ts';
import { withinCall } from './within-call.ts';

export interface OpenOptions extends Control {
  /** Permission bits of a file that is made; 0o666 less the umask of this process by default. */
  readonly mode?: number | undefined;
  /** Where the bytes of a file that is made shall go; what is missing comes from its directory. */
  readonly layout?: Partial<LayoutWish> | undefined;
  /** A file that is to be copied to it: if nobody says otherwise it begins on the same iod, which then copies. */
  readonly near?: File | undefined;
}

export interface WriteWish extends OpenOptions {
  readonly flag?: OpenMode;
}

export type SpaceInfo = ReplyOf<typeof nameOps.statFs>;
export type ClusterStatus = ReplyOf<typeof clusterOps.status>;

export interface FileSystemOptions {
  readonly session: MgrSession;
  /** For calls that do not name their own. */
  readonly deadlineMs: number;
  readonly umask: number;
  readonly makeDirect?: MakeDirectReads | undefined;
  /** Where writes are gathered. */
  readonly gather?: ((session: MgrSession, open: Iterable<File>) => Gathering) | undefined;
}

export class FileSystem {
  readonly #session: MgrSession;
  readonly #iods: IodPool;
  readonly #deadlineMs: number;
  readonly #umask: number;
  readonly #open = new OpenFiles();
  readonly #watch: RecoveryWatch;
  readonly #gathering: Gathering | undefined;
  #closed: Promise<void> | undefined;

  constructor({ session, deadlineMs, umask, makeDirect, gather }: FileSystemOptions) {
    this.#session = session;
    this.#iods = new IodPool(session, makeDirect);
    this.#deadlineMs = deadlineMs;
    this.#umask = umask;
    this.#watch = new RecoveryWatch({ session, iods: this.#iods, files: () => this.#open });
    session.holdsAlso(() => this.#open);
    this.#gathering = gather?.(session, this.#open);
    session.onLost((_, error) => {
      for (const file of this.#open.lose(error)) this.#watch.lost(file, error);
    });
  }

  /**
   * `listener` hears when calls of an open file wait for a daemon that is away, when they go on,
   * and when files are lost with their session. What it throws is logged.
   * @returns what ends it
   */
  onRecovery(listener: RecoveryListener): () => void {
    return this.#watch.listen(listener);
  }

  /** Opens a file, and makes it if `mode` says so. One round trip. */
  async open(path: PathLike, mode: OpenMode = 'r', options: OpenOptions = {}): Promise<File> {
    const intent = await this.#during('open', path, () => openIntent(mode));
    const given = { maker: undefined, handle: undefined, near: options.near?.handle };
    const made = { ...this.#made(options), ...given };
    const request = { flags: intent.flags, ...made };
    const { killPoint } = this.#session.runtime;
    const opened = (reply: ReplyOf<typeof fileOps.open>): File => {
      killPoint('client.open.answered');
      return this.#remember({ ...intent, path: shownPath(path) }, reply);
    };
    const opening = this.#at('open', fileOps.open, path, request, {
      ...options,
      settled: (late) => late && opened(late).giveBack(),
    });
    killPoint('client.open.sent');
    return this.#during('open', path, () => opening.then(opened));
  }

  async stat(path: PathLike, control: Control = {}): Promise<Stats> {
    return new Stats(
      (await this.#at('stat', nameOps.lookup, path, { follow: true }, control)).attr,
    );
  }

  async lstat(path: PathLike, control: Control = {}): Promise<Stats> {
    return new Stats(
      (await this.#at('lstat', nameOps.lookup, path, { follow: false }, control)).attr,
    );
  }

  /** True when the path leads to something that this user may see. */
  async exists(path: PathLike, control: Control = {}): Promise<boolean> {
    try {
      await this.lstat(path, control);
      return true;
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(toFsError(error).code)) return false;
      throw error;
    }
  }

  /** @param mask what is asked for: 4 read, 2 write, 1 execute, 0 only that it exists */
  async access(path: PathLike, mask = 0, control: Control = {}): Promise<void> {
    await this.#at('access', nameOps.access, path, { mask }, control);
  }

  /** Reads a directory page by page, in bounded memory however long it is. */
  opendir(path: PathLike, options: DirectoryOptions = {}): Directory {
    return new Directory(options, (after, count, attributes) =>
      this.#at('scandir', nameOps.readDirectory, path, { after, count, attributes }, options),
    );
  }

  /** All names at once; for directories of unknown length use `opendir`. */
  async readdir(path: PathLike, options: DirectoryOptions = {}): Promise<Dirent[]> {
    const pages: (readonly Dirent[])[] = [];
    // Entry by entry each would be awaited.
    for await (const page of this.opendir(path, options).pages()) pages.push(page);
    return pages.flat();
  }

  /** @returns true when it was made; false, with `recursive`, when it was there */
  async mkdir(
    path: PathLike,
    options: Control & { readonly mode?: number; readonly recursive?: boolean } = {},
  ): Promise<boolean> {
    const mode = (options.mode ?? 0o777) & ~this.#umask & 0o7777;
    const make = async (at: PathLike): Promise<void> => {
      await this.#makeNode('mkdir', at, { kind: 'directory', mode, device: 0 }, options);
    };
    if (options.recursive === true) return makeDirectories(this, path, make, options);
    await make(path);
    return true;
  }

  async mkfifo(path: PathLike, mode = 0o666, control: Control = {}): Promise<void> {
    await this.mknod(path, 'fifo', mode, 0, control);
  }

  async mknod(
    path: PathLike,
    kind: InodeKind,
    mode = 0o666,
    device = 0,
    control: Control = {},
  ): Promise<void> {
    await this.#makeNode('mknod', path, { kind, mode: mode & ~this.#umask, device }, control);
  }

  async rmdir(path: PathLike, control: Control = {}): Promise<void> {
    await this.#at('rmdir', nameOps.removeDirectory, path, {}, control);
  }

  async unlink(path: PathLike, control: Control = {}): Promise<void> {
    await this.#at('unlink', nameOps.unlink, path, {}, control);
  }

  /** Removes a file, or with `recursive` a directory and all that is below it. */
  rm(path: PathLike, options: RemoveOptions = {}): Promise<void> {
    return remove(this, path, options);
  }

  async rename(
    from: PathLike,
    to: PathLike,
    options: Control & { readonly noReplace?: boolean; readonly exchange?: boolean } = {},
  ): Promise<void> {
    let flags = options.noReplace === true ? renameFlags.noReplace : 0;
    if (options.exchange === true) flags |= renameFlags.exchange;
    await this.#two('rename', nameOps.rename, from, to, { flags }, options);
  }

  /** Gives a file one more name. A symbolic link is linked itself, as by link(2). */
  async link(from: PathLike, to: PathLike, control: Control = {}): Promise<void> {
    await this.#two('link', nameOps.link, from, to, { follow: false }, control);
  }

  async symlink(target: PathLike, path: PathLike, control: Control = {}): Promise<void> {
    const bytes = await this.#during('symlink', target, () => pathBytes(target));
    await this.#at('symlink', nameOps.symlink, path, { target: bytes, maker: undefined }, control);
  }

  async readlink(path: PathLike, control: Control = {}): Promise<string> {
    return displayText((await this.#at('readlink', nameOps.readLink, path, {}, control)).target);
  }

  /** The target of a symbolic link as the bytes it was made of. */
  async readlinkBytes(path: PathLike, control: Control = {}): Promise<Buffer> {
    const { target } = await this.#at('readlink', nameOps.readLink, path, {}, control);
    return Buffer.from(target, 'latin1');
  }

  async chmod(path: PathLike, mode: number, control: Control = {}): Promise<void> {
    await this.#set('chmod', path, { follow: true, mode: mode & 0o7777 }, control);
  }

  async chown(path: PathLike, uid: number, gid: number, control: Control = {}): Promise<void> {
    await this.#set('chown', path, { follow: true, ...owner(uid, gid) }, control);
  }

  async lchown(path: PathLike, uid: number, gid: number, control: Control = {}): Promise<void> {
    await this.#set('lchown', path, { follow: false, ...owner(uid, gid) }, control);
  }

  async utimes(
    path: PathLike,
    accessed: TimeLike,
    modified: TimeLike,
    control: Control = {},
  ): Promise<void> {
    const times = await this.#during('utime', path, () => timesOf(accessed, modified));
    await this.#set('utime', path, { follow: true, ...times }, control);
  }

  async lutimes(
    path: PathLike,
    accessed: TimeLike,
    modified: TimeLike,
    control: Control = {},
  ): Promise<void> {
    const times = await this.#during('lutime', path, () => timesOf(accessed, modified));
    await this.#set('lutime', path, { follow: false, ...times }, control);
  }

  /** Several attributes in one round trip, as a copy takes them over. */
  async setAttributes(
    path: PathLike,
    changes: {
      /** Of a symbolic link: what it leads to; default true. */
      readonly follow?: boolean | undefined;
      readonly mode?: number | undefined;
      readonly uid?: number | undefined;
      readonly gid?: number | undefined;
      readonly accessed?: TimeLike | undefined;
      readonly modified?: TimeLike | undefined;
    },
    control: Control = {},
  ): Promise<void> {
    const { follow = true, mode, uid, gid, accessed, modified } = changes;
    const times = await this.#during('setattr', path, () => ({
      accessed: accessed === undefined ? undefined : timeOf(accessed),
      modified: modified === undefined ? undefined : timeOf(modified),
    }));
    await this.#set('setattr', path, { follow, mode, uid, gid, ...times }, control);
  }

  async truncate(path: PathLike, size = 0, control: Control = {}): Promise<void> {
    await this.#during('truncate', path, () =>
      truncatePath(this.#session, path, size, this.#options(control)),
    );
  }

  async getxattr(path: PathLike, name: string, control: Control = {}): Promise<Uint8Array> {
    const request = { follow: true, name: byteString(name) };
    return (await this.#at('getxattr', nameOps.getXattr, path, request, control)).value;
  }

  async listxattr(path: PathLike, control: Control = {}): Promise<string[]> {
    const request = { follow: true };
    const { names } = await this.#at('listxattr', nameOps.listXattrs, path, request, control);
    return names.map(displayText);
  }

  async setxattr(
    path: PathLike,
    name: string,
    value: Uint8Array,
    options: Control & { readonly mustExist?: boolean; readonly mustNotExist?: boolean } = {},
  ): Promise<void> {
    const { mustExist = false, mustNotExist = false } = options;
    const request = { follow: true, name: byteString(name), value, mustExist, mustNotExist };
    await this.#at('setxattr', nameOps.setXattr, path, request, options);
  }

  async removexattr(path: PathLike, name: string, control: Control = {}): Promise<void> {
    const request = { follow: true, name: byteString(name) };
    await this.#at('removexattr', nameOps.removeXattr, path, request, control);
  }

  /** What files made below a directory get from now on, where they do not say themselves. */
  async setDefaults(
    path: PathLike,
    defaults: { readonly layout?: Partial<LayoutWish>; readonly retentionSeconds?: number },
    control: Control = {},
  ): Promise<void> {
    const { layout: { base, pcount, ssize } = {}, retentionSeconds } = defaults;
    const request = { layout: { base, pcount, ssize }, retentionSeconds };
    await this.#at('setdefaults', nameOps.setDefaults, path, request, control);
  }

  async statfs(control: Control = {}): Promise<SpaceInfo> {
    return this.#during('statfs', '/', () =>
      this.#session.call(nameOps.statFs, {}, this.#options(control)),
    );
  }

  /** State of the mgr and of every iod. */
  async status(control: Control = {}): Promise<ClusterStatus> {
    return this.#during('status', '/', () =>
      this.#session.call(clusterOps.status, {}, this.#options(control)),
    );
  }

  /** The iods, as fresh as the mgr knows them. */
  async members(): Promise<readonly Member[]> {
    await this.#during('members', '/', () => this.#session.refreshMembers());
    return this.#session.members;
  }

  /**
   * All of a file whose bytes are at the mgr, in one round trip.
   * @returns undefined: it is something else, and is to be opened
   */
  readSmallFile(path: PathLike, control: Control = {}): Promise<Buffer | undefined> {
    const read = () => readSmallFile(this.#session, path, this.#options(control));
    return this.#during('open', path, read);
  }

  /**
   * Writes few bytes as `writeFile`, in one round trip: whole or not at all, and durable.
   * @returns false: nothing was done, and the file is to be opened
   */
  writeSmallFile(path: PathLike, content: Uint8Array, options: WriteWish = {}): Promise<boolean> {
    return this.#during('open', path, () => {
      const wish = { ...openIntent(options.flag ?? 'w'), ...this.#made(options) };
      return writeSmallFile(this.#session, path, content, wish, this.#options(options));
    });
  }

  /** A whole file in memory. */
  async readFile(path: PathLike, control: Control = {}): Promise<Buffer> {
    const small = await this.readSmallFile(path, control);
    if (small !== undefined) return small;
    return useFile(this, path, 'r', control, (file) => readAll(file, control));
  }

  /** Makes or replaces a file with this content. */
  async writeFile(
    path: PathLike,
    content: string | Uint8Array,
    options: WriteWish & { readonly sync?: boolean } = {},
  ): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    if (await this.writeSmallFile(path, bytes, options)) return;
    await useFile(this, path, options.flag ?? 'w', options, async (file) => {
      await file.write(bytes, 0, options);
      if (options.sync === true) await file.sync(options);
    });
  }

  async appendFile(
    path: PathLike,
    content: string | Uint8Array,
    options: OpenOptions & { readonly sync?: boolean } = {},
  ): Promise<void> {
    await this.writeFile(path, content, { ...options, flag: 'a' });
  }

  /** The session with the mgr and the links to the iods, for tools that speak the wire itself. */
  get session(): MgrSession {
    return this.#session;
  }

  get iods(): IodPool {
    return this.#iods;
  }

  /** Gives everything back and ends all connections. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // ------------------------------------------------------------- inner parts

  async #close(): Promise<void> {
    const { clock } = this.#session.runtime;
    const deadline = clock.now() + limits.drainTimeoutMs;
    const gathered = this.#gathering?.settled();
    const [settled] = await Promise.allSettled([
      gathered && withinCall(clock, gathered, { deadline }, 'the iods have not taken all writes'),
    ]);
    const closed = new FsError('EBADF', { what: 'the file system was closed' });
    this.#open.lose(closed);
    this.#iods.close(closed);
    await this.#session.close(deadline);
    if (settled.status === 'rejected') throw toFsError(settled.reason);
  }

  /** What a file is made with. */
  #made({ mode = 0o666, layout: { base, pcount, ssize } = {} }: OpenOptions) {
    return { mode: mode & ~this.#umask & 0o7777, layout: { base, pcount, ssize } };
  }

  #options<R>(control: Settling<R>) {
    return callOptions(this.#session.runtime.clock, this.#deadlineMs, control);
  }

  /** A request about one path. */
  #at<Q extends { readonly at: Place }, R>(
    syscall: string,
    op: Op<Q, R>,
    path: PathLike,
    rest: Omit<Q, 'at'>,
    control: Settling<NoInfer<R>>,
  ): Promise<R> {
    return this.#during(syscall, path, () =>
      this.#session.call(op, { at: placeOf(path), ...rest } as Q, this.#options(control)),
    );
  }

  /** A request about two paths. */
  #two<Q extends { readonly from: Place; readonly to: Place }, R>(
    syscall: string,
    op: Op<Q, R>,
    from: PathLike,
    to: PathLike,
    rest: Omit<Q, 'from' | 'to'>,
    control: Control,
  ): Promise<R> {
    const run = (): Promise<R> => {
      const request = { from: placeOf(from), to: placeOf(to), ...rest } as Q;
      return this.#session.call(op, request, this.#options(control));
    };
    return this.#during(syscall, from, run, to);
  }

  async #set(
    syscall: string,
    path: PathLike,
    change: Partial<SetAttr> & { readonly follow: boolean },
    control: Control,
  ): Promise<void> {
    await this.#at(syscall, nameOps.setAttr, path, { ...unchanged, ...change }, control);
  }

  async #makeNode(
    syscall: string,
    path: PathLike,
    node: { readonly kind: InodeKind; readonly mode: number; readonly device: number },
    control: Control,
  ): Promise<void> {
    const wish = { ...node, maker: undefined, lend: false };
    await this.#at(syscall, nameOps.makeNode, path, wish, control);
  }

  async #during<T>(
    syscall: string,
    path: PathLike,
    run: () => T | Promise<T>,
    dest?: PathLike,
  ): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const to = dest === undefined ? undefined : shownPath(dest);
      throw toFsError(error).during(syscall, shownPath(path), to);
    }
  }

  #remember(wish: OpenWish, reply: ReplyOf<typeof fileOps.open>): File {
    const source = { session: this.#session, iods: this.#iods, deadlineMs: this.#deadlineMs };
    const gathering = this.#gathering;
    const make = gathering && ((of: FileSource, grant: OpenGrant) => gathering.open(of, grant));
    const file = openedFile(source, wish, reply, make);
    this.#open.add(file, () => gathering?.closed(file));
    return file;
  }
}
