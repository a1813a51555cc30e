/**
 * Our own writer and reader of WebSocket frames on a socket, after the upgrade. Payloads are not
 * copied when sent, and the socket reads long ones straight into the buffers of their receiver.
 * Reasons and figures: docs/decisions/0002-direct-frames.md.
 */
import type { Socket } from 'node:net';
import { limits } from '../../limits.ts';
import { closeContent, frameFlags, frameHead, laneContentBytes, opcodes } from './frame-header.ts';
import { FrameReader } from './frame-reader.ts';
import { fragmentsOf } from './fragments.ts';
import type { Lane } from './lane.ts';
import { closedByPeer, farewellOf, lostError } from '../net-errors.ts';
import type { SocketChannel, Wire } from './socket-channel.ts';
import type { Intake } from './socket-intake.ts';

/** One for all sockets: a read ends before the next begins, and nothing refers to it afterwards. */
const staging = Buffer.allocUnsafeSlow(256 * 1024);
/** For the read after a long payload, most likely the head of the next: less of it is copied. */
const shortStaging = staging.subarray(0, 4096);
/** Shorter rests of a payload are copied from the staging buffer: cheaper than a read of their own. */
const directBytesMin = 16 * 1024;

export class DirectWire implements Wire, Intake {
  readonly #channel: SocketChannel;
  readonly #client: boolean;
  readonly #reader: FrameReader;
  readonly #lane: Lane | undefined;
  #socket: Socket | undefined;
  #destination: Uint8Array | undefined;
  #afterPayload = false;

  /**
   * @param client we made the connection: we mask, the peer does not
   * @param lane ours from now on, when one was agreed on
   */
  constructor(channel: SocketChannel, client: boolean, lane?: Lane) {
    this.#channel = channel;
    this.#client = client;
    this.#lane = lane;
    const handlers = {
      ...channel.entries,
      ping: (content: Buffer) => this.#pong(content),
      goodbye: (code: number, reason: string) => {
        channel.close(closedByPeer(channel.peer, `${code} ${reason}`.trim()));
      },
    };
    this.#reader = new FrameReader(!client, handlers, lane);
    channel.attach(this);
  }

  /** From now on the wire owns the socket. */
  start(socket: Socket): void {
    this.#socket = socket;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#channel.close(lostError(this.#channel.peer, error)));
    socket.on('end', () => this.#channel.close(closedByPeer(this.#channel.peer)));
    socket.on('close', () => {
      this.#reader.stop();
      this.#lane?.close();
      this.#channel.ended();
    });
  }

  nextBuffer(): Uint8Array {
    const to = this.#reader.destination();
    this.#destination = to !== undefined && to.length >= directBytesMin ? to : undefined;
    return this.#destination ?? (this.#afterPayload ? shortStaging : staging);
  }

  received(bytes: number, buffer: Uint8Array): boolean {
    this.#channel.receive(() => {
      this.#afterPayload = buffer === this.#destination;
      if (this.#afterPayload) this.#reader.landed(bytes);
      else this.#reader.feed(buffer.subarray(0, bytes));
    });
    return true;
  }

  write(segments: readonly Uint8Array[], bytes: number, written: () => void): void {
    if (this.#lane === undefined || bytes < limits.laneBytesMin) {
      this.#writeFrame(opcodes.binary | frameFlags.final, segments, bytes, written);
    } else {
      this.#writeFragments(this.#lane, segments, written);
    }
  }

  #writeFragments(lane: Lane, segments: readonly Uint8Array[], written: () => void): void {
    const fragments = fragmentsOf(segments);
    const last = fragments.at(-1);
    this.#socket?.cork();
    let opcode: number = opcodes.binary;
    for (const fragment of fragments) {
      const final = fragment === last;
      const first = opcode | (final ? frameFlags.final : 0);
      const whenWritten = final ? written : undefined;
      if (fragment.isLong && lane.put(fragment.segments, fragment.bytes)) {
        const content = Buffer.allocUnsafe(laneContentBytes);
        content.writeUInt32LE(fragment.bytes);
        this.#writeFrame(first | frameFlags.lane, [content], content.length, whenWritten);
      } else {
        this.#writeFrame(first, fragment.segments, fragment.bytes, whenWritten);
      }
      opcode = opcodes.continuation;
    }
    this.#socket?.uncork();
  }

  cut(reason: Error): void {
    this.#reader.stop();
    const socket = this.#socket;
    if (socket === undefined) return;
    // With nothing queued a write reaches the kernel at once, or else is not worth waiting for.
    if (socket.writableLength === 0 && socket.writable) {
      const { code, text } = farewellOf(reason);
      const content = closeContent(code, text);
      this.#writeFrame(opcodes.close | frameFlags.final, [content], content.length);
    }
    socket.destroy();
  }

  #pong(content: Buffer): void {
    this.#writeFrame(opcodes.pong | frameFlags.final, [content], content.length);
    this.#channel.checkBacklog(this.#socket?.writableLength ?? 0);
  }

  #writeFrame(
    first: number,
    segments: readonly Uint8Array[],
    bytes: number,
    written?: () => void,
  ): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.cork();
    const head = frameHead(first, bytes, this.#client);
    const parts = segments.filter((segment) => segment.length > 0);
    if (parts.length === 0) socket.write(head, written);
    else socket.write(head);
    parts.forEach((part, i) => socket.write(part, i === parts.length - 1 ? written : undefined));
    socket.uncork();
  }
}
