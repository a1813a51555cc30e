/**
 * Every message of a connection, seen at one place: a record of the flight recorder, and at level
 * debug a line of the log with all its fields.
 */
import { byteLengthOf } from '../byte-length.ts';
import { errnoName, errnos, type FsError } from '../errno.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { recordKinds, type RecordKind } from '../trace/record.ts';
import { About } from '../trace/recorder.ts';
import { decode } from '../wire/codec.ts';
import { type Envelope, kinds } from '../wire/envelope.ts';
import type { Op } from '../wire/op.ts';
import { opName } from '../wire/op-names.ts';
import { printMessage } from '../wire/printer.ts';
import type { Call } from './call.ts';
import type { Peer } from './connection.ts';

const printedCharsMax = 500;

/** What the record of a request tells of its fields. */
interface Subject {
  readonly handle?: unknown;
  readonly offset?: unknown;
}

export class MessageTrace {
  readonly #runtime: Pick<Runtime, 'clock' | 'log' | 'recorder'>;
  readonly #peer: () => string;
  readonly #isLogged: boolean;
  readonly #about = new About();
  /** The peer's name for the recorder. */
  #text = 0;

  constructor(runtime: Pick<Runtime, 'clock' | 'log' | 'recorder'>, peer: () => string) {
    this.#runtime = runtime;
    this.#peer = peer;
    this.#isLogged = runtime.log.enabled('debug');
  }

  /**
   * The peer has proved who it is. What came before is not recorded: it belongs to nobody.
   * @param transcript the same bytes at both ends, and on no other connection
   */
  connected({ role, node }: Peer, transcript: Uint8Array): void {
    const [a = 0, b = 0, c = 0, d = 0] = transcript;
    const connection = (a << 24) | (b << 16) | (c << 8) | d;
    const { recorder } = this.#runtime;
    this.#text = recorder.text(`${role} ${node}`, role === 'client') || recorder.text(role);
    this.#about.connection = connection;
    this.#note(recordKinds.connected, { connection });
  }

  /** Number of the connection in traces; 0 before the peer has proved itself. */
  get connection(): number {
    return this.#about.connection;
  }

  disconnected({ code }: FsError): void {
    const { connection } = this.#about;
    if (connection === 0) return;
    this.#note(recordKinds.disconnected, { connection, outcome: errnos[code] });
  }

  /** Nobody waits for the reply any more. */
  givenUp({ tag, op, number }: Call): void {
    const { connection } = this.#about;
    if (connection === 0) return;
    this.#note(recordKinds.givenUp, { connection, tag, op: op.code, call: number });
  }

  /** @param request as it goes out for `call` */
  requestSent(atMs: number, request: Envelope, call: Call): void {
    if (call.number === 0) call.number = this.#runtime.recorder.nextCall();
    this.#subject(request, call.request);
    this.#record(recordKinds.requestSent, atMs, request, 0, call.bulkBytes, call.number);
    if (this.#isLogged) this.#print('sent', request, call.op, call.request, call.payload);
  }

  /** @param op `undefined` when nobody knows the message */
  requestReceived(
    atMs: number,
    request: Envelope,
    op: Op | undefined,
    fields: unknown,
    payload: readonly Uint8Array[],
  ): void {
    this.#subject(request, fields);
    this.#record(recordKinds.requestReceived, atMs, request, 0, byteLengthOf(payload), 0);
    if (this.#isLogged) this.#print('received', request, op, fields, payload);
  }

  /** @param fields or their encoded form; `undefined` for a failure */
  replySent(
    atMs: number,
    reply: Envelope,
    op: Op | undefined,
    fields: unknown,
    payload: readonly Uint8Array[],
  ): void {
    this.#record(recordKinds.replySent, atMs, reply, reply.status, byteLengthOf(payload), 0);
    if (this.#isLogged) this.#print('sent', reply, op, fields, payload);
  }

  /** @param fields `undefined` for a failure */
  replyReceived(
    atMs: number,
    reply: Envelope,
    call: Call,
    fields: unknown,
    payload: readonly Uint8Array[],
  ): void {
    const bytes = byteLengthOf(payload);
    this.#record(recordKinds.replyReceived, atMs, reply, reply.status, bytes, call.number);
    if (this.#isLogged) this.#print('received', reply, call.op, fields, payload);
  }

  #note(kind: RecordKind, about: Partial<About>): void {
    const { clock, recorder } = this.#runtime;
    recorder.record(kind, clock.now(), this.#text, new About(about));
  }

  /** What the request that is recorded next is about. */
  #subject({ slot, sequence }: Envelope, fields: unknown): void {
    if (fields === undefined) return;
    const { handle, offset } = fields as Subject;
    if (typeof handle === 'number') this.#about.handle = handle | 0;
    if (sequence > 0) this.#about.place = slot * 2 ** 32 + sequence;
    else if (typeof offset === 'number') this.#about.place = offset;
  }

  #record(
    kind: RecordKind,
    atMs: number,
    { op, tag, epoch }: Envelope,
    outcome: number,
    bytes: number,
    call: number,
  ): void {
    const about = this.#about;
    if (about.connection === 0) return;
    about.tag = tag;
    about.generation = epoch.generation;
    about.epoch = epoch.number;
    about.op = op;
    about.outcome = outcome;
    about.bytes = bytes;
    about.call = call;
    this.#runtime.recorder.record(kind, atMs, this.#text, about);
    about.handle = 0;
    about.place = 0;
  }

  #print(
    way: 'sent' | 'received',
    head: Envelope,
    op: Op | undefined,
    fields: unknown,
    payload: readonly Uint8Array[],
  ): void {
    const side = head.kind === kinds.request ? 'request' : 'reply';
    this.#runtime.log.debug(`${side} ${way}`, {
      peer: this.#peer(),
      op: opName(head.op),
      tag: head.tag,
      ...(head.sequence > 0 && { slot: head.slot, sequence: head.sequence }),
      ...(side === 'reply' && head.status > 0 && { errno: errnoName(head.status) }),
      ...(op !== undefined && fields !== undefined && { fields: printed(op, side, fields) }),
      ...(payload.length > 0 && { payloadBytes: byteLengthOf(payload) }),
    });
  }
}

function printed(op: Op, side: 'request' | 'reply', value: unknown): string {
  const fields = value instanceof Uint8Array ? decode(op[side], value) : value;
  return printMessage(op, side, fields, printedCharsMax);
}
