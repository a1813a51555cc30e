/**
 * What an open file does while its bytes are in the mgr's store: the mgr is asked for each read and
 * told of each write, and what it has acknowledged is durable. Once it says that they have moved to
 * the iods, they stay there.
 */
import { limits } from '../shared/limits.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Handle } from '../shared/units.ts';
import { fileOps } from '../shared/wire/mgr-ops.ts';
import type { Op } from '../shared/wire/op.ts';

/** Asks the mgr. */
export type AskMgr = <Q, R>(op: Op<Q, R>, request: Q, options: CallOptions) => Promise<R>;

export class SmallFile {
  readonly #handle: Handle;
  readonly #room: number;
  readonly #ask: AskMgr;
  #isAtMgr = true;

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
      if (offset !== undefined) return offset;
    } else if (place !== 'end') {
      await this.#ask(fileOps.moveOut, { handle }, options);
    } else return undefined; // To reserve a place at the end moves them.
    this.leave();
    return undefined;
  }
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
