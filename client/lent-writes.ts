/**
 * Files at the iods that the mgr has lent to us while we alone have them open (decision 24): writes that
 * follow each other are gathered here, and go to the iods together. Nobody else sees such a file
 * before it was asked back, and it goes back when the iods have all of it. What fails is told by the next
 * write, fsync or close.
 */
import { BufferPool } from '../shared/buffer-pool.ts';
import { type FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps, nameOps } from '../shared/wire/mgr-ops.ts';
import type { Caching } from './caching.ts';
import { callOptions, type Control } from './control.ts';
import { EarliestTimer } from './earliest-timer.ts';
import type { File } from './file.ts';
import type { Placed } from './file-range.ts';
import type { Askings } from './askings.ts';
import type { MgrSession } from './mgr-session.ts';
import { withinCall } from './within-call.ts';
import { WriteBehind } from './write-behind.ts';

/** An open file, written without being gathered. */
export type Writable = Pick<File, 'handle' | 'write' | 'isAtIods'>;

export interface LentWritesOptions {
  readonly session: Pick<MgrSession, 'call' | 'onLost' | 'runtime'>;
  readonly caching: Pick<Caching, 'ready' | 'readyNow'>;
  /** Hears what is asked back while something is on its way to be lent. */
  readonly recalls: Pick<Askings, 'ask' | 'answered'>;
  /** All that is open. */
  readonly open: Iterable<Pick<File, 'handle'>>;
}

/** What whoever writes offers beside the bytes. */
export interface WriteControl extends Control {
  /** Runs it when the write was answered: nobody waits for it. */
  afterwards?(run: () => void): void;
  /** The bytes stay as they are, also when the write was answered, until what it returns is called. */
  keep?(): () => void;
}

/** What was gathered, and is not on its way yet. */
interface Gathered {
  readonly file: Writable;
  readonly at: number;
  /** With room behind them; or those of a writer who keeps them for us. */
  readonly bytes: Uint8Array;
  length: number;
  readonly begunAt: number;
  readonly free: () => void;
}

/** One file that is written here. */
interface Written {
  readonly behind: WriteBehind;
  gathered: Gathered | undefined;
  isLent: boolean;
  /** Until it is known whether it is lent. */
  asking: Promise<void> | undefined;
  /** Writes that are not gathered, under way; all of late were for the end, where the mgr has placed them. */
  plain: number;
  appends: boolean;
  /** While it is lent, where it ends; `undefined`: the mgr is to be asked. */
  fileEnd: number | undefined;
  /** Where the last write ended, and how many up to then have followed each other in order, from where. */
  end: number;
  inOrder: number;
  from: number;
  /** Nothing lies behind it of what is on its way. */
  behindTo: number;
  /** When it may be asked for again. */
  askAt: number;
  usedAt: number;
}

const chunkBytes = limits.gatheredBytes;

export class LentWrites {
  readonly #options: LentWritesOptions;
  readonly #files = new Map<Handle, Written>();
  /** Of each file that was open when a write failed that had been answered: to be told once. */
  readonly #failures = new WeakMap<Pick<File, 'handle'>, FsError>();
  readonly #timer: EarliestTimer;
  readonly #buffers = new BufferPool(limits.gatheredBytesMax);
  /** Those that are in use. */
  #chunks = 0;

  constructor(options: LentWritesOptions) {
    this.#options = options;
    const { session } = options;
    this.#timer = new EarliestTimer(session.runtime.clock, () => this.#look());
    session.onLost((_, error) => this.#lost(error));
  }

  /**
   * Writes to a file at the iods; at `end`, behind its last byte.
   * @returns when its writer may go on: where the bytes are
   * @throws FsError as `File.write`; of an earlier write, what is to be told
   */
  async write(
    file: Writable,
    content: Uint8Array,
    position: number | 'end',
    control: WriteControl,
  ): Promise<Placed> {
    this.requireWritten(file);
    const written = this.#recordOf(file.handle);
    if (position === 'end' && written.asking !== undefined) {
      await this.#until(written.asking, control);
    }
    const at = position === 'end' ? this.#endOf(written) : position;
    if (at === undefined) return this.#append(file, written, content, control);
    const placed = { position: at, bytesWritten: content.length };
    const isNext = this.#follows(written, placed);
    // A longer one is worth a message to each iod by itself, and no copy.
    const isShort = content.length <= chunkBytes;
    if (isNext && isShort && this.#mayGather(written, at)) {
      await this.#gather(file, written, content, { at, control });
      // Asked back while it waited for room: then it is answered like any other.
      if (!written.isLent) await this.over(file.handle);
      return placed;
    }
    await this.#writeAt(file, written, content, { at, control });
    // For a short file it costs the mgr more than it saves.
    if (written.end - written.from >= limits.gatheredAfterBytes) this.#askFor(file, written);
    return placed;
  }

  /**
   * Writes a file in another way, behind all that was answered. Where it ends then only the mgr can tell.
   * @throws FsError ETIMEDOUT; and as `write` rejects
   */
  async otherwise<T>(handle: Handle, control: Control, write: () => Promise<T>): Promise<T> {
    const written = this.#recordOf(handle);
    written.fileEnd = undefined;
    return this.#plainly(written, 'somewhere', async () => {
      const running = this.over(handle);
      if (running !== undefined) await this.#until(running, control);
      return write();
    });
  }

  /** What was answered and has failed is told now. @throws FsError that of the write */
  requireWritten(file: Pick<File, 'handle'>): void {
    const failure = this.#failures.get(file);
    if (failure === undefined) return;
    this.#failures.delete(file);
    throw failure;
  }

  /** Sends what was gathered. @returns resolves when the iods have all that was answered; undefined: they have */
  over(handle: Handle): Promise<void> | undefined {
    const written = this.#files.get(handle);
    if (written === undefined) return undefined;
    this.#send(written);
    return written.behind.areRunning ? written.behind.settled() : undefined;
  }

  /** Somebody else wants to see them; or the connection over which they were lent is gone. */
  async recalled(handles: readonly Handle[] | 'all'): Promise<void> {
    const isAll = handles === 'all';
    const known = isAll ? [...this.#files.keys()] : handles;
    for (const handle of known) this.#back(handle);
    const running = known.flatMap((handle) => this.over(handle) ?? []);
    // Without a connection nobody waits here; the next one is told of it.
    if (!isAll) await Promise.all(running);
  }

  /** All that the iods do not have yet. */
  owed(): Promise<unknown> | undefined {
    const running = [...this.#files.keys()].flatMap((handle) => this.over(handle) ?? []);
    return running.length === 0 ? undefined : Promise.all(running);
  }

  /**
   * It is about to be closed, with which the mgr has it back.
   * @returns as `over`
   */
  closing(handle: Handle): Promise<void> | undefined {
    const written = this.#files.get(handle);
    if (written !== undefined) noLonger(written);
    return this.over(handle);
  }

  /** Nobody writes it here any more, and the iods have all of it. */
  closed(handle: Handle): void {
    this.#files.delete(handle);
  }

  // ------------------------------------------------------------- inner parts

  /** Not gathered. */
  #writeAt(
    file: Writable,
    written: Written,
    content: Uint8Array,
    { at, control }: { readonly at: number; readonly control: Control },
  ): Promise<Placed> {
    return this.#plainly(written, 'somewhere', async () => {
      this.#send(written);
      // What is written later must not come to the iods before.
      while (written.behind.areRunning && at < written.behindTo) {
        await this.#until(written.behind.settled(), control);
      }
      const writing = file.write(content, at, control);
      // Nobody else may be given a place there, before the iods know that it is taken.
      if (at + content.length === written.fileEnd)
        void written.behind.add(ended(writing), 0, false);
      return writing;
    });
  }

  /** The mgr says where. */
  async #append(
    file: Writable,
    written: Written,
    content: Uint8Array,
    control: Control,
  ): Promise<Placed> {
    const placed = await this.#plainly(written, 'end', async () => {
      // Where the end is the iods tell the mgr, and they are to know all of it.
      const running = this.over(file.handle);
      if (running !== undefined) await this.#until(running, control);
      return file.write(content, 'end', control);
    });
    this.#follows(written, placed);
    // Each of them costs the mgr a commit.
    if (written.inOrder >= limits.gatheredAfter) this.#askFor(file, written);
    return placed;
  }

  /** Runs a write that is not gathered. When it fails an iod may have stored some of it. */
  async #plainly<T>(
    written: Written,
    where: 'end' | 'somewhere',
    write: () => Promise<T>,
  ): Promise<T> {
    written.appends = where === 'end' && (written.appends || written.plain === 0);
    written.plain++;
    try {
      return await write();
    } catch (error) {
      written.fileEnd = undefined;
      throw error;
    } finally {
      written.plain--;
    }
  }

  /** @throws FsError ETIMEDOUT, ECANCELED: the call has waited for too long */
  #until(awaited: Promise<void>, control: Control): Promise<void> {
    if (control.deadlineMs === undefined && control.signal === undefined) return awaited;
    const { clock } = this.#options.session.runtime;
    const what = 'the iods have not taken yet what was written before';
    return withinCall(clock, awaited, callOptions(clock, Infinity, control), what);
  }

  /** @returns whether it begins where the last one ended */
  #follows(written: Written, { position, bytesWritten }: Placed): boolean {
    const isNext = position === written.end;
    written.inOrder = isNext ? written.inOrder + 1 : 0;
    if (!isNext) written.from = position;
    written.end = position + bytesWritten;
    if (written.fileEnd !== undefined) written.fileEnd = Math.max(written.fileEnd, written.end);
    return isNext;
  }

  /** @returns undefined: only the mgr knows */
  #endOf({ isLent, fileEnd }: Written): number | undefined {
    return isLent && this.#isValid ? fileEnd : undefined;
  }

  #recordOf(handle: Handle): Written {
    return this.#files.get(handle) ?? this.#begin(handle);
  }

  #begin(handle: Handle): Written {
    const written: Written = {
      behind: new WriteBehind((error) => this.#failed(handle, error)),
      gathered: undefined,
      isLent: false,
      asking: undefined,
      plain: 0,
      appends: false,
      fileEnd: undefined,
      end: NaN,
      inOrder: 0,
      from: 0,
      behindTo: 0,
      askAt: -Infinity,
      usedAt: -Infinity,
    };
    this.#files.set(handle, written);
    return written;
  }

  #mayGather(written: Written, position: number): boolean {
    if (!written.isLent || written.inOrder < limits.gatheredAfter) return false;
    if (written.behind.areRunning && position < written.behindTo) return false;
    const hasRoom =
      written.gathered !== undefined || this.#chunks * chunkBytes < limits.gatheredBytesMax;
    return hasRoom && this.#isValid;
  }

  /** The mgr has been heard of lately. */
  get #isValid(): boolean {
    const { caching } = this.#options;
    const isValid = caching.readyNow() !== undefined;
    // Whoever writes next may find it so.
    if (!isValid) void caching.ready();
    return isValid;
  }

  /** @returns when there is room for the next one */
  async #gather(
    file: Writable,
    written: Written,
    content: Uint8Array,
    { at, control }: { readonly at: number; readonly control: WriteControl },
  ): Promise<void> {
    const { behind } = written;
    written.usedAt = this.#now;
    // All of it before anybody waits: it has its place, and who asks for the file is to find it.
    for (let done = 0; done < content.length;) {
      // Chunks end where those of the file do, so that each iod has its part of one.
      const part = content.subarray(done, done + chunkBytes - ((at + done) % chunkBytes));
      this.#add(file, written, part, { at: at + done, control });
      done += part.length;
    }
    const { gathered } = written;
    if (gathered !== undefined && isFull(gathered)) {
      if (control.afterwards === undefined || !behind.hasRoom) this.#send(written);
      else {
        control.afterwards(() => {
          if (written.gathered === gathered) this.#send(written);
        });
      }
    }
    if (written.gathered !== undefined) this.#timer.within(limits.gatheredMs);
    await behind.room();
  }

  /** @param part within one chunk of the file */
  #add(
    file: Writable,
    written: Written,
    part: Uint8Array,
    { at, control }: { readonly at: number; readonly control: WriteControl },
  ): void {
    const { gathered } = written;
    const isOn = gathered?.file === file && gathered.at + gathered.length === at;
    if (gathered !== undefined && isOn && !isFull(gathered)) {
      gathered.bytes.set(part, gathered.length);
      gathered.length += part.length;
      return;
    }
    this.#send(written);
    this.#chunks++;
    const { length } = part;
    const begun = { file, at, length, begunAt: this.#now };
    const kept = length === chunkBytes ? control.keep?.() : undefined;
    if (kept !== undefined) {
      written.gathered = { ...begun, bytes: part, free: kept };
      return;
    }
    const bytes = this.#buffers.take(chunkBytes);
    bytes.set(part);
    written.gathered = { ...begun, bytes, free: () => this.#buffers.give(bytes) };
  }

  /** Sends what was gathered. */
  #send(written: Written): void {
    const { gathered, behind } = written;
    if (gathered === undefined) return;
    written.gathered = undefined;
    const { file, at, bytes, length } = gathered;
    written.behindTo = Math.max(behind.areRunning ? written.behindTo : 0, at + length);
    // Whoever asked for it may be gone by then.
    const writing = file.write(bytes.subarray(0, length), at, {}).finally(() => {
      this.#free(gathered);
    });
    void behind.add(writing, length, false);
  }

  get #now(): number {
    return this.#options.session.runtime.clock.now();
  }

  /** The session has ended, and with it what the iods do not have. */
  #lost(error: FsError): void {
    for (const [handle, written] of this.#files) {
      const { gathered, behind } = written;
      if (gathered !== undefined || behind.areRunning) this.#failed(handle, error);
      written.gathered = undefined;
      if (gathered !== undefined) this.#free(gathered);
    }
    this.#files.clear();
  }

  #free({ free }: Gathered): void {
    this.#chunks--;
    free();
  }

  #failed(handle: Handle, error: Error): void {
    const failure = toFsError(error);
    const { open, session } = this.#options;
    const written = this.#files.get(handle);
    // An iod may have stored some of it.
    if (written !== undefined) written.fileEnd = undefined;
    for (const file of open) if (file.handle === handle) this.#failures.set(file, failure);
    const { message: why } = failure;
    session.runtime.log.error('a write failed that was answered', { handle, why });
  }

  #back(handle: Handle): void {
    const written = this.#files.get(handle);
    if (written?.isLent !== true) return;
    noLonger(written);
    written.askAt = this.#now + limits.gatheredAgainMs;
  }

  /** Only who appends waits for it: to ask the mgr for a place would give back what it lends. */
  #askFor({ handle, isAtIods }: Writable, written: Written): void {
    const now = this.#now;
    if (!isAtIods || written.isLent || written.asking !== undefined || now < written.askAt) return;
    written.askAt = now + limits.gatheredAgainMs;
    written.asking = this.#ask(handle, written)
      // Then writes go on as they did.
      .catch(() => undefined)
      .finally(() => {
        written.asking = undefined;
      });
  }

  async #ask(handle: Handle, written: Written): Promise<void> {
    const { session, recalls, caching } = this.#options;
    if ((await caching.ready()) === undefined) return;
    const asking = recalls.ask();
    try {
      const deadline = this.#now + limits.connectTimeoutMs;
      const { lent, attr } = await session.call(fileOps.borrow, { handle }, { deadline });
      if (!lent || asking.isOver || asking.recalled.has(handle)) return;
      written.isLent = true;
      // We have written nothing since but what the mgr has placed, and nobody else will.
      written.fileEnd = written.appends && written.plain === 0 ? attr.size : undefined;
      written.askAt = -Infinity;
      written.usedAt = this.#now;
      this.#timer.within(limits.gatheredIdleMs);
    } finally {
      recalls.answered(asking);
    }
  }

  #look(): void {
    for (const [handle, written] of this.#files) {
      if (written.gathered !== undefined) this.#sendOld(written, written.gathered);
      if (written.isLent) this.#giveBackIdle(handle, written);
    }
  }

  /** So that little is lost with this process. */
  #sendOld(written: Written, { begunAt }: Gathered): void {
    const leftMs = begunAt + limits.gatheredMs - this.#now;
    if (leftMs > 0) this.#timer.within(leftMs);
    else this.#send(written);
  }

  /** A mount that dies later is in nobody's way. */
  #giveBackIdle(handle: Handle, { usedAt }: Written): void {
    const leftMs = usedAt + limits.gatheredIdleMs - this.#now;
    if (leftMs > 0) {
      this.#timer.within(leftMs);
      return;
    }
    this.#back(handle);
    // Who asks what it is has the mgr ask for it.
    const deadline = this.#now + limits.connectTimeoutMs;
    const { session } = this.#options;
    session.call(nameOps.getAttr, { handle }, { deadline }).catch(() => undefined);
  }
}

/** Up to the end of a chunk of the file. */
function isFull({ at, length }: Gathered): boolean {
  return (at + length) % chunkBytes === 0;
}

/** @returns resolves also when it fails */
function ended(writing: Promise<unknown>): Promise<void> {
  return writing.then(nothing, nothing);
}

const nothing = (): void => undefined;

function noLonger(written: Written): void {
  written.isLent = false;
  written.fileEnd = undefined;
}
