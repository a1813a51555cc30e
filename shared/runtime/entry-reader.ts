/**
 * The entries of a packet out of pieces of any size: `u32 bodyBytes, u32 payloadBytes, body,
 * payload` (little-endian). A payload is copied once, from the piece into the buffers its receiver
 * named, or not at all when the socket reads straight into them (`destination`, `landed`).
 */
import assert from 'node:assert/strict';
import { ProtocolError } from '../errno.ts';
import { limits } from '../limits.ts';
import type { ChannelHandlers } from './runtime.ts';

export type EntryHandlers = Pick<ChannelHandlers, 'payloadSink' | 'entry'>;

const headBytes = 8;
/** A store for split bodies larger than this is not kept for the next one. */
const keptBodyBytes = 4096;
const nothing = Buffer.alloc(0);
const noPayload: readonly Uint8Array[] = [];

export class EntryReader {
  readonly #handlers: EntryHandlers;
  #stage: 'head' | 'body' | 'payload' = 'head';
  /** Bytes that the present stage still lacks. */
  #left = headBytes;
  readonly #head = Buffer.alloc(headBytes);
  #bodyBytes = 0;
  #payloadBytes = 0;
  #bodyStore = nothing;
  #body: Uint8Array = nothing;
  #sinks = noPayload;
  #sink: Uint8Array = nothing;
  #sinkIndex = 0;
  #sinkFilled = 0;
  #stopped = false;

  constructor(handlers: EntryHandlers) {
    this.#handlers = handlers;
  }

  /**
   * Takes the next bytes of a packet; nothing of `piece` is needed after the call.
   * @throws ProtocolError when an entry breaks its bounds, and whatever a handler throws
   */
  feed(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length && !this.#stopped) {
      const take = Math.min(this.#left, piece.length - at);
      const part = take === piece.length ? piece : piece.subarray(at, at + take);
      at += take;
      if (this.#stage === 'head') this.#feedHead(part);
      else if (this.#stage === 'body') this.#feedBody(part);
      else this.#feedPayload(part);
    }
    // The piece goes back to its owner: what is still needed of it must be kept here.
    if (this.#stage === 'payload' && this.#body !== nothing) this.#keepBody();
  }

  /** @throws ProtocolError when the packet ends inside an entry */
  endOfPacket(): void {
    if (this.#stopped) return;
    if (this.#stage !== 'head' || this.#left !== headBytes) {
      throw new ProtocolError(`packet ends inside the ${this.#stage} of an entry`);
    }
  }

  /** Where the next bytes of the payload under way belong; `undefined` outside of a payload. */
  destination(): Uint8Array | undefined {
    if (this.#stage !== 'payload' || this.#stopped) return undefined;
    return this.#sinkFilled === 0 ? this.#sink : this.#sink.subarray(this.#sinkFilled);
  }

  /** Tells that `bytes` of payload were put at `destination()`. */
  landed(bytes: number): void {
    this.#left -= bytes;
    this.#sinkFilled += bytes;
    if (this.#sinkFilled === this.#sink.length) this.#nextSink();
    if (this.#left === 0) this.#endOfEntry();
  }

  /** After it no handler is called and no buffer named by one is touched. */
  stop(): void {
    this.#stopped = true;
  }

  #feedHead(part: Uint8Array): void {
    this.#head.set(part, headBytes - this.#left);
    this.#left -= part.length;
    if (this.#left > 0) return;
    this.#bodyBytes = this.#head.readUInt32LE(0);
    this.#payloadBytes = this.#head.readUInt32LE(4);
    checkBound('body', this.#bodyBytes, limits.bodyBytesMax);
    checkBound('payload', this.#payloadBytes, limits.payloadBytesMax);
    this.#stage = 'body';
    this.#left = this.#bodyBytes;
    if (this.#left === 0) this.#endOfBody(nothing);
  }

  #feedBody(part: Uint8Array): void {
    if (part.length === this.#bodyBytes) return this.#endOfBody(part);
    const have = this.#bodyBytes - this.#left;
    if (have === 0) this.#makeRoom();
    this.#bodyStore.set(part, have);
    this.#left -= part.length;
    if (this.#left === 0) this.#endOfBody(this.#bodyStore.subarray(0, this.#bodyBytes));
  }

  #endOfBody(body: Uint8Array): void {
    this.#body = body;
    this.#left = this.#payloadBytes;
    if (this.#left === 0) return this.#endOfEntry();
    this.#sinks = this.#handlers.payloadSink(body, this.#left) ?? [
      Buffer.allocUnsafeSlow(this.#left),
    ];
    if (this.#stopped) return;
    const room = this.#sinks.reduce((sum, sink) => sum + sink.length, 0);
    assert.equal(room, this.#left, 'buffers named for a payload must hold exactly the payload');
    this.#stage = 'payload';
    this.#sinkIndex = -1;
    this.#nextSink();
  }

  #feedPayload(part: Uint8Array): void {
    let at = 0;
    while (at < part.length) {
      const take = Math.min(this.#sink.length - this.#sinkFilled, part.length - at);
      const whole = take === part.length ? part : part.subarray(at, at + take);
      this.#sink.set(whole, this.#sinkFilled);
      at += take;
      this.landed(take);
    }
  }

  /** Empty buffers are stepped over, so that `destination` is never empty. */
  #nextSink(): void {
    this.#sinkFilled = 0;
    do this.#sink = this.#sinks[++this.#sinkIndex] ?? nothing;
    while (this.#sink.length === 0 && this.#sinkIndex < this.#sinks.length);
  }

  #endOfEntry(): void {
    const body = this.#body;
    const payload = this.#payloadBytes === 0 ? noPayload : this.#sinks;
    this.#stage = 'head';
    this.#left = headBytes;
    this.#body = nothing;
    this.#sinks = noPayload;
    this.#sink = nothing;
    this.#handlers.entry(body, payload);
    if (this.#bodyStore.length > keptBodyBytes) this.#bodyStore = nothing;
  }

  #keepBody(): void {
    if (this.#body.buffer === this.#bodyStore.buffer) return;
    this.#makeRoom();
    this.#bodyStore.set(this.#body);
    this.#body = this.#bodyStore.subarray(0, this.#bodyBytes);
  }

  #makeRoom(): void {
    if (this.#bodyStore.length >= this.#bodyBytes) return;
    this.#bodyStore = Buffer.allocUnsafeSlow(Math.max(this.#bodyBytes, 512));
  }
}

function checkBound(part: string, bytes: number, max: number): void {
  if (bytes > max) throw new ProtocolError(`${part} of ${bytes} bytes, at most ${max} are allowed`);
}
