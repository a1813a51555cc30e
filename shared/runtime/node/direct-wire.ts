/**
 * Our own writer and reader of WebSocket frames on a socket, after the upgrade. Payloads are not
 * copied when sent, and the socket reads long ones straight into the buffers of their receiver.
 * Reasons and figures: docs/decisions/0002-direct-frames.md.
 */
import type { Socket } from 'node:net';
import { closeContent, frameHead, opcodes } from './frame-header.ts';
import { FrameReader } from './frame-reader.ts';
import { closedByPeer, farewellOf, lostError } from './net-errors.ts';
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
  #socket: Socket | undefined;
  #destination: Uint8Array | undefined;
  #afterPayload = false;

  /** @param client we made the connection: we mask, the peer does not */
  constructor(channel: SocketChannel, client: boolean) {
    this.#channel = channel;
    this.#client = client;
    this.#reader = new FrameReader(!client, {
      ...channel.entries,
      ping: (content) => this.#pong(content),
      goodbye: (code, reason) => {
        channel.close(closedByPeer(channel.peer, `${code} ${reason}`.trim()));
      },
    });
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
    this.#writeFrame(opcodes.binary, segments, bytes, written);
  }

  cut(reason: Error): void {
    this.#reader.stop();
    const socket = this.#socket;
    if (socket === undefined) return;
    // With nothing queued a write reaches the kernel at once, or else is not worth waiting for.
    if (socket.writableLength === 0 && socket.writable) {
      const { code, text } = farewellOf(reason);
      const content = closeContent(code, text);
      this.#writeFrame(opcodes.close, [content], content.length);
    }
    socket.destroy();
  }

  #pong(content: Buffer): void {
    this.#writeFrame(opcodes.pong, [content], content.length);
    this.#channel.checkBacklog(this.#socket?.writableLength ?? 0);
  }

  #writeFrame(
    opcode: number,
    segments: readonly Uint8Array[],
    bytes: number,
    written?: () => void,
  ): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.cork();
    const head = frameHead(opcode, bytes, this.#client);
    const parts = segments.filter((segment) => segment.length > 0);
    if (parts.length === 0) socket.write(head, written);
    else socket.write(head);
    parts.forEach((part, i) => socket.write(part, i === parts.length - 1 ? written : undefined));
    socket.uncork();
  }
}
