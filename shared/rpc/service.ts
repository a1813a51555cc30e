/**
 * From a request to its handler and back: the one place where a thrown error becomes an errno on
 * the wire, and where state, role and checksum decide before any handler runs.
 */
import { AssertionError } from 'node:assert/strict';
import { byteLengthOf } from '../byte-length.ts';
import { checksumOf } from '../checksum.ts';
import { FsError, isFsError, ProtocolError, toFsError } from '../errno.ts';
import { limits } from '../limits.ts';
import type { Linked } from '../linked-list.ts';
import type { Handle } from '../units.ts';
import type { Reader } from '../wire/codec.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { Op, OpTable, ReplyOf, RequestOf } from '../wire/op.ts';
import type { Wait } from '../wire/values.ts';
import type { Connection, Peer } from './connection.ts';

/** What a handler knows beside the fields of its request. */
export interface Context {
  readonly connection: Connection;
  readonly peer: Peer;
  /** When the caller stops waiting; on this process's clock. */
  readonly deadline: number;
  readonly slot: number;
  readonly sequence: number;
  /** Bytes behind the request. They are the handler's until it has answered, not longer. */
  readonly payload: readonly Uint8Array[];
  /** What the handler waits for now, and at which files: for `weft why`. */
  stage?: Stage | undefined;
}

export interface Stage {
  readonly at: Wait['stage'];
  readonly handles: readonly Handle[];
}

/** What a request that waits is told with. */
export type Staged = Pick<Context, 'stage'>;

/** A reply with bytes behind it; `release` is called when they are no longer needed. */
export class Bulk<R> {
  readonly fields: R;
  readonly payload: readonly Uint8Array[];
  readonly release: (() => void) | undefined;

  constructor(fields: R, payload: readonly Uint8Array[], release?: () => void) {
    this.fields = fields;
    this.payload = payload;
    this.release = release;
  }
}

/** A reply whose fields are encoded already, such as one out of the store. */
export class Encoded {
  readonly body: Uint8Array;

  constructor(body: Uint8Array) {
    this.body = body;
  }
}

/** The request is a late duplicate: whoever sent it has stopped listening. Nothing is answered. */
export const unanswered = Symbol('unanswered');

export type Result<R> = R | Bulk<R> | Encoded | typeof unanswered;
export type Handler<Q, R> = (request: Q, context: Context) => Result<R> | Promise<Result<R>>;
/** One handler an op; a missing or misspelt one does not compile. */
export type Handlers<T extends OpTable> = {
  readonly [K in keyof T]: Handler<RequestOf<T[K]>, ReplyOf<T[K]>>;
};

export interface ServiceOptions {
  /** @throws FsError when the state of this daemon does not admit the op now (DESIGN 4) */
  readonly admit?: (op: Op, context: Context) => void;
  /** Holds answers back, e.g. until a commit. Without it they leave at the end of the tick. */
  readonly gate?: AnswerGate;
  readonly meter?: AnswerMeter;
}

/** Hears of each answer as it leaves, and of its payload or that of its request, in bytes. */
export interface AnswerMeter {
  /** @param begunAt when the request arrived, by the clock of its connection */
  answered(op: MessageCode, begunAt: number, error: FsError | undefined, bytes: number): void;
}

/** `undefined`: of a message that does not exist here. */
export type MessageCode = Pick<Op, 'code'> | undefined;

/** Takes every answer and lets it go, or turns it into a failure, when the time has come. */
export interface AnswerGate {
  hold(answer: Answer): void;
}

interface Entry {
  readonly op: Op;
  readonly handler: Handler<unknown, unknown>;
}

export class Service {
  readonly #entries = new Map<number, Entry>();
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions = {}) {
    this.#options = options;
  }

  /** Adds the messages of one table. */
  serve<T extends OpTable>(ops: T, handlers: Handlers<T>): this {
    for (const [name, op] of Object.entries(ops)) {
      this.#entries.set(op.code, { op, handler: handlers[name] as Handler<unknown, unknown> });
    }
    return this;
  }

  /** @throws ProtocolError when the bytes are no request; the connection must be closed then */
  dispatch(
    connection: Connection,
    envelope: Envelope,
    fields: Reader,
    payload: readonly Uint8Array[],
  ): void {
    const answer = new Answer(connection, envelope, payload, this.#options);
    const entry = this.#entries.get(envelope.op);
    if (entry === undefined) {
      connection.messages.requestReceived(
        connection.heardAt,
        envelope,
        undefined,
        undefined,
        payload,
      );
      answer.fail(new FsError('ENOSYS', { what: `no message has the number ${envelope.op} here` }));
      return;
    }
    const { op, handler } = entry;
    const request = op.request.read(fields);
    fields.end();
    if (payload.length > 0 && op.traits.payload !== 'request') {
      throw new ProtocolError(`message ${op.code} has no payload`);
    }
    connection.messages.requestReceived(connection.heardAt, envelope, op, request, payload);
    const context = contextOf(connection, envelope, payload);
    answer.op = op;
    let result: unknown;
    try {
      this.#admit(op, request, envelope, context);
      result = handler(request, context);
    } catch (error) {
      answer.failWith(error);
      return;
    }
    if (result instanceof Promise) {
      answer.wait(request, context);
      settleLater(connection, result, answer);
    } else {
      answer.succeed(result);
    }
  }

  #admit(op: Op, request: unknown, envelope: Envelope, context: Context): void {
    const { peer, payload, connection } = context;
    if (!op.traits.from.includes(peer.role)) {
      throw new FsError('EPERM', { what: `message ${op.code} is not for a ${peer.role} to send` });
    }
    if (checksumOf(payload) !== envelope.payloadChecksum) {
      throw new FsError('EIO', {
        id: 'WEFT_E_CHECKSUM',
        what: `${envelope.op}: payload from ${peer.node} arrived damaged`,
      });
    }
    const wrong = op.check?.(request);
    if (wrong !== undefined) throw new FsError('EINVAL', { what: wrong });
    const isTooMuch =
      connection.requestsRunning > limits.requestsInFlightPerPeerMax ||
      connection.requestBytes > limits.requestBytesPerPeerMax;
    if (isTooMuch) {
      throw new FsError('EAGAIN', { id: 'WEFT_E_BUSY', retryAfterMs: 10 });
    }
    this.#options.admit?.(op, context);
  }
}

/** The answer to one request, given exactly once. */
export class Answer implements Linked<Answer> {
  /** Among those of its connection whose handlers wait. */
  before: Answer | undefined;
  after: Answer | undefined;
  op: Op | undefined;
  readonly #connection: Connection;
  readonly #envelope: Envelope;
  readonly #payload: readonly Uint8Array[];
  readonly #payloadBytes: number;
  readonly #gate: AnswerGate | undefined;
  readonly #meter: AnswerMeter | undefined;
  readonly begunAt: number;
  /** Of a request whose handler waits. */
  request: unknown;
  context: Context | undefined;
  #outcome: unknown;
  #error: FsError | undefined;

  constructor(
    connection: Connection,
    envelope: Envelope,
    payload: readonly Uint8Array[],
    { gate, meter }: Pick<ServiceOptions, 'gate' | 'meter'>,
  ) {
    this.#connection = connection;
    this.#envelope = envelope;
    this.#payload = payload;
    this.#payloadBytes = byteLengthOf(payload);
    this.#gate = gate;
    this.#meter = meter;
    this.begunAt = connection.heardAt;
    connection.requestsRunning++;
    connection.requestBytes += this.#payloadBytes;
  }

  get tag(): number {
    return this.#envelope.tag;
  }

  /** Its handler has not ended at once: until it has, the connection tells of it. */
  wait(request: unknown, context: Context): void {
    this.request = request;
    this.context = context;
    this.#connection.answering.push(this);
  }

  succeed(result: unknown): void {
    this.#outcome = result;
    this.#conclude();
  }

  fail(error: FsError): void {
    this.#error = error;
    this.#conclude();
  }

  /** @throws ProtocolError and AssertionError again: they are no answer to anybody */
  failWith(error: unknown): void {
    if (error instanceof ProtocolError || error instanceof AssertionError) {
      this.#end();
      throw error;
    }
    if (!isFsError(error)) this.#connection.fault(this.#envelope, error);
    this.fail(toFsError(error));
  }

  /** For the gate: lets the answer go. */
  send(): void {
    this.#end();
    if (this.#outcome === unanswered) return;
    const readBytes = this.#outcome instanceof Bulk ? byteLengthOf(this.#outcome.payload) : 0;
    const bytes = this.#payloadBytes + readBytes;
    this.#meter?.answered(this.op, this.begunAt, this.#error, bytes);
    const { load } = this.#connection;
    load.answered++;
    load.readBytes += readBytes;
    load.writtenBytes += this.#payloadBytes;
    this.#connection.reply(this.#envelope, this.op, this.#outcome, this.#error);
  }

  /** For the gate: what the answer says has not come true. */
  replaceBy(error: FsError): void {
    if (this.#outcome instanceof Bulk) this.#outcome.release?.();
    if (this.#outcome !== unanswered) this.#outcome = undefined;
    this.#error = error;
    this.send();
  }

  #conclude(): void {
    if (this.#gate) this.#gate.hold(this);
    else this.send();
  }

  #end(): void {
    if (this.context !== undefined) this.#connection.answering.delete(this);
    this.#connection.requestsRunning--;
    this.#connection.requestBytes -= this.#payloadBytes;
    this.#connection.giveBack(this.#payload);
  }
}

function contextOf(
  connection: Connection,
  envelope: Envelope,
  payload: readonly Uint8Array[],
): Context {
  const { status, slot, sequence } = envelope;
  const deadline = status === 0 ? Infinity : connection.clock.now() + status;
  const { peer } = connection;
  return { connection, peer, deadline, slot, sequence, payload, stage: undefined };
}

function settleLater(connection: Connection, result: Promise<unknown>, answer: Answer): void {
  result
    .then(
      (outcome) => {
        answer.succeed(outcome);
      },
      (error: unknown) => {
        answer.failWith(error);
      },
    )
    .catch((error: unknown) => {
      connection.breach(error);
    });
}
