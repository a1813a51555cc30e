/**
 * How many bytes of payload may be on their way between two peers: calls beyond that wait, so that
 * a slow one holds up nobody's memory but its own.
 */
import { Fifo } from '../fifo.ts';
import type { Call } from './call.ts';

const none: readonly Call[] = [];

export class Window {
  readonly #bytesMax: number;
  readonly #waiting = new Fifo<Call>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns false when there is no room: the call is kept, and comes out of `release` */
  assign(call: Call): boolean {
    const mayGo = call.bulkBytes === 0 || (this.#waiting.size === 0 && this.#hasRoomFor(call));
    if (mayGo) this.#place(call);
    else this.#waiting.push(call);
    return mayGo;
  }

  /** @returns the calls for which there is room now, to be sent */
  release(call: Call): readonly Call[] {
    if (call.placed) this.#bytes -= call.bulkBytes;
    call.placed = false;
    if (this.#waiting.size === 0) return none;
    const ready: Call[] = [];
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      if (next.open) {
        if (!this.#hasRoomFor(next)) break;
        this.#place(next);
        ready.push(next);
      }
      this.#waiting.shift();
    }
    return ready;
  }

  #place(call: Call): void {
    call.placed = true;
    this.#bytes += call.bulkBytes;
  }

  /** One call may always run, however large. */
  #hasRoomFor(call: Call): boolean {
    return this.#bytes === 0 || this.#bytes + call.bulkBytes <= this.#bytesMax;
  }
}
