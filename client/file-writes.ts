/** How the bytes of an open file come to the iods, all parts of a range at once, and to their disks. */
import { FsError, toFsError } from '../shared/errno.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle, IodIndex } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { Op } from '../shared/wire/op.ts';
import type { Cap } from '../shared/wire/values.ts';
import type { CopyPart } from './copy-plan.ts';
import type { Dirty, DirtyColumn } from './dirty.ts';
import { isUnknownCap } from './file-cap.ts';
import { contiguousBytes, type IoPart, type PlacedPart } from './io-plan.ts';
import type { WrittenExtent } from './written-extent.ts';

export interface FileWritesOptions {
  readonly handle: Handle;
  readonly runtime: Pick<Runtime, 'clock' | 'killPoint'>;
  readonly dirty: Dirty;
  readonly extent: WrittenExtent;
  readonly ask: <Q, R>(iod: IodIndex, op: Op<Q, R>, request: Q, options: CallOptions) => Promise<R>;
}

export class FileWrites {
  readonly #options: FileWritesOptions;

  constructor(options: FileWritesOptions) {
    this.#options = options;
  }

  /** @param position where in the file they begin @throws FsError with `bytesDone` */
  write(parts: readonly IoPart[], position: number, options: CallOptions): Promise<void> {
    const { handle, ask } = this.#options;
    const { deadline, signal } = options;
    return this.#store(parts, position, ({ iod, localOffset: offset, segments: payload }) =>
      ask(iod, dataOps.write, { handle, offset }, { deadline, signal, payload }),
    );
  }

  /**
   * @param from cap of the file that they are of
   * @returns false: an iod does not know it, and they are to be read and written
   * @throws as `write`
   */
  async copy(
    parts: readonly CopyPart[],
    position: number,
    from: Cap,
    options: CallOptions,
  ): Promise<boolean> {
    const { handle, ask } = this.#options;
    const send = ({ iod, localOffset: offset, fromOffset, length }: CopyPart) =>
      ask(iod, dataOps.copy, { from, fromOffset, handle, offset, length }, options);
    try {
      await this.#store(parts, position, send);
      return true;
    } catch (error) {
      if (isUnknownCap(toFsError(error))) return false;
      throw error;
    }
  }

  /**
   * @param forOthers a loss is not told now, but by the next sync
   * @throws FsError: what has failed is still to be synced, but for what is lost
   */
  async sync(
    columns: readonly DirtyColumn[],
    forOthers: boolean,
    options: CallOptions,
  ): Promise<void> {
    const { handle, ask, dirty, runtime } = this.#options;
    const syncs = columns.map(async (column) => {
      const { verifier } = await ask(column.iod, dataOps.sync, { handle }, options);
      column.check(verifier);
    });
    runtime.killPoint('client.fsync.sent');
    const results = await Promise.allSettled(syncs);
    const failures = results.flatMap((result, i) => {
      if (result.status === 'fulfilled') return [];
      const failure = toFsError(result.reason);
      const column = columns[i];
      if (column && (forOthers || !isLoss(failure))) dirty.putBack(column);
      return forOthers && isLoss(failure) ? [] : [failure];
    });
    // A loss is told once, here, as by fsync(2), so no other failure may hide it.
    const failure = failures.find(isLoss) ?? failures[0];
    if (failure) throw failure;
  }

  async #store<P extends PlacedPart>(
    parts: readonly P[],
    position: number,
    send: (part: P) => Promise<{ readonly verifier: number }>,
  ): Promise<void> {
    const { killPoint } = this.#options.runtime;
    const done = parts.map(() => 0);
    const stores = parts.map(async (part, i) => {
      const sent = send(part);
      this.#stored(part, position, (await sent).verifier);
      killPoint('client.write.part-acknowledged');
      done[i] = part.length;
    });
    killPoint('client.write.sent');
    const results = await Promise.allSettled(stores);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    this.#options.extent.fail();
    const failure = toFsError(failed.reason);
    const { code, weftCode: id, what } = failure;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const bytesDone = contiguousBytes(parts, done, length);
    throw new FsError(code, { id, what, bytesDone, cause: failure });
  }

  /** Also when other parts of the same write fail: these bytes are there, and the file has them. */
  #stored(part: PlacedPart, position: number, verifier: number): void {
    const { dirty, extent, runtime } = this.#options;
    dirty.wrote(part, verifier);
    const { at, length } = part.pieces.at(-1) ?? { at: 0, length: 0 };
    extent.reach(position + at + length, runtime.clock.wall());
  }
}

function isLoss({ weftCode }: FsError): boolean {
  return weftCode === 'WEFT_E_DATA_LOST';
}
