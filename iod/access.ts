/** Which requests of clients reach an object: the caps shown, the rights held, the lease. */
import { isGenuineCap, type Key } from '../shared/auth.ts';
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Peer } from '../shared/rpc/connection.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import { type Cap, rights } from '../shared/wire/values.ts';
import type { Lease } from './lease.ts';
import type { OpenTable } from './open-table.ts';

const resyncRetryMs = 20;

export class Access {
  /** Requests refused for want of a right, ever (SCENARIOS 184). */
  refusedCount = 0;
  readonly #secret: Key;
  readonly #table: OpenTable;
  readonly #lease: Lease;
  readonly #fenced = new Set<SessionId>();

  constructor(parts: { readonly secret: Key; readonly table: OpenTable; readonly lease: Lease }) {
    this.#secret = parts.secret;
    this.#table = parts.table;
    this.#lease = parts.lease;
  }

  /** @throws FsError EACCES WEFT_E_CAP_REFUSED, ESTALE WEFT_E_CAP_STALE, EAGAIN WEFT_E_RESYNCING */
  admit(cap: Cap, { session, node }: Peer): void {
    const { handle } = cap.body;
    if (cap.body.session !== session) {
      throw this.#refused(`${node} showed a cap of session ${cap.body.session} for file ${handle}`);
    }
    if (!isGenuineCap(this.#secret, cap)) {
      throw this.#refused(`${node} showed a cap for file ${handle} that the mgr has not signed`);
    }
    if (this.#table.admit(cap.body) !== 'admitted') throw this.#unknown(handle);
  }

  /** @throws FsError as `check`; EAGAIN WEFT_E_LEASE_ENDED */
  use(handle: Handle, peer: Peer, right: keyof typeof rights): void {
    const held = this.check(handle, peer);
    if ((held & rights[right]) === 0) {
      // The open that gives this right may be among those that the new table will bring.
      if (!this.#table.isCurrent) throw this.#unknown(handle);
      throw this.#refused(`${peer.node} may not ${right} file ${handle}`);
    }
    this.#lease.check();
  }

  /**
   * @returns the rights of the peer's session to the file, at least one
   * @throws FsError ESTALE WEFT_E_CAP_STALE, EACCES WEFT_E_CAP_REFUSED, EAGAIN WEFT_E_RESYNCING
   */
  check(handle: Handle, { session, node }: Peer): number {
    if (session === undefined) throw this.#refused(`${node} has no session`);
    const held = this.#table.rights(handle, session);
    if (held === 0) throw this.#unknown(handle);
    return held;
  }

  /** The session is over: nothing of it is accepted any more (SCENARIOS 113). */
  fence(session: SessionId): void {
    this.#table.drop(session);
    this.#fenced.add(session);
    if (this.#fenced.size <= limits.fencedSessionsMax) return;
    // The table has been synced long since: caps of the oldest are stale by now.
    const [oldest] = this.#fenced;
    if (oldest !== undefined) this.#fenced.delete(oldest);
  }

  isFenced(session: SessionId): boolean {
    return this.#fenced.has(session);
  }

  /** Stale only when that is sure: an iod that comes back must cost its clients no error. */
  #unknown(handle: Handle): FsError {
    if (!this.#table.isCurrent) {
      return new FsError('EAGAIN', { id: 'WEFT_E_RESYNCING', retryAfterMs: resyncRetryMs });
    }
    return new FsError('ESTALE', {
      id: 'WEFT_E_CAP_STALE',
      what: `the open of file ${handle} is not in force`,
    });
  }

  #refused(what: string): FsError {
    this.refusedCount++;
    return new FsError('EACCES', { id: 'WEFT_E_CAP_REFUSED', what });
  }
}
