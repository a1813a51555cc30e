/**
 * An open file. Bytes go straight between the caller's buffers and the iods, all of them at once;
 * the mgr is asked only where a size or a place at the end is in question, or has the bytes itself.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import { byteLengthOf } from '../shared/byte-length.ts';
import { limits } from '../shared/limits.ts';
import { byteString, type Handle, type IodIndex, type Timestamp } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import { fileOps, nameOps } from '../shared/wire/mgr-ops.ts';
import { type Attr, type Cap, type InodeKind, rights } from '../shared/wire/values.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Op } from '../shared/wire/op.ts';
import { iodOfColumn, type Layout } from '../shared/stripe.ts';
import { type SetAttr, unchanged } from './attributes.ts';
import { callOptions, type Control, type SyncWish } from './control.ts';
import { planCopy } from './copy-plan.ts';
import { Dirty, type DirtyColumn } from './dirty.ts';
import type { GivingBack, HeldOpen } from './declared-opens.ts';
import { FileCap } from './file-cap.ts';
import { checkPosition, checkRange, type CopyRange, type Placed } from './file-range.ts';
import { sizeBelow } from './file-size.ts';
import { FileReads } from './file-reads.ts';
import { FileWrites } from './file-writes.ts';
import { searchFile } from './hole-search.ts';
import type { SharedRange } from './shared-range.ts';
import { planIo } from './io-plan.ts';
import type { FileSource, OpenGrant } from './open-grant.ts';
import type { DaemonId } from './recovery-watch.ts';
import { RunningAsks } from './running-asks.ts';
import { RunningWrites } from './running-writes.ts';
import { type Settling, SmallFile } from './small-file.ts';
import { Stats } from './stats.ts';
import { type Extent, WrittenExtent } from './written-extent.ts';

const nothingWritten = { size: undefined, modified: undefined, mayHaveHoles: false };

export class File {
  /** Of one that the mgr does not know yet, none. */
  layout: Layout;
  readonly path: string;
  /** Number of the file in the file system. */
  readonly handle: Handle;
  /** A file; or a directory, which is not held and has no bytes. */
  readonly kind: InodeKind;
  readonly #source: FileSource;
  #cap: FileCap;
  readonly #rights: number;
  readonly #durable: boolean;
  readonly #append: boolean;
  /** Requests under way, by whom they are made of. */
  readonly #asking = new RunningAsks();
  /** As soon as an iod was asked for bytes. */
  #reads: FileReads | undefined;
  #writing: FileWrites | undefined;
  #dirty: Dirty;
  readonly #extent: WrittenExtent;
  readonly #writes: RunningWrites;
  readonly #small: SmallFile | undefined;
  #closing: Promise<void> | undefined;
  #isGivenBack = false;
  #lost: FsError | undefined;
  #closedListener: (() => void) | undefined;
  /** Has the mgr told of a file that it does not know yet. */
  #bear: ((control: Control) => Promise<void>) | undefined;

  constructor(source: FileSource, grant: OpenGrant) {
    this.#source = source;
    this.#cap = this.#capOf(grant);
    this.#rights = grant.rights;
    this.#append = grant.append;
    this.#durable = grant.durable;
    this.layout = grant.layout;
    this.#bear = grant.bear;
    this.path = grant.path;
    this.handle = grant.handle;
    this.kind = grant.kind;
    this.#dirty = new Dirty(grant.layout);
    this.#writes = new RunningWrites(source.session.runtime.clock);
    this.#extent = new WrittenExtent(grant.size ?? 0);
    if (grant.roomAtMgr === undefined) return;
    this.#small = new SmallFile(this.handle, grant.roomAtMgr, (op, request, options) =>
      this.#askMgr(op, request, options),
    );
  }

  /** The mgr has made it, and opened it for us. */
  born(grant: Pick<OpenGrant, 'cap' | 'layout'>): void {
    this.#cap = this.#capOf(grant);
    this.layout = grant.layout;
    this.#dirty = new Dirty(grant.layout);
    this.#bear = undefined;
  }

  /** Closed before the mgr knew of it. @param told resolves when it does */
  closeUnborn(told: Promise<void>): void {
    this.#closing = told.then(() => this.#closedListener?.());
  }

  /**
   * Fills the buffers, one behind another, from `position` on.
   * @returns bytes read: fewer than there is room for only at the end of the file
   * @throws FsError EBADF (not open for reading), EINVAL, and what the iods and the mgr answer
   */
  async read(
    into: Uint8Array | readonly Uint8Array[],
    position: number,
    control: Control = {},
  ): Promise<number> {
    return this.#during('read', control, async () => {
      this.#need(rights.read);
      const buffers = into instanceof Uint8Array ? [into] : into;
      checkPosition(position);
      const length = Math.min(byteLengthOf(buffers), limits.fileBytesMax - position);
      if (length === 0) return 0;
      const options = this.#options(control);
      if (this.#small?.isAtMgr === true) {
        const count = await this.#small.read(buffers, position, length, options);
        if (count !== undefined) return count;
      }
      const parts = planIo(this.layout, position, length, buffers);
      const done = await this.#read.readParts(parts, options);
      if (done.every((count, i) => count === parts[i]?.length)) return length;
      const size = await this.#sizeBelow(position + length, options);
      await this.#read.fillUpTo(size, parts, done, options);
      return Math.max(0, Math.min(length, size - position));
    });
  }

  /**
   * As `read`, of what iods of this host have, without a copy. Of what is behind the end nobody is asked.
   * @returns all of it; undefined, now or later: it is to be read otherwise. Never rejects
   */
  share(
    position: number,
    length: number,
    control: Control,
  ): Promise<SharedRange | undefined> | undefined {
    if (!this.isAtIods || this.#lost || this.#closing) return undefined;
    if ((this.#rights & rights.read) === 0) return undefined;
    return this.#read.share(position, length, this.#options(control));
  }

  /**
   * Writes all of the buffers, one behind another, from `position` on; at `end`, and in a file
   * opened for append, behind its last byte. Durable after `sync`, or at once in a file opened so.
   * @returns where the bytes are
   * @throws FsError with `bytesDone` when only a part was stored; EBADF; EFBIG; ENOSPC …
   */
  async write(
    from: Uint8Array | readonly Uint8Array[],
    position: number | 'end' = 0,
    control: Control = {},
  ): Promise<Placed> {
    const write = async () => {
      this.#need(rights.write);
      const buffers = from instanceof Uint8Array ? [from] : from;
      const length = byteLengthOf(buffers);
      const options = this.#options(control);
      // Else nothing may come between the call and the checksum of its bytes.
      if (this.#cuts.arePending(this.handle)) await this.#cuts.over(this.handle, options);
      const place = this.#append ? 'end' : position;
      if (place !== 'end') checkRange(place, length);
      if (this.#small?.isAtMgr === true && length > 0) {
        const stored = await this.#small.write(buffers, place, length, options);
        if (stored !== undefined) {
          if (this.#durable) await this.#sync(options);
          return { position: stored, bytesWritten: length };
        }
      }
      const at = place === 'end' ? await this.#reserve(length, options) : place;
      this.#extent.begin(at, length, place === 'end');
      await this.#stores.write(planIo(this.layout, at, length, buffers), at, options);
      if (this.#durable) await this.#sync(options);
      return { position: at, bytesWritten: length };
    };
    return this.#during('write', control, () => this.#writes.during(write));
  }

  /**
   * Copies bytes of another file: the iods do it by themselves, where each of them has both. Durable as of
   * `write`.
   * @returns how many of the first were copied, 0 only behind the end of the other file; undefined: nothing
   *   was done, they are to be read and written
   * @throws FsError as `read` of the other file and `write`
   */
  async copyFrom(
    source: File,
    { from, to, length }: CopyRange,
    control: Control = {},
  ): Promise<number | undefined> {
    const copy = async () => {
      this.#need(rights.write);
      source.#need(rights.read);
      checkRange(from, length);
      checkRange(to, length);
      const { session } = this.#source;
      const mayBeTogether = source.isAtIods && source.handle !== this.handle && !this.append;
      if (!mayBeTogether || source.#source.session !== session) return undefined;
      const options = this.#options(control);
      if (this.#cuts.arePending(this.handle)) await this.#cuts.over(this.handle, options);
      const most = Math.min(length, this.layout.pcount * limits.copiedBytesPerIod);
      const count = Math.min(most, (await source.#sizeBelow(from + most, options)) - from);
      if (count <= 0) return 0;
      // A few of them the mgr may keep.
      if (this.#small?.isAtMgr === true && count < limits.copiedBytesMin) return undefined;
      const there = { layout: source.layout, position: from };
      const parts = planCopy(there, { layout: this.layout, position: to }, count);
      if (parts === undefined) return undefined;
      if (this.#small?.isAtMgr === true) await this.#small.moveOut(options);
      this.#extent.begin(to, count, false);
      const isDone = await this.#stores.copy(parts, to, source.#cap.latest, options);
      if (!isDone) return undefined;
      if (this.#durable) await this.#sync(options);
      return count;
    };
    return this.#during('copy_file_range', control, () => this.#writes.during(copy));
  }

  /**
   * All that was written is on disk, and so are size and time, when it returns (promise 1).
   * @param control `everything`: also what was written through other opens of the file;
   *   `forOthers`: a loss is not told now, but by the next sync of this file's own user
   */
  async sync(control: Control & SyncWish = {}): Promise<void> {
    return this.#during('fsync', control, () => {
      this.#need(0);
      return this.#sync(this.#options(control), control);
    });
  }

  async stat(control: Control = {}): Promise<Stats> {
    return this.#during('fstat', control, async () => {
      this.#need(0);
      return new Stats(await this.#attr(this.#options(control)));
    });
  }

  /**
   * The next byte from `position` on that is no hole, or the next hole, as lseek(2) finds them. What is all
   * zeros may count as a hole, and so does the end.
   * @returns undefined: there is none from there on
   */
  async seek(
    position: number,
    wanted: 'data' | 'hole',
    control: Control = {},
  ): Promise<number | undefined> {
    return this.#during('lseek', control, async () => {
      this.#need(0);
      checkPosition(position);
      const options = this.#options(control);
      const size = await this.#sizeBelow(Infinity, options);
      const { handle, layout } = this;
      const ask = (column: number, offset: number) =>
        this.#ask(iodOfColumn(layout, column), dataOps.seek, { handle, offset, wanted }, options);
      const isWhole = !this.isAtIods || (this.#rights & rights.read) === 0;
      return searchFile({ layout, position, size, wanted, ask: isWhole ? undefined : ask });
    });
  }

  async truncate(size = 0, control: Control = {}): Promise<void> {
    return this.#during('ftruncate', control, async () => {
      this.#need(rights.write);
      checkPosition(size);
      await this.#set({ size }, this.#options(control));
      this.#extent.cut(size);
    });
  }

  /** Whatever the name of the file is by now. A time that is set stays until the next write. */
  async setAttributes(change: Partial<SetAttr>, control: Control = {}): Promise<void> {
    return this.#during('setattr', control, async () => {
      this.#need(0);
      const { modified } = await this.#set(change, this.#options(control));
      if (change.modified !== undefined) this.retime(modified);
    });
  }

  /** What was written through it so far counts as written at this time, which the file has got. */
  retime(modified: Timestamp): void {
    this.#extent.retime(modified);
  }

  /** How far it was written; `unknown` when nobody but the iods knows it. */
  get written(): Extent | 'unknown' | undefined {
    return this.#extent.isUncertain || this.#writes.areRunning ? 'unknown' : this.#extent.all;
  }

  /** For a mgr that may have forgotten it; `undefined` when nothing is to be given back any more. */
  get held(): HeldOpen | undefined {
    if (this.kind === 'directory' || this.#isGivenBack || this.#bear) return undefined;
    return { cap: this.#cap.latest, rights: this.#rights };
  }

  /** Each write goes to the end of the file. */
  get append(): boolean {
    return this.#append;
  }

  /** False: the mgr has its bytes, or does not know it. */
  get isAtIods(): boolean {
    return this.#bear === undefined && this.#small?.isAtMgr !== true;
  }

  /** Settled when it was given back; `undefined` while it is open. */
  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  /** Tells the mgr what was done to the file while it was lent; it stays open. As `SmallFile.settle`. */
  async settle({ what, isChanged }: Omit<Settling, 'done'>): Promise<void> {
    const request = { ...what, handle: this.handle, rights: 0 };
    await this.#small?.settle(request, isChanged, { deadline: Infinity });
  }

  /**
   * Gives the file back. Idempotent: later calls wait for the first. One that ends at its deadline
   * goes on, and is done when the mgr is there again.
   * @param control `sync`: durable before it is given back; `settle`: of a lent file, what was done to it
   */
  close(
    control: Control & { readonly sync?: boolean; readonly settle?: Settling } = {},
  ): Promise<void> {
    this.#closing ??= this.#during('close', control, () => this.#close(control));
    return this.#closing;
  }

  /** Nobody has got it, or wants it: it is closed when that is possible, and nobody waits. */
  giveBack(): void {
    // What fails with the session is closed by its end.
    this.close({ deadlineMs: Infinity }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `listener` runs once the file has been given back. */
  onClosed(listener: () => void): void {
    this.#closedListener = listener;
  }

  /** True while a call of the file cannot end without this daemon. */
  waitsFor(daemon: DaemonId): boolean {
    return this.#asking.include(daemon);
  }

  /** The mgr has lost its host: what it had not synced may be gone. */
  mgrLostHost(): void {
    this.#small?.hostLost();
  }

  /** The session that opened it has ended: nothing can be done with it any more. */
  lose(error: FsError): void {
    this.#lost ??= error;
    this.#reads?.close();
  }

  // ------------------------------------------------------------- inner parts

  /** One deadline for all that a call of the user takes. */
  #options(control: Control) {
    const { session, deadlineMs } = this.#source;
    return callOptions(session.runtime.clock, deadlineMs, control);
  }

  async #during<T>(syscall: string, control: Control, run: () => Promise<T>): Promise<T> {
    try {
      if (this.#bear && !this.#lost && !this.#closing) await this.#bear(control);
      return await run();
    } catch (error) {
      throw toFsError(error).during(syscall, this.path);
    }
  }

  /** @throws FsError EBADF when it is closed or was not opened for this; ESTALE when it was lost */
  #need(right: number): void {
    if (this.#lost) throw this.#lost;
    if (this.#closing) throw new FsError('EBADF', { what: 'the file is closed' });
    if ((this.#rights & right) === right) return;
    const wanted = right === rights.write ? 'writing' : 'reading';
    throw new FsError('EBADF', { what: `the file is not open for ${wanted}` });
  }

  /** Asks an iod; again with the cap ahead, and then with one of now, when it does not know it. */
  #ask<Q, R>(iod: IodIndex, op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return this.#asking.during(iod, this.#cap.ask(iod, op, request, options));
  }

  #askMgr<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return this.#asking.during('mgr', this.#source.session.call(op, request, options));
  }

  #capOf({ cap }: Pick<OpenGrant, 'cap'>): FileCap {
    return new FileCap(this.#source, cap, (options) => this.#renewedCap(options));
  }

  async #renewedCap(options: CallOptions): Promise<Cap> {
    const { handle } = this;
    return (await this.#askMgr(fileOps.renew, { handle }, options)).cap;
  }

  get #read(): FileReads {
    this.#reads ??= new FileReads({
      handle: this.handle,
      layout: this.layout,
      direct: this.#source.iods.direct?.file(this.handle, this.#cap),
      ask: (iod, op, request, options) => this.#ask(iod, op, request, options),
    });
    return this.#reads;
  }

  get #stores(): FileWrites {
    this.#writing ??= new FileWrites({
      handle: this.handle,
      runtime: this.#source.session.runtime,
      dirty: this.#dirty,
      extent: this.#extent,
      ask: (iod, op, request, options) => this.#ask(iod, op, request, options),
    });
    return this.#writing;
  }

  async #sync(options: CallOptions, wish: SyncWish = {}): Promise<void> {
    const { everything, forOthers } = wish;
    const columns = await this.#toSync(everything === true, options);
    await this.#stores.sync(columns, forOthers === true, options);
    const tellMgr = () => this.#extend(options, wish);
    await (this.#small?.sync(tellMgr) ?? tellMgr());
    if (forOthers !== true) this.#small?.requireKept();
  }

  async #toSync(everything: boolean, options: CallOptions): Promise<readonly DirtyColumn[]> {
    if (!everything) return this.#dirty.take();
    // What the mgr has is no iod to sync.
    const mayBeAtMgr = this.#small?.isAtMgr === true;
    const isAtMgr = mayBeAtMgr && (await this.#attr(options)).place !== 'iods';
    return isAtMgr ? this.#dirty.take() : this.#dirty.takeAll();
  }

  async #extend(options: CallOptions, { forOthers }: SyncWish): Promise<void> {
    const written = this.#extent.all;
    if (written === undefined) {
      // What others have changed of it is to be durable too: one question for all of them.
      if (forOthers !== true || this.#small?.isUnsynced === true)
        await this.#askMgr(fileOps.flush, {}, options);
      return;
    }
    const request = { handle: this.handle, ...written };
    await this.#extent.tell(() => this.#askMgr(fileOps.extend, request, options));
  }

  async #close(
    control: Control & { readonly sync?: boolean; readonly settle?: Settling },
  ): Promise<void> {
    this.#reads?.close();
    if (this.#lost || this.kind === 'directory') return this.#closedListener?.();
    const options = this.#options(control);
    if (this.#writes.areRunning) await this.#writes.over(options.deadline);
    const synced = control.sync === true ? await Promise.allSettled([this.#sync(options)]) : [];
    if (this.written === 'unknown') await this.#learnSize(options);
    const untold = this.#extent.untold ?? nothingWritten;
    const { settle } = control;
    const goesOn = { ...options, goesOn: true };
    const { session } = this.#source;
    const back = { handle: this.handle, rights: this.#rights };
    // Given back also when the sync failed: nobody can close it a second time.
    const giveBack = <T extends GivingBack>(request: T): T => {
      session.givesBack(request, this.#cap.latest);
      this.#isGivenBack = true;
      return request;
    };
    const closing =
      settle === undefined || this.#small === undefined
        ? this.#askMgr(fileOps.close, giveBack({ ...back, ...untold }), goesOn)
        : this.#small
            .settle(giveBack({ ...settle.what, ...back }), settle.isChanged, options)
            .then(settle.done);
    session.runtime.killPoint('client.close.sent');
    const closed = await Promise.allSettled([closing]);
    const failed = [...synced, ...closed].find((result) => result.status === 'rejected');
    this.#closedListener?.();
    if (failed) throw toFsError(failed.reason);
  }

  /** Bytes of a failed write count too where they are: else they would lie behind the end. */
  async #learnSize(options: CallOptions): Promise<void> {
    const [asked] = await Promise.allSettled([this.#attr(options)]);
    // When nobody can tell, what was acknowledged is what counts.
    if (asked.status === 'rejected') return;
    this.#extent.learn(asked.value);
  }

  #sizeBelow(end: number, options: CallOptions): Promise<number> {
    const { runtime } = this.#source.session;
    return sizeBelow(runtime, end, options.deadline, () => this.#attr(options));
  }

  get #cuts() {
    return this.#source.session.givenUpCuts;
  }

  async #set(change: Partial<SetAttr>, options: CallOptions): Promise<Attr> {
    const at = { directory: this.handle, path: byteString('') };
    const request = { ...unchanged, ...change, at, follow: false };
    return (await this.#askMgr(nameOps.setAttr, request, options)).attr;
  }

  async #reserve(length: number, options: CallOptions): Promise<number> {
    const { handle } = this;
    const { offset } = await this.#askMgr(fileOps.reserve, { handle, length }, options);
    this.#small?.leave();
    return offset;
  }

  async #attr(options: CallOptions): Promise<Attr> {
    const { attr } = await this.#askMgr(nameOps.getAttr, { handle: this.handle }, options);
    if (attr.place === 'iods') this.#small?.leave();
    return attr;
  }
}
