/**
 * One request on its way to an answer. The call outlives connections: whoever owns it decides at
 * each loss or TRY_AGAIN whether it is sent again; its deadline always ends it (promise 6).
 */
import { FsError } from '../errno.ts';
import { byteLengthOf } from '../byte-length.ts';
import { checksumOf } from '../checksum.ts';
import { type Linked, LinkedList } from '../linked-list.ts';
import type { Clock, Timer } from '../runtime/runtime.ts';
import type { Op } from '../wire/op.ts';
import { type CallSignal, watchAbort } from './abort.ts';

export interface CallOptions<R = unknown> {
  /** On the caller's monotonic clock, milliseconds; `Infinity` for none. */
  readonly deadline: number;
  readonly signal?: CallSignal | undefined;
  /**
   * Its deadline and signal end the waiting of its caller only: what must be given back is given
   * back at last (SCENARIOS 174). Of a link, and without bytes.
   */
  readonly goesOn?: boolean | undefined;
  /**
   * Of a link: when the call has failed, hears what has become of it, which of a change that was
   * given up is only known later. `undefined`: it was not made, and never will be (SCENARIOS 118).
   */
  readonly settled?: ((reply: R | undefined) => void) | undefined;
  /** Sent behind the request; the caller's own again when the call has ended, however it ended. */
  readonly payload?: readonly Uint8Array[] | undefined;
  /** Receives the payload of the reply from its start on. */
  readonly into?: readonly Uint8Array[] | undefined;
}

/** Decides what becomes of a call when a connection is done with it. */
export interface CallOwner {
  answered(call: Call, reply: unknown): void;
  failed(call: Call, error: FsError): void;
}

/** Where a call is in flight: enough to take it back. */
export interface Carrier {
  /** Nothing happens to the call any more, and neither buffers nor payload are touched. */
  forget(call: Call): void;
}

const nothing: readonly Uint8Array[] = [];

export class Call implements Linked<Call> {
  /** In the list of those whose deadlines are watched. */
  before: Call | undefined;
  after: Call | undefined;
  readonly op: Op;
  readonly request: unknown;
  deadline: number;
  readonly signal: CallSignal | undefined;
  readonly goesOn: boolean;
  readonly settled: CallOptions['settled'];
  readonly payload: readonly Uint8Array[];
  readonly payloadChecksum: number;
  readonly into: readonly Uint8Array[] | undefined;
  /** Payload bytes that it brings or fetches. */
  readonly bulkBytes: number;
  readonly owner: CallOwner;
  readonly promise: Promise<unknown>;
  /** For the flight recorder, the same in all attempts; 0 before the first. */
  number = 0;
  /** Tag on the present carrier. */
  tag = 0;
  /** The change that was given up, of which this one asks what has become of it. */
  settles: Call | undefined;
  /** It has the slot, or the share of the window, without which it is not sent. */
  placed = false;
  slot = 0;
  sequence = 0;
  attempts = 0;
  /** When it was first sent, or had to wait for that; on the caller's clock, 0 before. */
  begunAt = 0;
  carrier: Carrier | undefined;
  /** Why it is being tried again: the better half of a deadline error. */
  lastError: FsError | undefined;
  /** The next attempt, while it waits for its time. */
  retry: Timer | undefined;
  #resolve: ((reply: unknown) => void) | undefined;
  #reject: ((error: FsError) => void) | undefined;
  #unlisten: (() => void) | undefined;
  #over = false;
  /** Networks that still have the payload; the caller is not told before they have let it go. */
  #borrowers = 0;
  #tell: (() => void) | undefined;

  constructor(owner: CallOwner, op: Op, request: unknown, options: CallOptions) {
    this.owner = owner;
    this.op = op;
    this.request = request;
    this.deadline = options.deadline;
    this.signal = options.signal;
    this.goesOn = options.goesOn ?? false;
    this.settled = options.settled;
    this.payload = options.payload ?? nothing;
    this.payloadChecksum = options.payload === undefined ? 0 : checksumOf(options.payload);
    this.into = options.into;
    this.bulkBytes = byteLengthOf(this.payload) + byteLengthOf(this.into ?? nothing);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** False once the caller has its answer: nothing that happens later matters. */
  get open(): boolean {
    return !this.#over;
  }

  /** @param cancel runs once when the signal fires before the call is over */
  onAbort(signal: CallSignal, cancel: (error: FsError) => void): void {
    const abort = (): void => {
      cancel(new FsError('ECANCELED', { cause: signal.reason }));
    };
    if (signal.aborted) abort();
    else this.#unlisten = watchAbort(signal, abort);
  }

  /** Its caller waits no longer, and it goes on. */
  leave(error: FsError): void {
    this.deadline = Infinity;
    this.#unlisten?.();
    this.#reject?.(error);
  }

  /** Something may still read the payload. */
  get isLent(): boolean {
    return this.#borrowers > 0;
  }

  /** The payload is handed to a network. @returns what to call when it has let it go */
  lend(): () => void {
    this.#borrowers++;
    return () => {
      if (--this.#borrowers === 0) this.#tell?.();
    };
  }

  resolve(reply: unknown): void {
    this.#end();
    if (this.isLent) this.#tell = () => this.#resolve?.(reply);
    else this.#resolve?.(reply);
  }

  /** Whoever carries it must have been made to let go of the payload: see `Carrier.forget`. */
  reject(error: FsError): void {
    this.#end();
    if (this.isLent) this.#tell = () => this.#reject?.(error);
    else this.#reject?.(error);
  }

  #end(): void {
    this.#over = true;
    this.retry?.cancel();
    this.#unlisten?.();
  }
}

/** What ends at its deadline. */
export interface Timed<T> extends Linked<T> {
  readonly deadline: number;
}

/**
 * Ends calls at their deadlines with one timer for all. Deadlines are mostly of one length, so the
 * timer is set again only when it fires, or for a call that is due earlier than it.
 */
export class Deadlines<T extends Timed<T> = Call> {
  readonly #clock: Clock;
  readonly #expire: (call: T) => void;
  readonly #calls = new LinkedList<T>();
  #timer: Timer | undefined;
  #firesAt = Infinity;

  constructor(clock: Clock, expire: (call: T) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  get size(): number {
    return this.#calls.size;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#calls[Symbol.iterator]();
  }

  add(call: T): void {
    this.#calls.push(call);
    if (call.deadline < this.#firesAt) this.#arm(call.deadline);
  }

  delete(call: T): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#disarm();
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#firesAt = at;
    this.#timer = this.#clock.timer(Math.max(0, at - this.#clock.now()), () => {
      this.#fire();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#firesAt = Infinity;
  }

  #fire(): void {
    this.#disarm();
    const now = this.#clock.now();
    let next = Infinity;
    for (const call of this.#calls) {
      if (call.deadline <= now) this.#expire(call);
      else next = Math.min(next, call.deadline);
    }
    if (next < this.#firesAt && this.#calls.size > 0) this.#arm(next);
  }
}
