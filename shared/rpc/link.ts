/**
 * A connection that comes back. Calls belong to the link, not to the connection: at a loss, what
 * is idempotent or has a slot is sent again on the next one, and TRY_AGAIN is obeyed, all within
 * the deadline of each call (DESIGN 6, promise 3).
 */
import { BufferPool } from '../buffer-pool.ts';
import { errnos, FsError, toFsError } from '../errno.ts';
import { limits } from '../limits.ts';
import { recordKinds } from '../trace/record.ts';
import type { Endpoint, Runtime, Timer } from '../runtime/runtime.ts';
import { decode } from '../wire/codec.ts';
import { sessionOps } from '../wire/mgr-ops.ts';
import type { Op, ReplyOf, Role } from '../wire/op.ts';
import { Call, type CallOptions, type CallOwner, Deadlines } from './call.ts';
import { Connection } from './connection.ts';
import type { EpochWatch } from './epoch-watch.ts';
import { endIfOurs } from './failures.ts';
import { type Credential, introduce, type Self, serveLink } from './handshake.ts';
import { isPowerOfTwo, retryDelayMs } from './retry.ts';
import { type AnswerMeter, Service } from './service.ts';
import { Slots } from './slots.ts';
import { type Waiting, waitOfCall, waitOfUnsent } from './waits.ts';
import { Window } from './window.ts';

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
  /** How long the next attempt may take; `limits.connectTimeoutMs` by default. */
  readonly attemptMs?: () => number;
  /** What the peer may ask of us. */
  readonly service?: Service;
  readonly buffers?: BufferPool;
  /** Bytes of payload on their way at once; calls beyond that wait. Unbounded by default. */
  readonly windowBytes?: number;
  /** Connects without being asked, and again after every loss. */
  readonly persistent: boolean;
  /**
   * A new connection stands; calls wait until this is done. Rejecting closes the connection.
   * Throwing an error for which `isFinal` is true fails all that waits.
   */
  readonly onUp?: (connection: Connection) => Promise<void>;
  readonly onDown?: (reason: FsError) => void;
  /** Hears of each call when it has ended; asked for then. */
  readonly meter?: (() => AnswerMeter | undefined) | undefined;
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
  'WEFT_E_TICKET',
  'WEFT_E_VERSION',
  'WEFT_E_OTHER_CLUSTER',
  'WEFT_E_NOT_WEFT',
  'WEFT_E_NOT_MEMBER',
  'WEFT_E_STORE_REPLACED',
  'WEFT_E_STORE_OLDER',
  'WEFT_E_SESSION_LOST',
]);

export class Link implements CallOwner {
  readonly #options: LinkOptions;
  readonly #slots = new Slots();
  readonly #window: Window;
  readonly #calls: Deadlines;
  readonly #buffers: BufferPool;
  readonly #service: Service;
  #state: 'idle' | 'connecting' | 'up' | 'waiting' = 'idle';
  /** That which stands, or is tried. */
  #connection: Connection | undefined;
  #failures = 0;
  #lastFailure: FsError | undefined;
  #retry: Timer | undefined;
  #closed: FsError | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#window = new Window(options.windowBytes ?? Infinity);
    this.#service = options.service ?? serveLink(new Service());
    this.#buffers = options.buffers ?? new BufferPool(limits.packetBytesMax);
    this.#calls = new Deadlines(options.runtime.clock, (call) => {
      this.#giveUp(call, this.#tooLate(call));
    });
    if (options.persistent) this.#connect();
  }

  get isUp(): boolean {
    return this.connection !== undefined;
  }

  /** Calls that have not ended. */
  get running(): number {
    return this.#calls.size;
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
  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions<NoInfer<R>>): Promise<R> {
    const call = new Call(this, op, request, options as CallOptions);
    this.#calls.add(call);
    if (options.signal) {
      call.onAbort(options.signal, (error) => {
        this.#giveUp(call, error);
      });
    }
    if (this.#closed) this.#end(call, this.#closed);
    if (call.open && this.#places(call).assign(call)) this.#send(call);
    else call.begunAt = this.#options.runtime.clock.now();
    return call.promise as Promise<R>;
  }

  /** Its calls, and what else waits on its connection. */
  *waits(): Iterable<Waiting> {
    const { runtime, name } = this.#options;
    for (const call of this.#calls) {
      if (call.carrier !== undefined && this.connection) yield waitOfCall(this.connection, call);
      else yield waitOfUnsent(call, runtime.clock.now(), name, this.#obstacle(call));
    }
    if (this.connection) yield* this.connection.waits();
  }

  /** Changes that have no answer yet, or one that is still to be settled. */
  *changes(): Iterable<Readonly<Call>> {
    for (const call of this.#calls) if (isChange(call)) yield call;
  }

  /** Ends the connection and all calls. Idempotent. */
  close(reason: FsError = closedError(this.#options.name)): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#retry?.cancel();
    for (const call of this.#calls) this.#end(call, reason);
    this.#connection?.close(reason);
  }

  // ------------------------------------------------------------- what connections tell

  answered(call: Call, reply: unknown): void {
    if (!call.open) return;
    call.resolve(reply);
    this.#count(call);
    this.#finish(call);
  }

  failed(call: Call, error: FsError): void {
    if (!call.open) return;
    const mayResend = call.op.traits.resend !== 'never';
    const isObeyed = error.code === 'EAGAIN' || (error.code === 'EPIPE' && mayResend);
    const again = isObeyed || mustBeDone(call, error);
    if (!again || this.#closed) {
      if (isDoubtful(call, error)) this.#giveUp(call, error);
      else this.#end(call, this.#closed ?? error);
      return;
    }
    call.lastError = error;
    if (!isObeyed && call.goesOn) call.leave(error);
    // The next connection sends it again; it is in `#calls` and has no carrier.
    if (this.#connection?.isOpen !== true) return;
    const { clock, random } = this.#options.runtime;
    call.attempts++;
    call.retry?.cancel();
    call.retry = clock.timer(retryDelayMs(call.attempts, random, error.retryAfterMs), () => {
      if (call.open && call.carrier === undefined) this.#send(call);
    });
  }

  // ------------------------------------------------------------- inner parts

  #places(call: Call): Slots | Window {
    return isChange(call) ? this.#slots : this.#window;
  }

  #send(call: Call): void {
    this.#submit(call);
    if (this.#state === 'idle') this.#connect();
  }

  /** When nothing stands, the next connection sends it. */
  #submit(call: Call): void {
    if (this.#state === 'up') this.#connection?.submit(call);
    else if (call.begunAt === 0) call.begunAt = this.#options.runtime.clock.now();
  }

  /** Why a call that no connection carries does not go on. */
  #obstacle(call: Call): string {
    const { name } = this.#options;
    if (!call.placed) return `${name} has as much to do for this client as it may have at once`;
    const reason = this.#state === 'up' ? call.lastError : this.#lastFailure;
    const because = reason === undefined ? '' : `: ${reason.what ?? reason.message}`;
    return this.#state === 'up'
      ? `to be sent again, attempt ${call.attempts + 1}${because}`
      : `${name} is not connected${because}`;
  }

  /** Nobody waits for it any more. */
  #giveUp(call: Call, error: FsError): void {
    if (call.goesOn) call.leave(error);
    else if (isChange(call) && call.placed && call.number > 0) this.#abandon(call, error);
    else this.#end(call, error);
  }

  /**
   * A change that was sent may have been made, or may be yet. The next one in its slot asks what has
   * become of it and ends that, and whatever we send from now on comes behind it (SCENARIOS 118).
   */
  #abandon(call: Call, error: FsError): void {
    const { op, sequence } = call;
    const abandon = new Call(this, sessionOps.abandon, { sequence }, { deadline: Infinity });
    abandon.settles = call;
    this.#slots.pass(call, abandon);
    call.carrier?.forget(call);
    call.reject(error);
    this.#count(call, error);
    this.#calls.delete(call);
    this.#calls.add(abandon);
    this.#send(abandon);
    (abandon.promise as Promise<ReplyOf<typeof sessionOps.abandon>>)
      .then(
        ({ made }) => made && decode(op.reply, made.reply),
        // It went with its session.
        () => undefined,
      )
      .then((reply) => call.settled?.(reply))
      .catch((reason: unknown) => this.#connection?.breach(reason));
  }

  #end(call: Call, error: FsError): void {
    call.carrier?.forget(call);
    if (!call.open) return;
    call.reject(error);
    this.#count(call, error);
    this.#finish(call);
    call.settled?.(undefined);
  }

  #count({ op, begunAt, bulkBytes }: Call, error?: FsError): void {
    const meter = this.#options.meter?.();
    // What was never begun has cost nothing.
    if (begunAt > 0) meter?.answered(op, begunAt, error, bulkBytes);
  }

  #finish(call: Call): void {
    this.#calls.delete(call);
    for (const next of this.#places(call).release(call)) this.#submit(next);
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#attempt().then(
      (connection) => {
        this.#up(connection);
      },
      (error: unknown) => {
        endIfOurs(error, this.#options.runtime.clock);
        this.#down(toFsError(error));
      },
    );
  }

  async #attempt(): Promise<Connection> {
    const connection = await this.#find();
    try {
      await this.#options.onUp?.(connection);
      return connection;
    } catch (error) {
      connection.breach(error);
      throw error;
    }
  }

  /** Until it has proved itself, what is at an endpoint need not be the peer, which may be at the next. */
  async #find(): Promise<Connection> {
    const { runtime, endpoints, name, attemptMs } = this.#options;
    let failure = new FsError('ECONNREFUSED', { what: `${name} has no address yet` });
    const all = await endpoints();
    let deadline = runtime.clock.now();
    for (const endpoint of all) {
      if (this.#closed) break;
      // One that does not answer leaves time for those behind it.
      deadline += (attemptMs?.() ?? limits.connectTimeoutMs) / all.length;
      try {
        return await this.#prove(endpoint, deadline);
      } catch (error) {
        failure = toFsError(error);
      }
    }
    throw failure;
  }

  async #prove(endpoint: Endpoint, deadline: number): Promise<Connection> {
    const { runtime, epochs, self, expect, credential } = this.#options;
    const timeoutMs = Math.ceil(deadline - runtime.clock.now());
    const connection: Connection = new Connection({
      runtime,
      epochs,
      buffers: this.#buffers,
      // Nobody is served before it has proved itself.
      service: new Service(),
      onClosed: (reason) => {
        this.#lost(connection, reason);
      },
    });
    this.#connection = connection;
    connection.open(await runtime.net.connect(endpoint, { timeoutMs }, connection));
    try {
      const nonce = runtime.random.bytes(32);
      const peer = await introduce(connection, self, credential(), { expect, nonce, deadline });
      connection.establish(peer, this.#service);
      return connection;
    } catch (error) {
      connection.breach(error);
      throw error;
    }
  }

  #up(connection: Connection): void {
    if (!connection.isOpen) {
      this.#down(closedError(this.#options.name));
      return;
    }
    this.#state = 'up';
    this.#failures = 0;
    this.#lastFailure = undefined;
    for (const call of this.#calls) {
      if (call.placed && call.carrier === undefined) this.#submit(call);
    }
  }

  #lost(connection: Connection, reason: FsError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#state === 'up') this.#down(reason);
  }

  /** An attempt failed or a connection ended. */
  #down(reason: FsError): void {
    if (this.#closed) return;
    const { runtime, persistent, name, onDown, onFinal } = this.#options;
    this.#failures++;
    this.#lastFailure = reason;
    // Also what is called by those who hear of it waits for the next attempt.
    this.#state = 'waiting';
    const { recorder, clock } = runtime;
    recorder.note(recordKinds.linkDown, clock.now(), name, { outcome: errnos[reason.code] });
    if (isPowerOfTwo(this.#failures)) {
      const { message: why } = reason;
      runtime.log.warn('link down', { key: name, to: name, why, failures: this.#failures });
    }
    onDown?.(reason);
    if (this.#closed) return;
    if (isFinal(reason)) {
      this.#state = 'idle';
      for (const call of this.#calls) this.#end(call, reason);
      onFinal?.(reason);
      return;
    }
    if (!persistent && this.#calls.size === 0) {
      this.#state = 'idle';
      return;
    }
    this.#retry = runtime.clock.timer(retryDelayMs(this.#failures, runtime.random), () => {
      if (persistent || this.#calls.size > 0) this.#connect();
      else this.#state = 'idle';
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

function isChange({ op }: Call): boolean {
  return op.traits.resend === 'slot';
}

/** A peer that has given up, or whose disks fail, may have made a part of it. */
function isDoubtful({ goesOn, settled }: Call, { code, weftCode }: FsError): boolean {
  return (code === 'ETIMEDOUT' && !goesOn) || (weftCode === 'WEFT_E_DISK' && settled !== undefined);
}

/** What gives something back is asked for until it is done: a full disk is no answer (SCENARIOS 289). */
function mustBeDone({ op, goesOn }: Call, error: FsError): boolean {
  if (op.code === sessionOps.abandon.code) return !isFinal(error);
  return goesOn && error.weftCode === 'WEFT_E_DISK';
}

function closedError(name: string): FsError {
  return new FsError('EPIPE', { what: `the connection to ${name} was closed` });
}
