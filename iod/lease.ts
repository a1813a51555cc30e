/**
 * How long this iod may serve without the mgr: the mgr moves a right past an unreachable iod only
 * when that iod's lease has surely ended, so no right has two owners (DESIGN 5, SCENARIOS 134).
 */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Clock } from '../shared/runtime/runtime.ts';

const retryAfterMs = 500;

export class Lease {
  readonly #clock: Clock;
  #until = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The mgr has answered a message.
   * @param sentAt when we sent it: the mgr counts from later on, however long it was under way
   */
  renew(sentAt: number): void {
    this.#until = Math.max(this.#until, sentAt + limits.iodLeaseMs);
  }

  /** Milliseconds until it ends; 0 when it has. */
  get leftMs(): number {
    return Math.max(0, this.#until - this.#clock.now());
  }

  /** @throws FsError EAGAIN WEFT_E_LEASE_ENDED */
  check(): void {
    if (this.#clock.now() < this.#until) return;
    throw new FsError('EAGAIN', { id: 'WEFT_E_LEASE_ENDED', retryAfterMs });
  }
}
