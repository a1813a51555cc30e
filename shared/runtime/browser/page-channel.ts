/** A channel over the WebSocket of a browser. */
import assert from 'node:assert/strict';
import { FsError, ProtocolError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { EntryReader } from '../entry-reader.ts';
import { closedByPeer, endpointText, farewellOf } from '../net-errors.ts';
import type { Channel, ChannelHandlers, Clock, Endpoint, Timer } from '../runtime.ts';
import type { PageSocket } from './page-socket.ts';

/** The one code of a farewell that a page may choose and that means nothing else. */
const farewellCode = 3000;
/** No event tells that the network has taken something. */
const drainLookMs = 5;

export class PageChannel implements Channel {
  readonly peer: string;
  readonly peerHost: string;
  readonly #socket: PageSocket;
  readonly #clock: Clock;
  readonly #handlers: ChannelHandlers;
  readonly #entries: EntryReader;
  #drainLook: Timer | undefined;
  #closing = false;

  /** @param socket open, and about to bring its first message; its messages are array buffers */
  constructor(
    endpoint: Extract<Endpoint, { kind: 'tcp' }>,
    socket: PageSocket,
    clock: Clock,
    handlers: ChannelHandlers,
  ) {
    this.peer = endpointText(endpoint);
    this.peerHost = endpoint.host;
    this.#socket = socket;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#entries = new EntryReader(handlers);
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code, reason }) => {
      this.close(closedByPeer(this.peer, `${code} ${reason}`.trim()));
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Joins the segments: one call is one frame. So nothing of theirs is needed after it. */
  send(segments: readonly Uint8Array[], taken?: () => void): void {
    if (taken !== undefined) this.#clock.defer(taken);
    if (this.#closing) return;
    const packet = joined(segments);
    assert(packet.length <= limits.packetBytesMax, `packet of ${packet.length} bytes is too large`);
    this.#socket.send(packet);
    const bytes = this.bufferedBytes;
    if (bytes > limits.channelBufferedBytesMax) {
      this.close(
        new FsError('ECONNRESET', {
          what: `${this.peer} does not read: ${bytes} bytes wait for it`,
        }),
      );
    } else if (bytes >= limits.channelLowWaterBytes) this.#drainLook ??= this.#lookLater();
  }

  close(reason: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#entries.stop();
    this.#drainLook?.cancel();
    this.#socket.close(farewellCode, farewellOf(reason).text);
    this.#clock.defer(() => this.#handlers.closed(reason));
  }

  #receive(data: unknown): void {
    if (this.#closing) return;
    try {
      if (!(data instanceof ArrayBuffer)) {
        throw new ProtocolError('text message, only binary ones are spoken');
      }
      this.#entries.feed(new Uint8Array(data));
      this.#entries.endOfPacket();
    } catch (error: unknown) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #lookLater(): Timer {
    return this.#clock.timer(drainLookMs, () => {
      this.#drainLook = undefined;
      if (this.bufferedBytes < limits.channelLowWaterBytes) this.#handlers.drained();
      else this.#drainLook = this.#lookLater();
    });
  }
}

function joined(segments: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = segments;
  if (first !== undefined && others.length === 0) return first;
  const packet = new Uint8Array(segments.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const segment of segments) {
    packet.set(segment, at);
    at += segment.length;
  }
  return packet;
}
