/**
 * A connection that comes back. Calls belong to the link, not to the connection: at a loss, what
 * is idempotent or has a slot is sent again on the next one, and TRY_AGAIN is obeyed, all within
 * the deadline of each call (DESIGN 6, promise 3).
 */
import { BufferPool } from '../buffer-pool.ts';
import { FsError, toFsError } from '../errno.ts';
import { limits } from '../limits.ts';
import type { Endpoint, Runtime, Timer } from '../runtime/runtime.ts';
import type { Op, Role } from '../wire/op.ts';
import { Call, type CallOptions, type CallOwner, Deadlines } from './call.ts';
import { Connection, type Peer } from './connection.ts';
import type { EpochWatch } from './epoch-watch.ts';
import { type Credential, introduce, type Self, serveLink } from './handshake.ts';
import { isPowerOfTwo, retryDelayMs } from './retry.ts';
import { Service } from './service.ts';
import { Slots } from './slots.ts';

export interface LinkOptions {
  readonly runtime: Runtime;
  readonly self: Self;
  readonly epochs: EpochWatch;
  readonly expect: Role;
  /** For errors and logs, e.g. `iod2`. */
  readonly name: string;
  /** Where the peer may be, best first; asked before each attempt. */
  readonly endpoints: () => readonly Endpoint[] | Promise<readonly Endpoint[]>;
  /** Asked before each attempt. */
  readonly credential: () => Credential;
  /** What the peer may ask of us. */
  readonly service?: Service;
  readonly buffers?: BufferPool;
  /** Connects without being asked, and again after every loss. */
  readonly persistent: boolean;
  /**
   * A new connection stands; calls wait until this is done. Rejecting closes the connection.
   * Throwing an error for which `isFinal` is true fails all that waits.
   */
  readonly onUp?: (connection: Connection, peer: Peer) => Promise<void>;
  readonly onDown?: (reason: FsError) => void;
  /** Trying again cannot help: wrong key, other cluster, lost session. */
  readonly onFinal?: (error: FsError) => void;
}

/** Errors after which a further attempt would end the same way. */
export function isFinal(error: FsError): boolean {
  return error.weftCode !== undefined && finalIds.has(error.weftCode);
}

const finalIds = new Set<string>([
  'WEFT_E_BAD_KEY',
  'WEFT_E_NO_KEY',
  'WEFT_E_VERSION',
  'WEFT_E_OTHER_CLUSTER',
  'WEFT_E_NOT_WEFT',
  'WEFT_E_NOT_MEMBER',
  'WEFT_E_STORE_REPLACED',
  'WEFT_E_STORE_OLDER',
  'WEFT_E_SESSION_LOST',
]);

export class Link implements CallOwner {
  readonly slots = new Slots();
  readonly #options: LinkOptions;
  readonly #calls: Deadlines;
  readonly #buffers: BufferPool;
  readonly #service: Service;
  #state: 'idle' | 'connecting' | 'up' | 'waiting' | 'closed' = 'idle';
  #connection: Connection | undefined;
  #failures = 0;
  #lastFailure: FsError | undefined;
  #retry: Timer | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#service = options.service ?? serveLink(new Service());
    this.#buffers = options.buffers ?? new BufferPool(limits.packetBytesMax);
    this.#calls = new Deadlines(options.runtime.clock, (call) => {
      this.#end(call, this.#tooLate(call));
    });
    if (options.persistent) this.#connect();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** The connection while it stands: for what must not outlive it. */
  get connection(): Connection | undefined {
    return this.#state === 'up' ? this.#connection : undefined;
  }

  /**
   * Sends a request and waits for its reply, over as many connections as it takes.
   * @throws FsError of the server; ETIMEDOUT at the deadline; ECANCELED; EPIPE for what may not be
   *   sent twice; and what makes a connection impossible (`isFinal`)
   */
  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    const call = new Call(this, op, request, options);
    this.#calls.add(call);
    if (options.signal) {
      call.onAbort(options.signal, (error) => {
        this.#end(call, error);
      });
    }
    if (this.#state === 'closed') this.#end(call, closedError(this.#options.name));
    if (call.open && (op.traits.resend !== 'slot' || this.slots.assign(call))) this.#send(call);
    return call.promise as Promise<R>;
  }

  /** Tries at once what would be tried later: the peer is known to be back, or elsewhere. */
  hurry(): void {
    if (this.#state !== 'waiting') return;
    this.#retry?.cancel();
    this.#connect();
  }

  /** Ends the connection and all calls. Idempotent. */
  close(reason: FsError = closedError(this.#options.name)): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#retry?.cancel();
    for (const call of this.#calls) this.#end(call, reason);
    this.#connection?.close(reason);
    this.#connection = undefined;
  }

  // ------------------------------------------------------------- what connections tell

  answered(call: Call, reply: unknown): void {
    if (!call.open) return;
    this.#finish(call);
    call.resolve(reply);
  }

  failed(call: Call, error: FsError): void {
    if (!call.open) return;
    const { runtime } = this.#options;
    if (error.code === 'EPIPE' && this.#mayResend(call)) {
      call.lastError = error;
      // The next connection sends it again; it is in `#calls` and has no carrier.
      if (this.#state === 'up' && this.#connection?.isOpen) this.#send(call);
      return;
    }
    if (error.code !== 'EAGAIN') {
      this.#end(call, error);
      return;
    }
    call.lastError = error;
    call.attempts++;
    const delay = retryDelayMs(call.attempts, runtime.random, error.retryAfterMs);
    call.retry = runtime.clock.timer(delay, () => {
      if (call.open && call.carrier === undefined) this.#send(call);
    });
  }

  // ------------------------------------------------------------- inner parts

  #mayResend(call: Call): boolean {
    return call.op.traits.resend !== 'never' && this.#state !== 'closed';
  }

  #send(call: Call): void {
    if (this.#state === 'up' && this.#connection) this.#connection.submit(call);
    else if (this.#state === 'idle') this.#connect();
  }

  #end(call: Call, error: FsError): void {
    call.carrier?.forget(call);
    if (!call.open) return;
    this.#finish(call);
    call.reject(error);
  }

  #finish(call: Call): void {
    this.#calls.delete(call);
    if (call.op.traits.resend !== 'slot') return;
    const next = this.slots.release(call);
    if (next) this.#send(next);
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#attempt().then(
      (connection) => {
        this.#up(connection);
      },
      (error: unknown) => {
        this.#down(toFsError(error));
      },
    );
  }

  async #attempt(): Promise<Connection> {
    const { endpoints, name } = this.#options;
    let failure = new FsError('ECONNREFUSED', { what: `${name} has no address yet` });
    for (const endpoint of await endpoints()) {
      try {
        return await this.#attemptAt(endpoint);
      } catch (error) {
        failure = toFsError(error);
        if (isFinal(failure)) break;
      }
    }
    throw failure;
  }

  async #attemptAt(endpoint: Endpoint): Promise<Connection> {
    const { runtime, epochs, self, expect, credential } = this.#options;
    const deadline = runtime.clock.now() + limits.connectTimeoutMs;
    const connection: Connection = new Connection({
      runtime,
      epochs,
      buffers: this.#buffers,
      service: this.#service,
      onClosed: (reason) => {
        this.#lost(connection, reason);
      },
    });
    const timeoutMs = limits.connectTimeoutMs;
    connection.open(await runtime.net.connect(endpoint, { timeoutMs }, connection));
    try {
      const nonce = runtime.random.bytes(32);
      const peer = await introduce(connection, self, credential(), { expect, nonce, deadline });
      connection.establish(peer, this.#service);
      this.#connection = connection;
      await this.#options.onUp?.(connection, peer);
      return connection;
    } catch (error) {
      connection.close(toFsError(error));
      throw error;
    }
  }

  #up(connection: Connection): void {
    if (this.#state === 'closed' || !connection.isOpen) {
      connection.close(closedError(this.#options.name));
      if (this.#state !== 'closed') this.#down(closedError(this.#options.name));
      return;
    }
    this.#state = 'up';
    this.#failures = 0;
    this.#lastFailure = undefined;
    for (const call of this.#calls) {
      const ready = call.op.traits.resend !== 'slot' || call.sequence > 0;
      if (ready && call.carrier === undefined) connection.submit(call);
    }
  }

  #lost(connection: Connection, reason: FsError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#state === 'up') this.#down(reason);
  }

  /** An attempt failed or a connection ended. */
  #down(reason: FsError): void {
    if (this.#state === 'closed') return;
    const { runtime, persistent, name, onDown, onFinal } = this.#options;
    this.#failures++;
    this.#lastFailure = reason;
    this.#state = 'idle';
    if (isPowerOfTwo(this.#failures)) {
      runtime.log.warn('link down', { to: name, why: reason.message, failures: this.#failures });
    }
    onDown?.(reason);
    if (isFinal(reason)) {
      for (const call of this.#calls) this.#end(call, reason);
      onFinal?.(reason);
      return;
    }
    if (!persistent && this.#calls.size === 0) return;
    this.#state = 'waiting';
    this.#retry = runtime.clock.timer(retryDelayMs(this.#failures, runtime.random), () => {
      this.#connect();
    });
  }

  #tooLate(call: Call): FsError {
    const { name, expect } = this.#options;
    const cause = call.lastError ?? this.#lastFailure;
    const because = cause === undefined ? '' : `: ${cause.what ?? cause.message}`;
    const unreachable = expect === 'mgr' ? 'WEFT_E_MGR_UNREACHABLE' : 'WEFT_E_IOD_DOWN';
    return new FsError('ETIMEDOUT', {
      id: this.#state === 'up' ? 'WEFT_E_DEADLINE' : unreachable,
      what: `no answer from ${name} before the deadline${because}`,
      cause,
    });
  }
}

function closedError(name: string): FsError {
  return new FsError('EPIPE', { what: `the connection to ${name} was closed` });
}
