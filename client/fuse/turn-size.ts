/**
 * How many requests a turn of the event loop reads. One that is there costs a call, which is less than
 * a turn; one that is not costs a failure, which is more. So as many are read as there were lately, and
 * the loop hears of any others; now and then all are, to see how many there are. Pure.
 */
import { limits } from '../../shared/limits.ts';

/** One turn of so many reads all. */
const wholeEach = 16;

export class TurnSize {
  #turns = 0;
  #lately = 1;

  /** A turn begins. @returns how many it reads at most, with the one of which the loop has told */
  next(): number {
    this.#turns = (this.#turns + 1) % wholeEach;
    return this.#turns === 0 ? limits.fuseRequestsPerTurn : this.#lately;
  }

  /** There were so many, and no more at that moment, or as many as a turn may read. */
  were(requests: number): void {
    this.#lately = requests;
  }
}
