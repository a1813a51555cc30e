/**
 * The file system by handle, for those who keep handles instead of paths: a kernel mount, a
 * gateway. Names are asked for by directory and name, files by their handle and an empty path.
 * What there is a right to cache is not asked for again (caching.ts).
 */
import { FsError, hasCode } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { noLayout } from '../shared/stripe.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../shared/wire/mgr-ops.ts';
import type { Op, ReplyOf, RequestOf } from '../shared/wire/op.ts';
import { anyLayout, type Attr, noCap, type Place } from '../shared/wire/values.ts';
import { Caching, type Revoke } from './caching.ts';
import { callOptions, type Control, type Settling } from './control.ts';
import { File } from './file.ts';
import type { FileSystem } from './file-system.ts';
import { placeAt } from './handle-place.ts';
import type { MgrSession } from './mgr-session.ts';
import { MissedNames } from './missed-names.ts';
import type { Known, Moment, NameCache } from './name-cache.ts';
import { type LentChange, LentFiles } from './lent-files.ts';
import { LateCloses } from './late-closes.ts';
import { LentNames, type NewName } from './lent-names.ts';
import { LentWrites } from './lent-writes.ts';
import { mayBeLent } from './open-flags.ts';
import type { FileSource } from './open-grant.ts';
import { openedFile } from './opened-file.ts';
import { OpensUnderRight } from './opens-under-right.ts';
import { applyChange, applyFailure, directoriesChangedBy, nameTakenBy } from './own-changes.ts';
import { untilExact } from './until-exact.ts';
import { WholeListings } from './whole-listings.ts';
import { withinCall } from './within-call.ts';

/** Of what is new: names and files (decision 21), files (decision 20), or nothing. */
export type LendWish = 'all' | 'files' | 'nothing';

export interface HandleAccessOptions {
  readonly fileSystem: FileSystem;
  /** For calls that do not name their own. */
  readonly deadlineMs: number;
  /** What is kept to ourselves for a moment when it is new. `all` where nothing is said. */
  readonly lends?: LendWish;
  /** Names and attributes are cached; this takes them back from whoever was told of them. */
  readonly revoke?: Revoke;
}

export interface OpenByPlace {
  readonly at: Place;
  /** Bits of `openFlags`. */
  readonly flags: number;
  readonly mode: number;
  readonly durable: boolean;
  /** For whom it is made, if it is. */
  readonly maker: Maker | undefined;
  /** A file of which it may become a copy. */
  readonly near?: Handle | undefined;
}

export interface Opened {
  readonly file: File;
  readonly attr: Attr;
}

/** Somebody for whom root makes something; `undefined`: for root itself. */
export type Maker = NonNullable<RequestOf<typeof fileOps.open>['maker']>;

const nothing = Promise.resolve();

export class HandleAccess {
  readonly #fs: FileSystem;
  readonly #deadlineMs: number;
  readonly #lendsFiles: boolean;
  readonly #caching: Caching | undefined;
  /** Files that we have made, while nobody else looks at them. */
  readonly lent: LentFiles;
  /** Directories that we have made, and what we make in them. Without caching there are none. */
  readonly names: LentNames | undefined;
  /** Files that we write, while nobody else has them open. Where nothing is lent there are none. */
  readonly writes: LentWrites | undefined;
  /** Files of which the mgr does not know that we read them. */
  readonly #opens: OpensUnderRight;
  readonly #missed = new MissedNames();
  readonly #listings = new WholeListings();
  readonly #open = new Set<File>();
  readonly #closes: LateCloses;

  constructor({ fileSystem, deadlineMs, revoke, lends = 'all' }: HandleAccessOptions) {
    this.#lendsFiles = lends !== 'nothing';
    this.#fs = fileSystem;
    this.#deadlineMs = deadlineMs;
    const { clock, log } = fileSystem.session.runtime;
    const isValid = () => this.cache !== undefined;
    const closeNow = () => this.closeNow();
    const bear = async (handle: Handle) => this.names?.settle(handle);
    const lent = new LentFiles({ clock, log, isValid, closeNow, bear });
    this.lent = lent;
    const attr = (handle: Handle) => this.knownOf(handle)?.attr;
    this.#opens = new OpensUnderRight({ ...this.#source, attr });
    this.#closes = new LateCloses({ clock, lent, caching: () => this.#caching });
    if (revoke !== undefined) {
      const { session } = fileSystem;
      const revokeAll: Revoke = async (handles) => {
        const named = this.names?.recalled(handles) ?? nothing;
        const opened = this.#opens.recalled(handles);
        const ours = [lent.recalled(handles), named, opened, this.writes?.recalled(handles)];
        await Promise.all([...ours, revoke(handles)]);
      };
      const owed = () => this.#owed();
      const caching = new Caching({ session, attributes: true, revoke: revokeAll, owed });
      this.#caching = caching;
      if (lends !== 'nothing')
        this.writes = new LentWrites({ session, caching, recalls: lent, open: this.#open });
      if (lends === 'all')
        this.names = new LentNames({ session, caching, files: lent, opens: this.#opens, revoke });
    }
    fileSystem.session.holdsAlso(() => this.#open);
    fileSystem.session.onLost((_, error: FsError) => {
      for (const file of this.#open) file.lose(error);
      this.#open.clear();
    });
  }

  get session(): MgrSession {
    return this.#fs.session;
  }

  async call<Q, R>(op: Op<Q, R>, request: Q, control: Settling<NoInfer<R>>): Promise<R> {
    const { session } = this;
    const inTheWay = this.names?.inTheWayOf(request, op === nameOps.readDirectory);
    if (inTheWay !== undefined) await this.untilTold(inTheWay, control);
    const isChange = op.traits.resend === 'slot';
    if (isChange) this.closeNow();
    const options = callOptions(session.runtime.clock, this.#deadlineMs, control);
    const call = () => session.call(op, request, options);
    if (!isChange || this.#caching === undefined) return call();
    const caching = this.#caching;
    const change = () => this.#change(caching, op, request, call);
    const taken = nameTakenBy(op, request);
    if (taken === undefined) return change();
    const leaves = this.cache?.find(taken.directory, taken.path);
    return leaves === null ? change() : this.#opens.leaving(leaves, control, change);
  }

  async #change<Q, R>(
    caching: Caching,
    op: Op<Q, R>,
    request: Q,
    call: () => Promise<R>,
  ): Promise<R> {
    const { moment: at } = caching.ask();
    const cache = caching.knowledge;
    try {
      const answer = call();
      if (caching.cache !== undefined) this.#askBehind(op, request);
      const reply = await answer;
      applyChange(cache, op, { at, request, reply });
      return reply;
    } catch (error) {
      await caching.takeBack(applyFailure(cache, request, error));
      throw error;
    }
  }

  /**
   * In the packet of a change: what becomes of its directories, which the kernel will want to know
   * before the next one. When that cannot be learned it is asked for then.
   */
  #askBehind<Q, R>(op: Op<Q, R>, request: Q): void {
    for (const directory of directoriesChangedBy(op, request)) {
      const asking =
        this.names?.wants(directory) === true
          ? this.names.borrow(directory)
          : this.#ask(directory, (cache, moment, attr) => cache.learnChanged(moment, attr));
      asking.catch(() => undefined);
    }
  }

  /** A small directory is read whole. Of one that is too large for a page that is tried once. */
  #missName(directory: Handle): void {
    if (this.cache === undefined || !this.#missed.add(directory)) return;
    this.page(directory, 0, {}).then(
      ({ done }) => {
        if (done) this.#missed.forget(directory);
      },
      () => undefined,
    );
  }

  /** @param learn what is told of it, when that may be cached */
  async #ask(
    handle: Handle,
    learn: (cache: NameCache, moment: Moment, attr: Attr) => void,
  ): Promise<void> {
    const caching = this.#caching;
    if (caching === undefined) return;
    const question = caching.ask();
    const options = callOptions(this.session.runtime.clock, this.#deadlineMs, {});
    const { attr } = await this.session.call(nameOps.getAttr, { handle }, options);
    const cache = caching.answered(question);
    if (cache !== undefined) learn(cache, question.moment, attr);
  }

  /** For how long, from now, what is cached may be used: milliseconds. */
  get validMs(): number {
    return this.#caching?.validMs ?? 0;
  }

  /** What may be used at this moment without asking. */
  get cache(): NameCache | undefined {
    return this.#caching?.cache;
  }

  /** What may be told of a name without asking: `null` when there is nothing, `undefined`: ask. */
  known({ directory, path }: Place): Attr | null | undefined {
    const cache = this.#caching?.readyNow();
    const found = cache?.find(directory, path);
    return found == null ? found : (cache?.attr(found) ?? this.here(found));
  }

  /** As it is now, of what is lent to us, or was made in a directory that is. @returns undefined: ask */
  here(handle: Handle): Attr | undefined {
    return this.lent.attr(handle) ?? this.names?.attr(handle);
  }

  /** Nobody but us has ever seen it. */
  isNew(handle: Handle): boolean {
    return this.lent.attr(handle) !== undefined || this.names?.isUnborn(handle) === true;
  }

  /** Changes what is `here`. @returns as it is then; undefined: it is not */
  changeHere(handle: Handle, change: LentChange): Attr | undefined {
    return this.lent.change(handle, change) ?? this.names?.change(handle, change);
  }

  /** Makes a name in a directory that is lent to us. @returns what it is; undefined: the mgr is to make it */
  makeHere(wish: Omit<NewName, 'maker'>, maker: Maker | undefined): Attr | undefined {
    return this.names?.make({ ...wish, maker: maker ?? this.session.session });
  }

  /** As `makeHere`, of a file that is open. */
  openHere({ at, flags, mode, durable, maker, near }: OpenByPlace): Opened | undefined {
    if (this.names === undefined || !mayBeLent(flags, durable)) return undefined;
    const rights = flags & (openFlags.read | openFlags.write);
    const fixed = { append: false, durable, path: 'a new file', kind: 'file', rights } as const;
    const open = (handle: Handle, roomAtMgr: number): File => {
      const bear = (control: Control) => this.settled(handle, control) ?? nothing;
      const grant = { ...fixed, handle, roomAtMgr, bear, cap: noCap, layout: noLayout };
      return this.#keep(new File(this.#source, grant));
    };
    const wish = { at, mode, maker: maker ?? this.session.session };
    return this.names.open(wish, { flags, near, open });
  }

  /** A directory, which may be lent to us. */
  async makeDirectory(
    at: Place,
    mode: number,
    maker: Maker | undefined,
    control: Control,
  ): Promise<Attr> {
    const asking = this.names?.ask();
    const lend = asking !== undefined;
    const wish = { at, kind: 'directory', mode, device: 0, maker, lend } as const;
    try {
      const reply = await this.call(nameOps.makeNode, wish, control);
      if (reply.lent && asking) this.names?.take(asking, reply, reply.attr.changed);
      return reply.attr;
    } finally {
      if (asking) this.lent.answered(asking);
    }
  }

  /**
   * Resolves when what was done to it while it was lent is at the mgr; `undefined`: it is.
   * @throws FsError ETIMEDOUT, ECANCELED
   */
  settled(handle: Handle, control: Control): Promise<void> | undefined {
    const telling = this.names?.settle(handle) ?? this.lent.settle(handle);
    const settling = telling ?? this.writes?.over(handle);
    return settling && this.untilTold(settling, control);
  }

  /** Waits for what is being told to the mgr. @throws FsError ETIMEDOUT, ECANCELED */
  untilTold<T>(settling: Promise<T>, control: Control): Promise<T> {
    return this.waitFor(settling, control, 'the mgr has not taken back yet what is new');
  }

  /** As long as a call would wait. @param what of the error, when it takes longer @throws FsError ETIMEDOUT, ECANCELED */
  waitFor<T>(awaited: Promise<T>, control: Control, what: string): Promise<T> {
    const { clock } = this.session.runtime;
    return withinCall(clock, awaited, callOptions(clock, this.#deadlineMs, control), what);
  }

  #owed(): Promise<unknown> | undefined {
    const all = [this.lent, this.names, this.#opens, this.writes];
    const owed = all.map((one) => one?.owed()).filter((one) => one !== undefined);
    return owed.length === 0 ? undefined : Promise.all(owed);
  }

  /** What is lent goes back ahead of what is asked next, with its close: so nobody has to ask for it. */
  settleAhead(handle: Handle): void {
    this.closeNow();
    void this.lent.settle(handle);
  }

  /** As `settleAhead`, of what has this name. */
  settleAt({ directory, path }: Place): void {
    const handle = this.cache?.find(directory, path);
    if (handle != null) this.settleAhead(handle);
  }

  /** A directory of this name is not lent to us any more: it is about to go. */
  async backAt({ directory, path }: Place, control: Control): Promise<void> {
    const handle = this.cache?.find(directory, path);
    const going = handle == null ? undefined : this.names?.inTheWayOf({ handle });
    if (going !== undefined) await this.untilTold(going, control);
  }

  /** What may be told of it without asking. @returns `undefined`: ask */
  knownOf(handle: Handle): Known | undefined {
    return this.#caching?.readyNow()?.known(handle);
  }

  /** @throws FsError ENOENT, and what the mgr answers */
  async lookup(at: Place, control: Control): Promise<Attr> {
    const { directory, path } = at;
    const cache = await this.#caching?.ready();
    const known = this.known(at);
    if (known === null) throw new FsError('ENOENT');
    if (known !== undefined) return known;
    if (cache?.find(directory, path) === undefined) this.#missName(directory);
    return this.#exactly(control, (timed) => this.#lookUp(at, timed));
  }

  /** Asks for attributes that somebody may want to know soon. */
  prefetch(handle: Handle): void {
    if (this.cache === undefined || this.cache.attr(handle) !== undefined) return;
    // Whoever wants to know in the end asks again, and hears why not.
    this.#ask(handle, (cache, moment, attr) => cache.learn(moment, attr)).catch(() => undefined);
  }

  async attr(handle: Handle, control: Control): Promise<Attr> {
    await this.#caching?.ready();
    const known = this.knownOf(handle)?.attr;
    if (known !== undefined) return known;
    return this.#exactly(control, async (timed) => {
      const question = this.#caching?.ask();
      const { attr } = await this.call(nameOps.getAttr, { handle }, timed);
      if (question) this.#caching?.answered(question)?.learn(question.moment, attr);
      return attr;
    });
  }

  /**
   * What is stored of a file that we write. It is for the caller to add what has been written here;
   * of a file that others write too the size is in doubt.
   */
  async stored(handle: Handle, control: Control): Promise<Attr> {
    return (await this.call(nameOps.storedAttr, { handle }, control)).attr;
  }

  /** All of a directory, when it is known at this moment. */
  listed(handle: Handle): ReplyOf<typeof nameOps.readDirectory> | undefined {
    const { cache } = this;
    return cache && this.#listings.find(handle, cache);
  }

  /** A page of a directory. What may be cached of the attributes is in `cache`. */
  async page(
    handle: Handle,
    after: number,
    control: Control,
  ): Promise<ReplyOf<typeof nameOps.readDirectory>> {
    const cache = after === 0 ? await this.#caching?.ready() : undefined;
    const known = cache && this.#listings.find(handle, cache);
    if (known !== undefined) return known;
    const question = this.#caching?.ask();
    const request = {
      at: placeAt(handle),
      after,
      count: limits.direntsPerPageMax,
      attributes: question !== undefined,
    };
    const listed = await this.call(nameOps.readDirectory, request, control);
    // Of what is lent to us the mgr knows what it was told.
    const page = { ...listed, directory: this.here(handle) ?? listed.directory };
    const last = page.entries.at(-1)?.cookie ?? after;
    if (question) {
      this.#caching?.answered(question)?.learnPage(question.moment, { ...page, after, last });
      if (after === 0) this.#listings.keep(handle, question.moment, page);
    }
    return page;
  }

  /** Opens for reading what nobody changes without our knowing. @returns undefined: the mgr is to be asked */
  openKnown(handle: Handle): File | undefined {
    const file = this.#opens.open(handle);
    return file && this.#keep(file);
  }

  /** One that comes when its caller has given up is given back. */
  async open(wish: OpenByPlace, { deadlineMs, signal }: Control): Promise<Opened> {
    const isFull = this.names?.isFull;
    if (isFull !== undefined) {
      await this.untilTold(isFull, { deadlineMs, signal });
      const here = this.openHere(wish);
      if (here !== undefined) return here;
    }
    const { at, flags, mode, durable, maker, near } = wish;
    const opened = (reply: ReplyOf<typeof fileOps.open>): File =>
      this.#opened(reply, flags, durable);
    const mayLend = this.#lendsFiles && this.#caching !== undefined;
    const isLendable = mayLend && mayBeLent(flags, durable);
    const asking = isLendable ? this.lent.ask() : undefined;
    const lends = asking === undefined ? 0 : openFlags.lend;
    const question = this.#caching?.ask();
    const asked = { at, flags: flags | lends, mode, maker };
    const request = { ...asked, layout: anyLayout, handle: undefined, near };
    try {
      const reply = await this.call(fileOps.open, request, {
        deadlineMs,
        signal,
        settled: (late) => late && opened(late).giveBack(),
      });
      if (question) this.#caching?.answered(question);
      const file = opened(reply);
      if (reply.lent && asking) this.lent.take(asking, file, reply.attr, reply.roomAtMgr);
      return { file, attr: reply.attr };
    } finally {
      if (asking) this.lent.answered(asking);
    }
  }

  /** False when the session that had opened it was lost. */
  isOpen(file: File): boolean {
    return this.#open.has(file);
  }

  /**
   * Gives a file back, in one packet with the next change, or soon.
   * @param sent runs when that is on its way: what it asks goes in the same packet. Of one that was lent
   *   the answer tells what it is then
   */
  closeLate(file: File, sent: () => void): Promise<void> {
    if (this.#opens.close(file)) return nothing;
    return this.names?.close(file) ?? this.#closes.add(file, sent);
  }

  /** Sends those closes. */
  closeNow(): void {
    this.#closes.now();
  }

  /** Those closes have been answered, or so much time has passed. */
  async settle(ms: number): Promise<void> {
    this.closeNow();
    void this.lent.recalled('all');
    void this.names?.recalled('all');
    const { clock } = this.session.runtime;
    const closed = Promise.allSettled([...this.#closes.underWay, this.#owed()]);
    await new Promise<void>((resolve) => {
      const timer = clock.timer(ms, resolve);
      void closed.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  async #lookUp(at: Place, control: Control): Promise<Attr> {
    const { directory, path } = at;
    const question = this.#caching?.ask();
    const learn = (attr: Attr | undefined): void => {
      if (question === undefined) return;
      const cache = this.#caching?.answered(question);
      if (attr !== undefined) cache?.learn(question.moment, attr);
      cache?.learnName(question.moment, directory, path, attr?.handle);
    };
    try {
      const { attr } = await this.call(nameOps.lookup, { at, follow: false }, control);
      learn(attr);
      return attr;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) learn(undefined);
      throw error;
    }
  }

  #opened(reply: ReplyOf<typeof fileOps.open>, flags: number, durable: boolean): File {
    const path = `handle ${reply.attr.handle}`;
    return this.#keep(openedFile(this.#source, { flags, append: false, durable, path }, reply));
  }

  get #source(): FileSource {
    const { session, iods } = this.#fs;
    return { session, iods, deadlineMs: this.#deadlineMs };
  }

  #keep(file: File): File {
    this.#open.add(file);
    file.onClosed(() => {
      this.#open.delete(file);
    });
    return file;
  }

  #exactly(control: Control, ask: (timed: Control) => Promise<Attr>): Promise<Attr> {
    return untilExact(this.session.runtime, this.#deadlineMs, control, ask);
  }
}
