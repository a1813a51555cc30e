/** A channel over stock `ws`: for browsers, and the reference our own frames are tested against. */
import type { RawData, WebSocket } from 'ws';
import { ProtocolError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { EntryReader } from '../entry-reader.ts';
import { closedByPeer, farewellOf, lostError } from '../net-errors.ts';
import type { SocketChannel, Wire } from './socket-channel.ts';

/** For either end: no extension, and messages up to the bound. */
export const stockOptions = {
  perMessageDeflate: false,
  maxPayload: limits.packetBytesMax,
} as const;

export class StockWire implements Wire {
  readonly #socket: WebSocket;
  readonly #channel: SocketChannel;
  readonly #entries: EntryReader;

  constructor(channel: SocketChannel, socket: WebSocket) {
    this.#channel = channel;
    this.#socket = socket;
    this.#entries = new EntryReader(channel.entries);
    channel.attach(this);
  }

  /** From now on the channel hears of all that the socket brings. */
  start(): void {
    const channel = this.#channel;
    const socket = this.#socket;
    const { peer } = channel;
    socket.on('message', (data, isBinary) => channel.receive(() => this.#take(data, isBinary)));
    socket.on('error', (error) => channel.close(socketError(peer, error)));
    socket.on('close', (code, reason) => {
      channel.close(closedByPeer(peer, `${code} ${reason.toString()}`.trim()));
      channel.ended();
    });
  }

  /** Joins the segments: `ws` has no way to send several pieces as one frame. */
  write(segments: readonly Uint8Array[], bytes: number, written: () => void): void {
    this.#socket.send(Buffer.concat(segments, bytes), { binary: true }, written);
  }

  cut(reason: Error): void {
    this.#entries.stop();
    const { code, text } = farewellOf(reason);
    this.#socket.close(code, text);
    this.#socket.terminate();
  }

  #take(data: RawData, isBinary: boolean): void {
    if (!isBinary) throw new ProtocolError('text message, only binary ones are spoken');
    for (const piece of Array.isArray(data) ? data : [data]) {
      this.#entries.feed(piece instanceof ArrayBuffer ? Buffer.from(piece) : piece);
    }
    this.#entries.endOfPacket();
  }
}

/** `ws` reports breaches of framing as errors with codes of its own. */
function socketError(peer: string, error: NodeJS.ErrnoException): Error {
  if (error.code?.startsWith('WS_ERR_') !== true) return lostError(peer, error);
  return new ProtocolError(error.message, { cause: error });
}
