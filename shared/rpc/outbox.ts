/**
 * What goes to one peer in a tick leaves as one packet (DESIGN 3), or as several when it is much.
 * Bodies and short payloads are put one behind another into one buffer, which the network gives
 * back; long payloads are sent from where they are.
 */
import { byteLengthOf } from '../byte-length.ts';
import { ProtocolError } from '../errno.ts';
import { Fifo } from '../fifo.ts';
import { limits } from '../limits.ts';
import type { Channel } from '../runtime/runtime.ts';
import { type Codec, Writer } from '../wire/codec.ts';
import { type Envelope, writeEnvelope } from '../wire/envelope.ts';

/** A payload and the place among the bodies where it is sent. */
interface Insertion {
  readonly at: number;
  readonly payload: readonly Uint8Array[];
}

interface Packet {
  readonly segments: readonly Uint8Array[];
  readonly bytes: number;
  /** Nothing is needed of it any more. */
  readonly taken: () => void;
}

/** A packet is closed at this size; with the largest entry on top it is still within its bound. */
const packetBytesEnough = limits.payloadBytesMax;

/** Writers of all connections that wait for a next packet; larger ones go with their packet. */
const spares: Writer[] = [];
const sparesMax = 64;
const spareBytesMax = 64 * 1024;
/** Of a connection that has nothing to say: of ten thousand most have not. */
const emptyWriter = new Writer(0);

/** A shorter payload is copied behind its body: that costs less than a buffer more for the network. */
const copiedBytesMax = 8 * 1024;

/** Of bodies and short payloads: with one more they are still kept, and too short for a lane. */
const bodiesBytesEnough = 48 * 1024;

export class Outbox {
  #writer = emptyWriter;
  #insertions: Insertion[] = [];
  #payloadBytes = 0;
  /** Of the packet that is still open. */
  #entries = 0;
  #taken: (() => void)[] = [];
  readonly #packets = new Fifo<Packet>();
  #packetsBytes = 0;
  #channel: Channel | undefined;

  /** Bytes that wait here. */
  get bytes(): number {
    return this.#packetsBytes + this.#writer.length + this.#payloadBytes;
  }

  /** Waiting for more would save less than it costs. */
  get isWorthSending(): boolean {
    return (
      this.#entries >= limits.messagesSentAtOnce ||
      this.#writer.length >= bodiesBytesEnough ||
      this.bytes >= limits.transferBytes
    );
  }

  open(channel: Channel): void {
    this.#channel = channel;
  }

  /**
   * Adds one entry. When it cannot be sent nothing is added.
   * @throws ProtocolError when a field, or the whole, is out of its bounds
   * @param taken called once when the network has the payload or never will
   */
  add<T>(
    envelope: Envelope,
    fields: Codec<T> | Uint8Array,
    value: T,
    payload: readonly Uint8Array[],
    taken?: () => void,
  ): void {
    const payloadBytes = byteLengthOf(payload);
    checkBound('payload', payloadBytes, limits.payloadBytesMax);
    if (this.#writer.length + this.#payloadBytes >= packetBytesEnough) this.#closePacket();
    if (this.#writer === emptyWriter) this.#writer = spares.pop() ?? new Writer(4096);
    const writer = this.#writer;
    const start = writer.length;
    try {
      writer.u32(0);
      writer.u32(payloadBytes);
      writeEnvelope(writer, envelope);
      if (fields instanceof Uint8Array) writer.raw(fields);
      else fields.write(writer, value);
      checkBound('body', writer.length - start - 8, limits.bodyBytesMax);
    } catch (error) {
      writer.reset(start);
      throw error;
    }
    writer.patchU32(start, writer.length - start - 8);
    this.#entries++;
    if (payloadBytes <= copiedBytesMax) {
      for (const part of payload) writer.raw(part);
      taken?.();
      return;
    }
    this.#insertions.push({ at: writer.length, payload });
    this.#payloadBytes += payloadBytes;
    if (taken) this.#taken.push(taken);
  }

  /** Sends what is there, until the network has more than enough; what waits then stays open. */
  flush(): void {
    const channel = this.#channel;
    if (!channel) return;
    while (channel.bufferedBytes <= limits.channelHighWaterBytes) {
      if (this.#packets.size === 0) this.#closePacket();
      const packet = this.#packets.shift();
      if (packet === undefined) return;
      this.#packetsBytes -= packet.bytes;
      channel.send(packet.segments, packet.taken);
    }
  }

  /** Drops everything: the connection is gone. */
  discard(): void {
    this.#closePacket();
    this.#packetsBytes = 0;
    for (let one = this.#packets.shift(); one; one = this.#packets.shift()) one.taken();
  }

  #closePacket(): void {
    const bytes = this.#writer.length + this.#payloadBytes;
    if (bytes === 0) return;
    const writer = this.#writer;
    const payloads = this.#taken;
    const taken = (): void => {
      spare(writer);
      for (const payloadTaken of payloads) payloadTaken();
    };
    this.#packets.push({ segments: this.#segments(), bytes, taken });
    this.#packetsBytes += bytes;
    this.#writer = emptyWriter;
    this.#insertions = [];
    this.#payloadBytes = 0;
    this.#entries = 0;
    this.#taken = [];
  }

  #segments(): Uint8Array[] {
    const bodies = this.#writer.bytesView();
    if (this.#insertions.length === 0) return [bodies];
    const segments: Uint8Array[] = [];
    let from = 0;
    for (const { at, payload } of this.#insertions) {
      segments.push(bodies.subarray(from, at), ...payload);
      from = at;
    }
    if (from < bodies.length) segments.push(bodies.subarray(from));
    return segments;
  }
}

function spare(writer: Writer): void {
  if (spares.length >= sparesMax || writer.length > spareBytesMax) return;
  writer.reset();
  spares.push(writer);
}

function checkBound(part: string, bytes: number, max: number): void {
  if (bytes > max) throw new ProtocolError(`${part} of ${bytes} bytes, at most ${max} are allowed`);
}
