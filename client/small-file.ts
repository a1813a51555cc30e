/**
 * What an open file does while its bytes are in the mgr's store: the mgr is asked for each read and
 * told of each write, and what it has acknowledged is durable after a sync. Once it says that they
 * have moved to the iods, which makes them durable, they stay there.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps } from '../shared/wire/mgr-ops.ts';
import type { Op, RequestOf } from '../shared/wire/op.ts';
import type { Attr } from '../shared/wire/values.ts';

/** What was done to the file while it was lent. */
export type Settlement = Omit<RequestOf<typeof fileOps.settle>, 'handle' | 'rights'>;

export interface Settling {
  readonly what: Settlement;
  /** Something was done. */
  readonly isChanged: boolean;
  /** Hears what the file is when it is done. */
  readonly done: (attr: Attr) => void;
}

/** Asks the mgr. */
export type AskMgr = <Q, R>(op: Op<Q, R>, request: Q, options: CallOptions) => Promise<R>;

export class SmallFile {
  readonly #handle: Handle;
  readonly #room: number;
  readonly #ask: AskMgr;
  #isAtMgr = true;
  /** Writes that were acknowledged; the first of them are known to be durable. */
  #written = 0;
  #durable = 0;
  #lost: FsError | undefined;

  /** @param room bytes that the file may have at the mgr */
  constructor(handle: Handle, room: number, ask: AskMgr) {
    this.#handle = handle;
    this.#room = room;
    this.#ask = ask;
  }

  /** False: the bytes are at the iods, and nobody is to be asked here. */
  get isAtMgr(): boolean {
    return this.#isAtMgr;
  }

  /** The bytes are at the iods from now on. */
  leave(): void {
    this.#isAtMgr = false;
    this.#durable = this.#written;
  }

  /** Something was written that may not be durable yet. */
  get isUnsynced(): boolean {
    return this.#written > this.#durable;
  }

  /** The mgr has lost its host, and with it perhaps what was not synced. */
  hostLost(): void {
    if (this.isUnsynced)
      this.lose('the host of the mgr was lost, perhaps with writes that were not synced yet');
    this.#durable = this.#written;
  }

  /** What was written is lost, or may be. @param what has become of it */
  lose(what: string, cause?: FsError): void {
    this.#lost ??= new FsError('EIO', { id: 'WEFT_E_DATA_LOST', what, cause });
  }

  /**
   * Tells what was done while the file was lent. Nobody can give that up.
   * @param isChanged else nothing can be lost
   * @returns what the file is then
   * @throws FsError EIO WEFT_E_DATA_LOST, and what the mgr answers; the next sync says so too
   */
  async settle(
    request: RequestOf<typeof fileOps.settle>,
    isChanged: boolean,
    options: CallOptions,
  ): Promise<Attr> {
    try {
      const { attr } = await this.#ask(fileOps.settle, request, { ...options, goesOn: true });
      if (attr === undefined) throw changedMeanwhile();
      if (isChanged) this.#written++;
      return attr;
    } catch (error) {
      const cause = toFsError(error);
      if (isChanged) this.lose(cause.what ?? cause.message, cause);
      throw cause;
    }
  }

  /** @param sync makes durable all that the mgr has acknowledged */
  async sync(sync: () => Promise<void>): Promise<void> {
    const written = this.#written;
    await sync();
    this.#durable = Math.max(this.#durable, written);
  }

  /** Tells of a loss, once. @throws FsError EIO WEFT_E_DATA_LOST */
  requireKept(): void {
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost !== undefined) throw lost;
  }

  /** @returns bytes read, fewer only at the end of the file; `undefined`: they are at the iods */
  async read(
    into: readonly Uint8Array[],
    offset: number,
    length: number,
    options: CallOptions,
  ): Promise<number | undefined> {
    // No file at the mgr is longer.
    const request = { handle: this.#handle, offset, length: Math.min(length, longest) };
    const { bytes } = await this.#ask(fileOps.readSmall, request, options);
    if (bytes === undefined) this.leave();
    else scatter(bytes, into);
    return bytes?.length;
  }

  /**
   * Writes all of it, or sees to it that the bytes of the file are at the iods.
   * @returns where it is; `undefined`: it is to be written to the iods
   */
  async write(
    from: readonly Uint8Array[],
    place: number | 'end',
    length: number,
    options: CallOptions,
  ): Promise<number | undefined> {
    const handle = this.#handle;
    if ((place === 'end' ? 0 : place) + length <= this.#room) {
      // A copy, or a message that is sent again could hold what the caller's buffers hold by then.
      const bytes = Buffer.concat(from);
      const wish = { handle, offset: place === 'end' ? undefined : place, bytes };
      const { offset } = await this.#ask(fileOps.writeSmall, wish, options);
      if (offset !== undefined) {
        this.#written++;
        return offset;
      }
      this.leave();
    } else if (place !== 'end') await this.moveOut(options);
    // To reserve a place at the end moves them.
    return undefined;
  }

  /** Sees to it that the bytes are at the iods. */
  async moveOut(options: CallOptions): Promise<void> {
    await this.#ask(fileOps.moveOut, { handle: this.#handle }, options);
    this.leave();
  }
}

function changedMeanwhile(): FsError {
  return new FsError('EIO', {
    id: 'WEFT_E_DATA_LOST',
    what: 'somebody has changed the new file while the mgr had not heard of what was written to it',
  });
}

const longest = limits.smallFileBytesMax;

function scatter(bytes: Uint8Array, into: readonly Uint8Array[]): void {
  let at = 0;
  for (const buffer of into) {
    buffer.set(bytes.subarray(at, at + buffer.length));
    at += buffer.length;
    if (at >= bytes.length) return;
  }
}
