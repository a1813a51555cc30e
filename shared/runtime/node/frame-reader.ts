/**
 * WebSocket frames (RFC 6455) out of the bytes of a socket, in pieces of any size. Understands all
 * that a peer may send: any length form, any masking key, fragments, control frames between them.
 * Text is never agreed on, and no extension but the lane, so they are breaches.
 */
import { ProtocolError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { type EntryHandlers, EntryReader } from '../entry-reader.ts';
import { frameFlags, frameHeadBytesMax, laneContentBytes, opcodes } from './frame-header.ts';
import type { Lane } from './lane.ts';

export interface FrameHandlers extends EntryHandlers {
  ping(content: Buffer): void;
  /** The peer says farewell; `code` is 1005 when it gave none. */
  goodbye(code: number, reason: string): void;
}

const controlBytesMax = 125;
/** For bytes of a lane that are no payload. */
const laneStaging = Buffer.allocUnsafeSlow(4096);
const controlBit = 0x8;
const noStatusCode = 1005;

export class FrameReader {
  readonly #handlers: FrameHandlers;
  readonly #entries: EntryReader;
  readonly #maskedByPeer: boolean;
  readonly #lane: Lane | undefined;
  #stopped = false;

  readonly #head = Buffer.alloc(frameHeadBytesMax);
  #headHave = 0;
  #headNeed = 2;

  /** Bytes of the present frame still to come; meaningful once its head is whole. */
  #left = 0;
  #opcode = 0;
  #final = false;
  #inLane = false;
  readonly #key = Buffer.alloc(4);
  #masked = false;
  #maskAt = 0;
  /** Bytes of the packet so far, over all its fragments; `undefined` between packets. */
  #packetBytes: number | undefined;
  readonly #control = Buffer.alloc(controlBytesMax);
  #controlHave = 0;

  /**
   * @param maskedByPeer true when the peer is a client, which must mask; a server must not
   * @param lane when one was agreed on
   */
  constructor(maskedByPeer: boolean, handlers: FrameHandlers, lane?: Lane) {
    this.#maskedByPeer = maskedByPeer;
    this.#lane = lane;
    this.#handlers = handlers;
    this.#entries = new EntryReader(handlers);
  }

  /**
   * Takes the next bytes of the stream. May change `piece` (it unmasks in place); needs nothing of
   * it after the call.
   * @throws ProtocolError for a breach of the framing, and whatever a handler throws
   */
  feed(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length && !this.#stopped) {
      if (this.#headHave < this.#headNeed) {
        at = this.#feedHead(piece, at);
        if (this.#headHave < this.#headNeed) return;
        if (this.#left > 0) continue;
      } else {
        const take = Math.min(this.#left, piece.length - at);
        this.#feedContent(piece.subarray(at, at + take));
        at += take;
      }
      if (this.#left === 0) this.#endOfFrame();
    }
  }

  /** Where the next bytes of the stream belong if they are plain payload; else `undefined`. */
  destination(): Uint8Array | undefined {
    if (this.#left === 0 || this.#masked || this.#isKept) return undefined;
    if (this.#headHave < this.#headNeed || this.#stopped) return undefined;
    const to = this.#entries.destination();
    return to === undefined || to.length <= this.#left ? to : to.subarray(0, this.#left);
  }

  /** Tells that `bytes` of the stream were put at `destination()`. */
  landed(bytes: number): void {
    this.#left -= bytes;
    this.#entries.landed(bytes);
    if (this.#left === 0) this.#endOfFrame();
  }

  /** After it no handler is called and no buffer named by one is touched. */
  stop(): void {
    this.#stopped = true;
    this.#entries.stop();
  }

  #feedHead(piece: Uint8Array, from: number): number {
    let at = from;
    while (at < piece.length && this.#headHave < this.#headNeed) {
      this.#head[this.#headHave++] = piece[at++] ?? 0;
      if (this.#headHave === 2) this.#headNeed = headLength(this.#head.readUInt8(1));
    }
    if (this.#headHave === this.#headNeed) this.#startFrame();
    return at;
  }

  #startFrame(): void {
    const first = this.#head.readUInt8(0);
    const second = this.#head.readUInt8(1);
    this.#final = (first & frameFlags.final) !== 0;
    this.#opcode = first & 0x0f;
    this.#inLane = (first & frameFlags.lane) !== 0 && this.#lane !== undefined;
    const agreed = this.#inLane ? frameFlags.lane : 0;
    if ((first & (frameFlags.lane | frameFlags.unused)) !== agreed) {
      throw new ProtocolError('frame uses an extension nobody agreed on');
    }
    const masked = (second & 0x80) !== 0;
    if (masked !== this.#maskedByPeer) {
      throw new ProtocolError(masked ? 'frame of a server is masked' : 'frame is not masked');
    }
    this.#left = contentLength(this.#head);
    if (masked) this.#head.copy(this.#key, 0, this.#headNeed - 4, this.#headNeed);
    this.#masked = masked && this.#key.readUInt32LE(0) !== 0;
    this.#maskAt = 0;
    if (this.#opcode >= controlBit) this.#startControl();
    else this.#startData();
  }

  #startControl(): void {
    if (!this.#final || this.#inLane || this.#left > controlBytesMax) {
      throw new ProtocolError('control frame is fragmented, in the lane or too long');
    }
    if (
      this.#opcode !== opcodes.close &&
      this.#opcode !== opcodes.ping &&
      this.#opcode !== opcodes.pong
    ) {
      throw new ProtocolError(`unknown opcode ${this.#opcode}`);
    }
    this.#controlHave = 0;
  }

  #startData(): void {
    const continues = this.#opcode === opcodes.continuation;
    if (!continues && this.#opcode !== opcodes.binary) {
      throw new ProtocolError(`frame with opcode ${this.#opcode}, only binary ones are spoken`);
    }
    if (continues !== (this.#packetBytes !== undefined)) {
      throw new ProtocolError(continues ? 'fragment of no packet' : 'packet begins inside another');
    }
    if (this.#inLane && this.#left !== laneContentBytes) {
      throw new ProtocolError(`frame in the lane with ${this.#left} bytes of content`);
    }
    this.#controlHave = 0;
    this.#grow(this.#inLane ? 0 : this.#left);
  }

  #grow(bytes: number): void {
    this.#packetBytes = (this.#packetBytes ?? 0) + bytes;
    if (this.#packetBytes > limits.packetBytesMax) {
      throw new ProtocolError(
        `packet of ${this.#packetBytes} bytes, at most ${limits.packetBytesMax} are allowed`,
      );
    }
  }

  #feedContent(part: Uint8Array): void {
    this.#left -= part.length;
    if (this.#masked) this.#unmask(part);
    if (!this.#isKept) {
      this.#entries.feed(part);
    } else {
      this.#control.set(part, this.#controlHave);
      this.#controlHave += part.length;
    }
  }

  /** The content is needed as a whole. */
  get #isKept(): boolean {
    return this.#opcode >= controlBit || this.#inLane;
  }

  #unmask(part: Uint8Array): void {
    const key = this.#key;
    let keyAt = this.#maskAt;
    for (let i = 0; i < part.length; i++) {
      part[i] = (part[i] ?? 0) ^ (key[keyAt++ & 3] ?? 0);
    }
    this.#maskAt = keyAt & 3;
  }

  #endOfFrame(): void {
    this.#headHave = 0;
    this.#headNeed = 2;
    if (this.#opcode < controlBit) {
      if (this.#inLane) this.#takeFromLane(this.#control.readUInt32LE());
      if (!this.#final) return;
      this.#packetBytes = undefined;
      this.#entries.endOfPacket();
    } else if (this.#opcode !== opcodes.pong) {
      this.#endOfControl(this.#control.subarray(0, this.#controlHave));
    }
  }

  #takeFromLane(bytes: number): void {
    this.#grow(bytes);
    let isPayload = false;
    const next = (): Uint8Array => {
      const to = this.#entries.destination();
      isPayload = to !== undefined;
      return to ?? laneStaging;
    };
    this.#lane?.take(bytes, next, (count) => {
      if (isPayload) this.#entries.landed(count);
      else this.#entries.feed(laneStaging.subarray(0, count));
    });
  }

  #endOfControl(content: Buffer): void {
    if (this.#opcode === opcodes.ping) return this.#handlers.ping(Buffer.from(content));
    if (content.length === 1) throw new ProtocolError('close frame with half a code');
    const code = content.length === 0 ? noStatusCode : content.readUInt16BE(0);
    return this.#handlers.goodbye(code, content.toString('utf8', 2));
  }
}

function headLength(second: number): number {
  const form = second & 0x7f;
  return 2 + (form === 127 ? 8 : form === 126 ? 2 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

/** A length beyond 2^53 comes out rounded, and far beyond every bound. */
function contentLength(head: Buffer): number {
  const form = head.readUInt8(1) & 0x7f;
  if (form === 126) return head.readUInt16BE(2);
  return form === 127 ? head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6) : form;
}
