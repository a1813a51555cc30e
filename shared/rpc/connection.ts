/**
 * One authenticated stream of requests and replies with a peer, in both directions. It lives as
 * long as its channel; what shall outlive it stands above (link.ts).
 */
import type { BufferPool } from '../buffer-pool.ts';
import { checksumOf } from '../checksum.ts';
import { FsError, isFsError, ProtocolError, toFsError } from '../errno.ts';
import { limits } from '../limits.ts';
import { LinkedList } from '../linked-list.ts';
import { NumberMap } from '../number-map.ts';
import type { Channel, ChannelHandlers, Clock, Runtime, Timer } from '../runtime/runtime.ts';
import type { SessionId } from '../units.ts';
import { type Codec, Reader } from '../wire/codec.ts';
import {
  type Envelope,
  failureFields,
  failureCodec,
  kinds,
  peekTag,
  readEnvelope,
  readFailure,
  statusOf,
} from '../wire/envelope.ts';
import { linkOps } from '../wire/link-ops.ts';
import type { Op, Role } from '../wire/op.ts';
import { opName } from '../wire/op-names.ts';
import { Call, type CallOptions, type CallOwner, type Carrier, Deadlines } from './call.ts';
import type { EpochWatch } from './epoch-watch.ts';
import { connectionLost, deadlineError, endIfOurs, traceOf, unsendable } from './failures.ts';
import { MessageTrace } from './message-trace.ts';
import { Outbox } from './outbox.ts';
import { checkDelivered, firstBytes } from './payload.ts';
import { type Answer, Bulk, Encoded, type Service } from './service.ts';
import { type Waiting, waitOfAnswer, waitOfCall } from './waits.ts';

/** Who is at the other end, as far as it has proved it. */
export interface Peer {
  readonly role: Role;
  /** Name in the iodtab, or the client's own. */
  readonly node: string;
  readonly incarnation: number;
  /** It holds the cluster's secret (or the cluster has none). */
  readonly trusted: boolean;
  /** Clients: proved by the session's key, or begun on this connection. */
  readonly session: SessionId | undefined;
  /** Clients with a token: the user that it stands for. */
  readonly user: string | undefined;
  /** Clients: it may change nothing. */
  readonly readOnly?: boolean;
}

/** What both sides know after the handshake: new secrets travel hidden under it. */
export interface Binding {
  readonly key: Uint8Array;
  readonly transcript: Uint8Array;
}

export interface ConnectionOptions {
  readonly runtime: Runtime;
  readonly epochs: EpochWatch;
  readonly buffers: BufferPool;
  /** What the peer may ask for; changed by `establish` once it has proved who it is. */
  readonly service: Service;
  /** How much later what is sent to the peer leaves, milliseconds: 0 but in a drill. */
  readonly delayMs?: ((to: Peer) => number) | undefined;
  /** Once, after the last call has been told. */
  readonly onClosed?: (reason: FsError) => void;
}

const stranger: Peer = {
  role: 'client',
  node: '?',
  incarnation: 0,
  trusted: false,
  session: undefined,
  user: undefined,
};
const nothing: readonly Uint8Array[] = [];
const nothingYet = new Uint8Array();

export class Connection implements ChannelHandlers, Carrier, CallOwner {
  peer: Peer = stranger;
  binding: Binding | undefined;
  /** Requests of the peer that have no answer yet. */
  requestsRunning = 0;
  /** Payload of these requests. */
  requestBytes = 0;
  /** Since it stands: requests of the peer that were answered, and payload each way. */
  readonly load = { answered: 0, readBytes: 0, writtenBytes: 0 };
  /** Of the requests that run, those whose handlers wait. */
  readonly answering = new LinkedList<Answer>();
  readonly messages: MessageTrace;
  readonly #options: ConnectionOptions;
  readonly #outbox = new Outbox();
  readonly #reader = new Reader(nothingYet);
  readonly #inFlight = new NumberMap<number, Call>();
  readonly #direct: Deadlines;
  #service: Service;
  #channel: Channel | undefined;
  #closed: FsError | undefined;
  #established = false;
  #nextTag = 1;
  #flushing = false;
  #receiving: Call | undefined;
  #heardAt: number;
  #replyAt = 0;
  #heartbeat: Timer | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#service = options.service;
    this.messages = new MessageTrace(options.runtime, () => this.description);
    this.#direct = new Deadlines(this.clock, (call) => {
      call.carrier?.forget(call);
      this.failed(call, deadlineError(this.description));
    });
    this.#heardAt = this.clock.now();
  }

  get clock(): Clock {
    return this.#options.runtime.clock;
  }

  get isOpen(): boolean {
    return this.#channel !== undefined && this.#closed === undefined;
  }

  get peerHost(): string {
    return this.#channel?.peerHost ?? '?';
  }

  /** See `transcriptOf`. */
  get place(): string | undefined {
    return this.#channel?.place;
  }

  /** For errors and logs. */
  get description(): string {
    const { role, node } = this.peer;
    const address = this.#channel?.peer ?? 'not connected';
    return this.#established ? `${role} ${node} (${address})` : address;
  }

  /** What of its peer's lines are counted together: another connection of it is no news. */
  get logKey(): string {
    return `${this.peerHost} ${this.peer.node}`;
  }

  /** When the peer's latest message arrived, on our clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Since then. */
  get silentMs(): number {
    return this.clock.now() - this.#heardAt;
  }

  /** Bytes that the peer has not taken yet. */
  get backlogBytes(): number {
    return this.#outbox.bytes + (this.#channel?.bufferedBytes ?? 0);
  }

  /** Gives the connection its channel. */
  open(channel: Channel): void {
    this.#channel = channel;
    this.#outbox.open(channel);
    if (this.#closed) channel.close(this.#closed);
  }

  /** The peer has proved who it is: from now on it is served, and listened for. */
  establish(peer: Peer, service: Service): void {
    this.peer = peer;
    this.#service = service;
    this.#established = true;
    this.messages.connected(peer, this.binding?.transcript ?? nothingYet);
    this.#beat(limits.heartbeatIntervalMs);
  }

  /** A call that lives and dies with this connection. */
  call<Q, R>(op: Op<Q, R>, request: Q, options: CallOptions): Promise<R> {
    const call = new Call(this, op, request, options);
    this.#direct.add(call);
    if (options.signal) {
      call.onAbort(options.signal, (error) => {
        call.carrier?.forget(call);
        this.failed(call, error);
      });
    }
    if (call.open) this.submit(call);
    return call.promise as Promise<R>;
  }

  /** Sends a call; its owner hears what becomes of it. */
  submit(call: Call): void {
    if (this.#closed) {
      call.owner.failed(call, this.#closed);
      return;
    }
    call.tag = this.#freeTag();
    const now = this.clock.now();
    if (call.begunAt === 0) call.begunAt = now;
    const leftMs = call.goesOn ? Infinity : call.deadline - now;
    const envelope: Envelope = {
      kind: kinds.request,
      op: call.op.code,
      tag: call.tag,
      epoch: this.#options.epochs.newest,
      status: leftMs === Infinity ? 0 : Math.min(0xffff_ffff, Math.max(1, Math.ceil(leftMs))),
      payloadChecksum: call.payloadChecksum,
      slot: call.slot,
      sequence: call.sequence,
    };
    const taken = call.payload.length > 0 ? call.lend() : undefined;
    try {
      this.#outbox.add(envelope, call.op.request, call.request, call.payload, taken);
    } catch (error) {
      taken?.();
      call.owner.failed(call, unsendable(error));
      return;
    }
    this.messages.requestSent(now, envelope, call);
    call.carrier = this;
    this.#inFlight.set(call.tag, call);
    this.#flushSoon();
  }

  forget(call: Call): void {
    this.#inFlight.delete(call.tag);
    call.carrier = undefined;
    this.messages.givenUp(call);
    // Only the end of the channel makes it let go of buffers that are the caller's again.
    if (this.#receiving === call || call.isLent) {
      this.close(new FsError('ECANCELED', { what: 'a call was given up while its bytes moved' }));
    }
  }

  /** For answers of the service. */
  reply(to: Envelope, op: Op | undefined, outcome: unknown, error: FsError | undefined): void {
    if (this.#closed) {
      if (outcome instanceof Bulk) outcome.release?.();
      return;
    }
    // What leaves as one packet is sent at one time.
    if (!this.#flushing) this.#replyAt = this.clock.now();
    if (error !== undefined || op === undefined) this.#fail(to, error ?? new FsError('EIO'));
    else this.#succeed(to, op, outcome);
    this.#flushSoon();
  }

  /** Requests of the peer, and calls that live and die with this connection. */
  *waits(): Iterable<Waiting> {
    for (const answer of this.answering) yield waitOfAnswer(this, answer);
    for (const call of this.#direct) yield waitOfCall(this, call);
  }

  /** Takes back the payload of a request that has been answered. */
  giveBack(payload: readonly Uint8Array[]): void {
    for (const buffer of payload) this.#options.buffers.give(buffer);
  }

  /** A request failed in a way that nobody has foreseen: the caller gets EIO, the operator this. */
  fault({ op }: Envelope, error: unknown): void {
    this.#options.runtime.log.error('request failed unexpectedly', {
      key: `${this.logKey} ${op}`,
      op: opName(op),
      peer: this.description,
      why: traceOf(error),
    });
  }

  /** Something happened after which this connection, or this process, cannot go on. */
  breach(error: unknown): void {
    endIfOurs(error, this.clock);
    const { log } = this.#options.runtime;
    const line = { key: this.logKey, peer: this.description };
    if (error instanceof ProtocolError) {
      log.warn('protocol breach', { ...line, what: error.message });
    } else if (!isFsError(error)) {
      log.error('connection failed unexpectedly', { ...line, why: traceOf(error) });
    }
    this.close(
      error instanceof ProtocolError
        ? new FsError('EPROTO', { what: error.message, cause: error })
        : toFsError(error),
    );
  }

  /** Idempotent. Calls in flight fail with EPIPE and are their owners' again. */
  close(reason: FsError): void {
    if (this.#closed) return;
    this.#closed = connectionLost(this.description, reason);
    this.messages.disconnected(reason);
    this.#heartbeat?.cancel();
    this.#channel?.close(reason);
    this.#outbox.discard();
    const lost = this.#inFlight.values();
    this.#inFlight.clear();
    this.#receiving = undefined;
    for (const call of lost) {
      call.carrier = undefined;
      call.owner.failed(call, this.#closed);
    }
    this.#options.onClosed?.(reason);
  }

  // ------------------------------------------------------------- calls that have no other owner

  answered(call: Call, reply: unknown): void {
    this.#direct.delete(call);
    if (call.open) call.resolve(reply);
  }

  failed(call: Call, error: FsError): void {
    this.#direct.delete(call);
    if (call.open) call.reject(error);
  }

  // ------------------------------------------------------------- from the channel

  payloadSink(body: Uint8Array, payloadBytes: number): readonly Uint8Array[] | undefined {
    if (!this.#established) throw new ProtocolError('payload before the proof');
    const { kind, tag } = peekTag(body);
    if (kind === kinds.request) {
      return [this.#options.buffers.take(payloadBytes)];
    }
    const call = this.#inFlight.get(tag);
    if (call?.into === undefined) return undefined;
    this.#receiving = call;
    return firstBytes(call.into, payloadBytes);
  }

  entry(body: Uint8Array, payload: readonly Uint8Array[]): void {
    this.#receiving = undefined;
    if (this.#closed) return;
    this.#heardAt = this.clock.now();
    try {
      const reader = this.#reader;
      reader.reset(body);
      const envelope = readEnvelope(reader);
      if (!this.#options.epochs.observe(this.peer.role, envelope.epoch)) {
        throw new FsError('ESTALE', {
          what:
            this.peer.role === 'mgr'
              ? `mgr ${this.peer.node} is of generation ${envelope.epoch.generation}, a later one is known`
              : `${this.peer.node} knows a mgr of generation ${envelope.epoch.generation}, later than this one`,
        });
      }
      if (envelope.kind === kinds.reply) this.#take(envelope, reader, payload);
      else this.#service.dispatch(this, envelope, reader, payload);
    } catch (error) {
      this.breach(error);
    }
  }

  drained(): void {
    this.#outbox.flush();
  }

  closed(reason: Error): void {
    if (!this.#closed) this.breach(reason);
  }

  // ------------------------------------------------------------- inner parts

  #take(envelope: Envelope, fields: Reader, payload: readonly Uint8Array[]): void {
    const call = this.#inFlight.get(envelope.tag);
    if (call === undefined) return; // its caller has given up
    if (envelope.op !== call.op.code) throw new ProtocolError('reply to another message');
    let reply: unknown;
    let error: FsError | undefined;
    if (envelope.status === 0) reply = call.op.reply.read(fields);
    else error = readFailure(envelope.status, fields);
    fields.end();
    if (error === undefined) checkDelivered(call.op, reply, payload);
    this.messages.replyReceived(this.#heardAt, envelope, call, reply, payload);
    this.#inFlight.delete(envelope.tag);
    call.carrier = undefined;
    if (error === undefined && checksumOf(payload) !== envelope.payloadChecksum) {
      error = new FsError('EIO', {
        id: 'WEFT_E_CHECKSUM',
        what: `payload from ${this.description} arrived damaged`,
      });
    }
    if (error === undefined) call.owner.answered(call, reply);
    else call.owner.failed(call, error);
  }

  #succeed(to: Envelope, op: Op, outcome: unknown): void {
    const bulk = outcome instanceof Bulk ? outcome : undefined;
    const value: unknown = bulk ? bulk.fields : outcome;
    const encoded = value instanceof Encoded ? value.body : undefined;
    const payload = bulk?.payload ?? nothing;
    let reply: Envelope;
    try {
      reply = this.#add(to, 0, encoded ?? op.reply, value, payload, bulk?.release);
    } catch (error) {
      bulk?.release?.();
      this.fault(to, error);
      this.#fail(to, new FsError('EIO', { what: `the reply to ${opName(to.op)} cannot be sent` }));
      return;
    }
    this.messages.replySent(this.#replyAt, reply, op, encoded ?? value, payload);
  }

  #fail(to: Envelope, error: FsError): void {
    const reply = this.#add(to, statusOf(error), failureCodec, failureFields(error));
    this.messages.replySent(this.#replyAt, reply, undefined, undefined, nothing);
  }

  #add<T>(
    to: Envelope,
    status: number,
    fields: Codec<T> | Uint8Array,
    value: T,
    payload = nothing,
    taken?: () => void,
  ): Envelope {
    const envelope: Envelope = {
      kind: kinds.reply,
      op: to.op,
      tag: to.tag,
      epoch: this.#options.epochs.newest,
      status,
      payloadChecksum: checksumOf(payload),
      slot: 0,
      sequence: 0,
    };
    this.#outbox.add(envelope, fields, value, payload, taken);
    return envelope;
  }

  #freeTag(): number {
    while (this.#inFlight.has(this.#nextTag)) this.#nextTag = (this.#nextTag + 1) >>> 0;
    const tag = this.#nextTag;
    this.#nextTag = (tag + 1) >>> 0;
    return tag;
  }

  /**
   * At the end of the tick, or as soon as there is enough for a packet: so that the peer works on
   * the first calls of a long tick while the last ones are made.
   */
  #flushSoon(): void {
    const delayMs = this.#options.delayMs?.(this.peer) ?? 0;
    if (delayMs === 0 && this.#outbox.isWorthSending) {
      this.#flush();
      return;
    }
    if (this.#flushing) return;
    this.#flushing = true;
    const flush = (): void => {
      this.#flushing = false;
      this.#flush();
    };
    if (delayMs > 0) this.clock.timer(delayMs, flush);
    else this.clock.defer(flush);
  }

  #flush(): void {
    this.#outbox.flush();
    if (this.backlogBytes <= limits.channelBufferedBytesMax) return;
    this.close(new FsError('ETIMEDOUT', { what: `${this.description} does not read` }));
  }

  /**
   * SCENARIOS 60: a peer that is silent for too long is gone, whatever its socket says. Who was just
   * heard of is not asked: of two ends that have nothing to say mostly one asks, of two that talk none.
   */
  #beat(afterMs: number): void {
    if (this.#closed) return;
    this.#heartbeat = this.clock.timer(afterMs, () => {
      const { silentMs } = this;
      if (silentMs > limits.heartbeatSilenceMs) {
        this.close(new FsError('ETIMEDOUT', { what: `silent for ${Math.round(silentMs)} ms` }));
        return;
      }
      const heardOfForMs = limits.heartbeatIntervalMs - silentMs;
      if (heardOfForMs > 0) {
        this.#beat(heardOfForMs);
        return;
      }
      const deadline = this.clock.now() + limits.heartbeatSilenceMs;
      this.call(linkOps.ping, {}, { deadline }).catch(() => undefined);
      this.#beat(limits.heartbeatIntervalMs);
    });
  }
}
