/**
 * An open file. Bytes go straight between the caller's buffers and the iods, all of them at once;
 * the mgr is asked only where a size or a place at the end is in question.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import { byteLengthOf } from '../shared/crc32.ts';
import { limits } from '../shared/limits.ts';
import { localLength } from '../shared/stripe.ts';
import { byteString, type Handle, type Timestamp } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import { fileOps, nameOps } from '../shared/wire/mgr-ops.ts';
import { type Cap, rights } from '../shared/wire/values.ts';
import type { Layout } from '../shared/stripe.ts';
import { callOptions, type Control } from './control.ts';
import { Dirty } from './dirty.ts';
import type { IodPool } from './iod-pool.ts';
import { contiguousBytes, type IoPart, planIo } from './io-plan.ts';
import type { MgrSession } from './mgr-session.ts';
import { Stats } from './stats.ts';

/** What an open file needs of the file system it belongs to. */
export interface FileSource {
  readonly session: MgrSession;
  readonly iods: IodPool;
  readonly deadlineMs: number;
}

export interface OpenGrant {
  readonly cap: Cap;
  readonly layout: Layout;
  readonly append: boolean;
  readonly durable: boolean;
  /** As the user gave it: for errors. */
  readonly path: string;
}

export class File {
  readonly layout: Layout;
  readonly path: string;
  readonly #source: FileSource;
  readonly #cap: Cap;
  readonly #append: boolean;
  readonly #durable: boolean;
  /** Iods that have been shown the cap. */
  readonly #admitted = new Set<number>();
  readonly #dirty: Dirty;
  #writtenEnd = 0;
  #modified: Timestamp | undefined;
  #closing: Promise<void> | undefined;
  #lost: FsError | undefined;
  #closedListener: (() => void) | undefined;

  constructor(source: FileSource, grant: OpenGrant) {
    this.#source = source;
    this.#cap = grant.cap;
    this.#append = grant.append;
    this.#durable = grant.durable;
    this.layout = grant.layout;
    this.path = grant.path;
    this.#dirty = new Dirty(grant.layout);
  }

  /** Number of the file in the file system. */
  get handle(): Handle {
    return this.#cap.body.handle;
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
    return this.#during('read', async () => {
      this.#need(rights.read);
      const buffers = into instanceof Uint8Array ? [into] : into;
      checkPosition(position);
      const length = Math.min(byteLengthOf(buffers), limits.fileBytesMax - position);
      if (length === 0) return 0;
      const parts = planIo(this.layout, position, length, buffers);
      const done = await this.#readParts(parts, control);
      if (done.every((count, i) => count === parts[i]?.length)) return length;
      return this.#readAgainBelowSize(parts, done, position, length, control);
    });
  }

  /**
   * Writes all of the buffers, one behind another, from `position` on; a file opened for append
   * takes them at its end instead. Durable after `sync`, or at once in a file opened so.
   * @returns where the bytes are
   * @throws FsError with `bytesDone` when only a part was stored; EBADF; EFBIG; ENOSPC …
   */
  async write(
    from: Uint8Array | readonly Uint8Array[],
    position?: number,
    control: Control = {},
  ): Promise<{ position: number; bytesWritten: number }> {
    return this.#during('write', async () => {
      this.#need(rights.write);
      const buffers = from instanceof Uint8Array ? [from] : from;
      const length = byteLengthOf(buffers);
      const at = this.#append ? await this.#reserve(length, control) : (position ?? 0);
      checkPosition(at);
      if (length > limits.fileBytesMax - at) throw new FsError('EFBIG');
      await this.#writeParts(planIo(this.layout, at, length, buffers), length, control);
      this.#writtenEnd = Math.max(this.#writtenEnd, length === 0 ? 0 : at + length);
      this.#modified = this.#source.session.runtime.clock.wall();
      if (this.#durable) await this.#sync(control);
      return { position: at, bytesWritten: length };
    });
  }

  /** All that was written is on disk, and so are size and time, when it returns (promise 1). */
  async sync(control: Control = {}): Promise<void> {
    return this.#during('fsync', () => {
      this.#need(0);
      return this.#sync(control);
    });
  }

  async stat(control: Control = {}): Promise<Stats> {
    return this.#during('fstat', async () => {
      this.#need(0);
      return new Stats(await this.#attr(control));
    });
  }

  async truncate(size = 0, control: Control = {}): Promise<void> {
    return this.#during('ftruncate', async () => {
      this.#need(rights.write);
      checkPosition(size);
      const { session } = this.#source;
      await session.call(
        nameOps.setAttr,
        {
          at: { directory: this.handle, path: emptyPath },
          follow: false,
          mode: undefined,
          uid: undefined,
          gid: undefined,
          accessed: undefined,
          modified: undefined,
          size,
        },
        this.#options(control),
      );
      this.#writtenEnd = Math.min(this.#writtenEnd, size);
    });
  }

  /**
   * Gives the file back. Idempotent: later calls wait for the first.
   * @param control `sync`: durable before it is given back
   */
  close(control: Control & { readonly sync?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#during('close', async () => {
      if (this.#lost) return;
      if (control.sync === true) await this.#sync(control);
      const wrote = this.#modified !== undefined;
      await this.#source.session.call(
        fileOps.close,
        {
          handle: this.handle,
          rights: this.#cap.body.rights,
          size: wrote ? this.#writtenEnd : undefined,
          modified: this.#modified,
        },
        this.#options(control),
      );
      this.#closedListener?.();
    });
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `listener` runs once the file has been given back. */
  onClosed(listener: () => void): void {
    this.#closedListener = listener;
  }

  /** The session that opened it has ended: nothing can be done with it any more. */
  lose(error: FsError): void {
    this.#lost ??= error;
  }

  // ------------------------------------------------------------- inner parts

  #options(control: Control) {
    const { session, deadlineMs } = this.#source;
    return callOptions(session.runtime.clock, deadlineMs, control);
  }

  async #during<T>(syscall: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw toFsError(error).during(syscall, this.path);
    }
  }

  /** @throws FsError EBADF when it is closed or was not opened for this; ESTALE when it was lost */
  #need(right: number): void {
    if (this.#lost) throw this.#lost;
    if (this.#closing) throw new FsError('EBADF', { what: 'the file is closed' });
    if ((this.#cap.body.rights & right) === right) return;
    const wanted = right === rights.write ? 'writing' : 'reading';
    throw new FsError('EBADF', { what: `the file is not open for ${wanted}` });
  }

  /** The cap goes ahead of the first request to an iod, in the same packet. */
  #iod(part: IoPart, options: ReturnType<typeof callOptions>) {
    const iod = this.#source.iods.iod(part.iod);
    if (!this.#admitted.has(part.iod)) {
      this.#admitted.add(part.iod);
      // When the cap is refused, so is the request behind it, and that one is heard.
      iod.call(dataOps.admit, { cap: this.#cap }, options).catch(() => undefined);
    }
    return iod;
  }

  /** @returns bytes read of each part */
  async #readParts(parts: readonly IoPart[], control: Control): Promise<number[]> {
    const options = this.#options(control);
    const results = await Promise.allSettled(
      parts.map(async (part) => {
        const { localOffset: offset, length, segments: into } = part;
        const request = { handle: this.handle, offset, length };
        const iod = this.#iod(part, options);
        return (await iod.call(dataOps.read, request, { ...options, into }, length)).length;
      }),
    );
    // Not before all have ended: the caller may use its buffers again when this throws.
    return results.map((result) => {
      if (result.status === 'rejected') throw toFsError(result.reason);
      return result.value;
    });
  }

  /**
   * Some objects ended early: at the end of the file, or at a hole. The mgr knows which; and what
   * another client wrote before the mgr answered is there when the objects are read again.
   */
  async #readAgainBelowSize(
    parts: readonly IoPart[],
    done: readonly number[],
    position: number,
    length: number,
    control: Control,
  ): Promise<number> {
    const { size } = await this.#attr(control);
    const count = Math.max(0, Math.min(length, size - position));
    const short = parts.filter((part, i) => {
      const end = localLength(this.layout, part.column, size);
      return (done[i] ?? 0) < Math.min(part.length, end - part.localOffset);
    });
    const again = await this.#readParts(short, control);
    short.forEach((part, i) => {
      fillWithZeros(part.segments, again[i] ?? 0);
    });
    return count;
  }

  async #writeParts(parts: readonly IoPart[], length: number, control: Control): Promise<void> {
    const options = this.#options(control);
    const done = parts.map(() => 0);
    let failure: FsError | undefined;
    await Promise.all(
      parts.map(async (part, i) => {
        const { localOffset: offset, segments: payload } = part;
        try {
          const iod = this.#iod(part, options);
          const request = { handle: this.handle, offset };
          const sent = iod.call(dataOps.write, request, { ...options, payload }, part.length);
          this.#dirty.wrote(part, (await sent).verifier);
          done[i] = part.length;
        } catch (error) {
          failure ??= toFsError(error);
        }
      }),
    );
    if (failure === undefined) return;
    const { code, weftCode: id, what } = failure;
    const bytesDone = contiguousBytes(parts, done, length);
    throw new FsError(code, { id, what, bytesDone, cause: failure });
  }

  async #sync(control: Control): Promise<void> {
    const options = this.#options(control);
    const columns = this.#dirty.take();
    const results = await Promise.allSettled(
      columns.map(async (column) => {
        const iod = this.#source.iods.iod(column.iod);
        const { verifier } = await iod.call(dataOps.sync, { handle: this.handle }, options);
        column.check(verifier);
      }),
    );
    results.forEach((result, i) => {
      const column = columns[i];
      if (result.status === 'rejected' && column) this.#dirty.putBack(column);
    });
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw toFsError(failed.reason);
    const modified = this.#modified;
    if (modified === undefined) return;
    const size = this.#writtenEnd;
    const { handle } = this;
    await this.#source.session.call(fileOps.extend, { handle, size, modified }, options);
  }

  async #reserve(length: number, control: Control): Promise<number> {
    const { session } = this.#source;
    const { handle } = this;
    return (await session.call(fileOps.reserve, { handle, length }, this.#options(control))).offset;
  }

  async #attr(control: Control) {
    const { session } = this.#source;
    const { handle } = this;
    return (await session.call(nameOps.getAttr, { handle }, this.#options(control))).attr;
  }
}

const emptyPath = byteString('');

/** @throws FsError EINVAL for what is no place in a file */
function checkPosition(position: number): void {
  if (Number.isSafeInteger(position) && position >= 0) return;
  throw new FsError('EINVAL', {
    what: `an offset is a whole number from 0 to 2^53 - 1, not ${position}`,
  });
}

/** Zeros what lies behind the first `from` bytes. */
function fillWithZeros(segments: readonly Uint8Array[], from: number): void {
  let skip = from;
  for (const segment of segments) {
    if (skip < segment.length) segment.fill(0, skip);
    skip = Math.max(0, skip - segment.length);
  }
}
