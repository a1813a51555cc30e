/** A request from its arrival to its answer: how it is given up, and what it has borrowed. */
import type { BufferPool } from '../../shared/buffer-pool.ts';
import type { Control } from '../control.ts';

/** What a handler is given beside the request. */
export interface RequestControl extends Control {
  /** A buffer of this length for the answer, taken back when that was given. */
  room(bytes: number): Uint8Array;
}

export class InFlight implements RequestControl {
  /** Whose caller waits. */
  readonly thread: number;
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #buffers: BufferPool;
  #borrowed: Uint8Array | undefined;

  constructor(thread: number, buffers: BufferPool) {
    this.thread = thread;
    this.signal = this.#abort.signal;
    this.#buffers = buffers;
  }

  abort(): void {
    this.#abort.abort();
  }

  room(bytes: number): Uint8Array {
    this.#borrowed = this.#buffers.take(bytes);
    return this.#borrowed;
  }

  answered(): void {
    if (this.#borrowed !== undefined) this.#buffers.give(this.#borrowed);
  }
}
