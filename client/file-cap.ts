/**
 * The cap of an open file: it goes ahead of the first request to an iod, again when the iod does not
 * know it, and is renewed when that does not help.
 */
import { FsError, toFsError } from '../shared/errno.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Link } from '../shared/rpc/link.ts';
import type { IodIndex } from '../shared/units.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { Op } from '../shared/wire/op.ts';
import type { Cap } from '../shared/wire/values.ts';
import { callOptions } from './control.ts';
import type { FileSource } from './open-grant.ts';

/** To an iod, what was opened is not open, or not in this way. */
export function isUnknownCap({ weftCode }: FsError): boolean {
  return weftCode === 'WEFT_E_CAP_STALE' || weftCode === 'WEFT_E_CAP_REFUSED';
}

export class FileCap {
  readonly #source: FileSource;
  readonly #renew: (options: CallOptions) => Promise<Cap>;
  /** Iods that have been shown it. */
  readonly #admitted = new Set<IodIndex>();
  #cap: Cap;

  /** @param renew asks the mgr for the cap as it is now */
  constructor(source: FileSource, cap: Cap, renew: (options: CallOptions) => Promise<Cap>) {
    this.#source = source;
    this.#cap = cap;
    this.#renew = renew;
  }

  get latest(): Cap {
    return this.#cap;
  }

  /** @throws FsError of the iod, and as `renew` */
  ask<Q, R>(iod: IodIndex, op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return this.#admittedTo(iod)
      .call(op, request, options)
      .catch((error: unknown) => {
        this.#requireUnknown(iod, error);
        return this.#askAgain(iod, op, request, options);
      });
  }

  async #askAgain<Q, R>(iod: IodIndex, op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    this.#admitted.delete(iod);
    try {
      return await this.#admittedTo(iod).call(op, request, options);
    } catch (error) {
      this.#requireUnknown(iod, error);
    }
    await this.#replace(options);
    return this.#admittedTo(iod).call(op, request, options);
  }

  /** @throws any other failure */
  #requireUnknown(iod: IodIndex, error: unknown): void {
    const failure = toFsError(error);
    if (failure.weftCode === 'WEFT_E_DISK') throw this.#diskFailure(iod, failure);
    if (!isUnknownCap(failure)) throw error;
  }

  /** A mgr that has lost power may have told the iods less than we have open (decision 14). */
  async #replace(options: CallOptions): Promise<void> {
    this.#cap = await this.#renew(options);
    this.#admitted.clear();
  }

  /** An iod tells what its disk does; whose disk it is only the caller knows (SCENARIOS 217). */
  #diskFailure(iod: IodIndex, { code, weftCode: id, what, bytesDone, cause }: FsError): FsError {
    const where = this.#source.session.nameOfIod(iod);
    return new FsError(code, { id, what: `${where}: ${what}`, bytesDone, cause });
  }

  /** The cap goes ahead of the first request to an iod, in the same packet. */
  #admittedTo(iod: IodIndex): Link {
    const { session, iods, deadlineMs } = this.#source;
    const link = iods.iod(iod);
    if (this.#admitted.has(iod)) return link;
    this.#admitted.add(iod);
    // It serves all calls of the file, so the deadline and signal of this one are not its own.
    const options = callOptions(session.runtime.clock, deadlineMs, {});
    link.call(dataOps.admit, { cap: this.#cap }, options).catch(() => {
      // When the cap is refused, so is the request behind it, and that one is heard.
      this.#admitted.delete(iod);
    });
    return link;
  }
}
