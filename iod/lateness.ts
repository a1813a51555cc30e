/**
 * A drill: for a while answers to clients leave later, as from a disk or a host that is slow. It ends
 * by itself, whatever becomes of who has asked for it.
 */
import { limits } from '../shared/limits.ts';
import type { Peer } from '../shared/rpc/connection.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';

export class Lateness {
  readonly #runtime: Pick<Runtime, 'clock' | 'log'>;
  #delayMs = 0;
  #endsAt = 0;

  constructor(runtime: Pick<Runtime, 'clock' | 'log'>) {
    this.#runtime = runtime;
  }

  /** Takes the place of an earlier one. The bounds are those of `drill`. */
  begin(delayMs: number, seconds: number): void {
    const { clock, log } = this.#runtime;
    this.#delayMs = Math.min(delayMs, limits.drillDelayMaxMs);
    this.#endsAt = clock.now() + Math.min(seconds, limits.drillSecondsMax) * 1000;
    log.warn('drill begun', { fault: 'slow-answers', delayMs, seconds });
  }

  /** How much later what is sent to a peer leaves, milliseconds. */
  delayMs({ role }: Pick<Peer, 'role'>): number {
    return role === 'client' && this.#runtime.clock.now() < this.#endsAt ? this.#delayMs : 0;
  }
}
