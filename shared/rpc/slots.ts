/**
 * Places for mutations in flight. The server keeps one reply a slot, so a slot has one mutation at
 * a time, and a resend is told from a new one by its sequence (DESIGN 6, promise 5).
 */
import { Fifo } from '../fifo.ts';
import { limits } from '../limits.ts';
import type { Call } from './call.ts';

export class Slots {
  readonly #sequences = new Uint32Array(limits.slotsPerSession);
  #free: number[] = [];
  readonly #waiting = new Fifo<Call>();

  constructor() {
    this.reset();
  }

  /** A new session: nothing of the old one is remembered. */
  reset(): void {
    this.#sequences.fill(0);
    this.#free = Array.from(this.#sequences, (_, slot) => slot).toReversed();
  }

  /** @returns false when all are taken: the call is kept, and comes out of `release` */
  assign(call: Call): boolean {
    const slot = this.#free.pop();
    if (slot === undefined) {
      this.#waiting.push(call);
      return false;
    }
    this.#give(slot, call);
    return true;
  }

  /** @returns the call that has the slot now, to be sent */
  release(call: Call): Call | undefined {
    if (call.sequence === 0) return undefined; // it has never had one
    const next = this.#nextWaiting();
    if (next === undefined) this.#free.push(call.slot);
    else this.#give(call.slot, next);
    call.sequence = 0;
    return next;
  }

  #give(slot: number, call: Call): void {
    const sequence = (this.#sequences[slot] ?? 0) + 1;
    this.#sequences[slot] = sequence;
    call.slot = slot;
    call.sequence = sequence;
  }

  /** First come, first served; calls that are over are passed by. */
  #nextWaiting(): Call | undefined {
    for (;;) {
      const call = this.#waiting.shift();
      if (call === undefined || call.open) return call;
    }
  }
}
