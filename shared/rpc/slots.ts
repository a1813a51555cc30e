/**
 * Places for mutations in flight. The server keeps one reply a slot, so a slot has one mutation at
 * a time, and a resend is told from a new one by its sequence (DESIGN 6, promise 5).
 */
import { Fifo } from '../fifo.ts';
import { limits } from '../limits.ts';
import type { Call } from './call.ts';

const none: readonly Call[] = [];

/** It wraps at 32 bits, and is never 0: that is what calls without a slot have. */
export function sequenceAfter(sequence: number): number {
  return (sequence + 1) >>> 0 || 1;
}

export class Slots {
  readonly #sequences = new Uint32Array(limits.slotsPerSession);
  /** The lowest is taken first: a server keeps no more replies than there are calls at once. */
  readonly #free = Array.from(this.#sequences, (_, slot) => slot).toReversed();
  readonly #waiting = new Fifo<Call>();

  /** @returns false when all are taken: the call is kept, and comes out of `release` */
  assign(call: Call): boolean {
    const slot = this.#free.pop();
    if (slot === undefined) this.#waiting.push(call);
    else this.#give(slot, call);
    return call.placed;
  }

  /** @returns the call that has the slot now, to be sent */
  release(call: Call): readonly Call[] {
    if (!call.placed) return none;
    call.placed = false;
    let next = this.#waiting.shift();
    while (next?.open === false) next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(call.slot);
      return none;
    }
    this.#give(call.slot, next);
    return [next];
  }

  /** The slot of a call that was given up is for the one that settles it. */
  pass(from: Call, to: Call): void {
    from.placed = false;
    this.#give(from.slot, to);
  }

  #give(slot: number, call: Call): void {
    const sequence = sequenceAfter(this.#sequences[slot] ?? 0);
    this.#sequences[slot] = sequence;
    call.slot = slot;
    call.sequence = sequence;
    call.placed = true;
  }
}
