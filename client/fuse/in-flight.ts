/** A request from its arrival to its answer: how it is given up, and what it has borrowed. */
import type { BufferPool } from '../../shared/buffer-pool.ts';
import type { Waiting } from '../../shared/rpc/waits.ts';
import { type ByteString, displayText, type Handle } from '../../shared/units.ts';
import type { Control } from '../control.ts';
import { Killed } from './killed.ts';
import type { Operations, RequestHeader } from './protocol.ts';

/** What a handler is given beside the request. */
export interface RequestControl extends Control {
  /** A buffer of this length for the answer, taken back when that was given. */
  room(bytes: number): Uint8Array;
  /** Runs it when the answer was given: once, what is said last. */
  afterwards(run: () => void): void;
  /** Its bytes are used, also when the answer was given, until what this returns is called. */
  keep(): () => void;
}

export class InFlight implements RequestControl {
  readonly name: keyof Operations;
  readonly header: RequestHeader;
  /** On the monotonic clock. */
  readonly begunAt: number;
  readonly signal = new Killed();
  /** What it brings beside its fields: a name, or two, or something else. */
  tail: unknown;
  readonly #buffers: BufferPool;
  #borrowed: Uint8Array | undefined;
  #afterwards: (() => void) | undefined;
  /** Until nobody uses its bytes; `undefined`: only who answers it does. */
  kept: Promise<void> | undefined;

  constructor(
    name: keyof Operations,
    header: RequestHeader,
    { begunAt, buffers }: { readonly begunAt: number; readonly buffers: BufferPool },
  ) {
    this.name = name;
    this.header = header;
    this.begunAt = begunAt;
    this.#buffers = buffers;
  }

  abort(): void {
    this.signal.abort();
  }

  room(bytes: number): Uint8Array {
    this.#borrowed = this.#buffers.take(bytes);
    return this.#borrowed;
  }

  afterwards(run: () => void): void {
    this.#afterwards = run;
  }

  keep(): () => void {
    let free = nothing;
    this.kept = new Promise((resolve) => {
      free = resolve;
    });
    return free;
  }

  answered(): void {
    this.#afterwards?.();
    if (this.#borrowed !== undefined) this.#buffers.give(this.#borrowed);
  }

  /** As `weft why` tells it. @param now on the clock of `begunAt` @param callerName by thread */
  wait(now: number, callerName: (thread: number) => string): Waiting {
    const { unique, pid, node } = this.header;
    return {
      kind: 'kernel',
      peer: callerName(pid),
      handles: [node as Handle],
      forMs: now - this.begunAt,
      why: [this.name, ...namesIn(this.tail)].join(' '),
      kernel: unique,
      signal: this.signal,
    };
  }
}

const nothing = (): void => undefined;

function namesIn(tail: unknown): readonly string[] {
  const names = [tail].flat().filter((one) => typeof one === 'string');
  return names.map((name) => JSON.stringify(displayText(name as ByteString)));
}
