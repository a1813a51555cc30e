/**
 * One end of a simulated connection: the Channel that a process holds, and what the system does
 * for it: buffers, window, orderly end, reset, and silence when the host lost power.
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { type Errno, FsError, isFsError, ProtocolError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { EntryReader } from '../../../shared/runtime/entry-reader.ts';
import type { Channel, ChannelHandlers } from '../../../shared/runtime/runtime.ts';
import { BorrowedBytes } from './borrowed-bytes.ts';
import type { Host } from './host.ts';
import type { Parcel, Pipe } from './pipe.ts';
import type { Incarnation } from './process.ts';
import type { Range, SimRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

/** How long after leaving a packet is reported as taken: sometimes after its arrival. */
const takenDelayMs: Range = [0, 0.2];
/** What a body is filled with after the call for which it was valid. */
const spoilt = 0xdb;

interface Packet {
  readonly bytes: BorrowedBytes;
  readonly taken: (() => void) | undefined;
}

export interface ChannelOptions {
  readonly timeline: Timeline;
  readonly random: SimRandom;
  readonly host: Host;
  readonly out: Pipe;
  readonly peer: string;
  readonly peerHost: string;
  readonly place?: string | undefined;
  /** Told once, when this end takes no part any more. */
  readonly onEnd: (end: SimChannel) => void;
  /** Told instead of the handlers while no connection stands yet. */
  readonly onRefused: (code: Errno, what: string) => void;
}

export class SimChannel implements Channel {
  readonly peer: string;
  readonly peerHost: string;
  readonly place: string | undefined;
  readonly host: Host;
  readonly #options: ChannelOptions;
  #state: 'connecting' | 'open' | 'ended' = 'connecting';
  #owner: Incarnation | undefined;
  #handlers: ChannelHandlers | undefined;
  /** The same that takes packets apart in real life. */
  readonly #reader = new EntryReader({
    payloadSink: (body, payloadBytes) => this.#handlers?.payloadSink(body, payloadBytes),
    entry: (body, payload) => {
      this.#handlers?.entry(body, payload);
      body.fill(spoilt);
    },
  });
  #other: SimChannel | undefined;
  /** Not yet in the hands of the system. */
  readonly #waiting = new Set<Packet>();
  /** Accepted by `send`, not reported as taken. */
  readonly #untaken = new Set<Packet>();
  #bufferedBytes = 0;
  /** Left, and not yet read by the peer. */
  #inFlightBytes = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.peerHost = options.peerHost;
    this.place = options.place;
    this.host = options.host;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get owner(): Incarnation | undefined {
    return this.#owner;
  }

  get other(): SimChannel {
    assert(this.#other, 'a channel has two ends');
    return this.#other;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting';
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  get isUnacknowledged(): boolean {
    return this.#inFlightBytes > 0;
  }

  join(other: SimChannel): void {
    this.#other = other;
  }

  /** The process on whose behalf the system acts. */
  claim(owner: Incarnation): void {
    this.#owner = owner;
  }

  open(): void {
    assert(this.#owner && this.isConnecting);
    this.#state = 'open';
  }

  /** From now on `handlers` hear of everything. */
  attach(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
  }

  // ------------------------------------------------------------- for the process

  send(segments: readonly Uint8Array[], taken?: () => void): void {
    if (this.#owner?.alive !== true) return;
    const packet = { bytes: new BorrowedBytes(segments), taken };
    const { length } = packet.bytes.image;
    assert(length <= limits.packetBytesMax, `packet of ${length} bytes is too large to send`);
    if (!this.isOpen) {
      this.#options.timeline.after(0, () => this.#enter('taken', packet, this.#giveBack));
      return;
    }
    this.#bufferedBytes += length;
    this.#waiting.add(packet);
    this.#untaken.add(packet);
    this.#pump();
    if (this.#bufferedBytes > limits.channelBufferedBytesMax) {
      this.close(new FsError('ECONNRESET', { what: `${this.peer} does not read` }));
    }
  }

  close(reason: Error): void {
    if (!this.isOpen || this.#owner?.alive !== true) return;
    this.sendEnd();
    const { conditions } = this.#options.out.path;
    if (this.#options.random.chance(conditions.stragglerProbability)) {
      this.#options.out.postpone(this.#options.random.within(conditions.stragglerMs));
    }
    this.#end();
    this.#options.timeline.after(0, () => this.#finish(reason));
  }

  // ------------------------------------------------------------- for the system

  /** Hands something to the peer's system behind all that was sent. */
  sendControl(arrive: () => void): void {
    this.#options.out.send({ bytes: 0, repeated: true, arrive });
  }

  /** The peer hears of the end after all that was sent. */
  sendEnd(what = 'closed by the peer'): void {
    this.sendControl(() => this.other.lose(what));
  }

  /** The peer hears of the end at once, unless the reset is lost. */
  sendReset(): void {
    const arrive = (): void => this.other.lose('reset by the peer');
    this.#options.out.send({ bytes: 0, repeated: false, arrive });
  }

  /** Of what is in flight only a first part arrives. */
  tear(): void {
    const { out, random } = this.#options;
    out.cutAfter(random.below(out.parcelsInFlight + 1));
  }

  /** The process died: its system ends the connection, if in order or not is chance. */
  die(): void {
    if (this.#state === 'ended') return;
    if (this.#options.random.chance(0.5)) this.sendEnd();
    else {
      this.tear();
      this.sendReset();
    }
    this.#end();
  }

  /** The host lost power: the peer hears nothing; what is on its way still arrives. */
  vanish(): void {
    if (this.#options.out.path.blocked) this.#options.out.cutAfter(0);
    this.#end();
  }

  /** The connection is over: the peer ended it, or it was reset. */
  lose(what: string): void {
    const was = this.#state;
    this.#end();
    if (was === 'connecting') this.#options.onRefused('ECONNRESET', what);
    if (was === 'open') {
      this.#finish(new FsError('ECONNRESET', { what: `connection to ${this.peer}: ${what}` }));
    }
  }

  /** Nobody listens. */
  refuse(): void {
    const { onRefused } = this.other.#options;
    this.sendControl(() => {
      if (!this.other.isConnecting) return;
      this.other.#end();
      onRefused('ECONNREFUSED', 'nobody listens there');
    });
    this.#end();
  }

  /** The client waits no longer. */
  giveUp(): void {
    if (!this.isConnecting) return;
    this.sendReset();
    this.#end();
  }

  /** The listener's yes has arrived. @returns whether the client still waits for it */
  heardYes(): boolean {
    if (!this.host.isUp) return false;
    if (!this.isConnecting) this.sendReset();
    return this.isConnecting;
  }

  // ------------------------------------------------------------- inner parts

  #pump(): void {
    const { kernelBytes } = this.#options.out.path.conditions;
    for (const packet of this.#waiting) {
      if (this.#inFlightBytes >= kernelBytes) break;
      this.#waiting.delete(packet);
      this.#depart(packet);
    }
  }

  #depart(packet: Packet): void {
    const { timeline, random } = this.#options;
    this.#inFlightBytes += packet.bytes.image.length;
    for (const parcel of this.#parcels(packet.bytes.image)) this.#options.out.send(parcel);
    timeline.after(random.within(takenDelayMs), () => this.#enter('taken', packet, this.#taken));
  }

  /** Mostly one parcel; pieces when the path breaks packets up. */
  #parcels(image: Buffer): Parcel[] {
    const { random, out } = this.#options;
    const cuts = [image.length];
    if (image.length > 1 && random.chance(out.path.conditions.fragmentProbability)) {
      for (let pieces = random.below(4); pieces >= 0; pieces--) {
        cuts.push(1 + random.below(image.length - 1));
      }
      cuts.sort((a, b) => a - b);
    }
    return cuts.map((end, i) => {
      const piece = image.subarray(cuts[i - 1] ?? 0, end);
      const isLast = i === cuts.length - 1;
      const arrive = (): void => this.other.#receive(piece, isLast);
      return { bytes: piece.length, repeated: true, arrive };
    });
  }

  #receive(piece: Buffer, isLast: boolean): void {
    if (!this.host.isUp) return;
    if (!this.isOpen || !this.#owner) {
      this.sendReset();
      return;
    }
    const detail = `${piece.length} bytes from ${this.peer}, crc ${crc32(piece)}`;
    this.#owner.enter('received', detail, () => {
      if (!this.isOpen) return;
      this.other.#acknowledge(piece.length);
      this.#read(piece, isLast);
    });
  }

  /** Breaches of the peer close the channel; mistakes of ours fail the run. */
  #read(piece: Buffer, isLast: boolean): void {
    try {
      this.#reader.feed(Buffer.from(piece));
      if (isLast) this.#reader.endOfPacket();
    } catch (error) {
      if (!(error instanceof ProtocolError) && !isFsError(error)) throw error;
      this.close(error);
    }
  }

  #acknowledge(bytes: number): void {
    this.#inFlightBytes -= bytes;
    if (this.isOpen && this.#waiting.size > 0) this.#pump();
  }

  readonly #giveBack = (packet: Packet): void => {
    packet.bytes.checkUnchanged('the network');
    packet.taken?.();
  };

  readonly #taken = (packet: Packet): void => {
    if (!this.#untaken.delete(packet)) return;
    const before = this.#bufferedBytes;
    this.#bufferedBytes -= packet.bytes.image.length;
    this.#giveBack(packet);
    const mark = limits.channelLowWaterBytes;
    if (before >= mark && this.#bufferedBytes < mark && this.isOpen) this.#handlers?.drained();
  };

  #enter(what: string, packet: Packet, run: (packet: Packet) => void): void {
    this.#owner?.enter(what, packet.bytes.image.length, () => run(packet));
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#reader.stop();
    this.#waiting.clear();
    this.#options.onEnd(this);
  }

  /** Last words to the process: its buffers, then the reason. */
  #finish(reason: Error): void {
    this.#owner?.enter('closed', reason.message, () => {
      for (const packet of this.#untaken) this.#giveBack(packet);
      this.#untaken.clear();
      this.#bufferedBytes = 0;
      this.#handlers?.closed(reason);
    });
  }
}
