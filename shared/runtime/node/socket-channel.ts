/**
 * What every channel promises, whichever way its bytes go: each send is settled once, the peer
 * that does not read is cut, the end is told once and last.
 */
import assert from 'node:assert/strict';
import { byteLengthOf } from '../../byte-length.ts';
import { FsError } from '../../errno.ts';
import { limits } from '../../limits.ts';
import { type Linked, LinkedList } from '../../linked-list.ts';
import type { Channel, ChannelHandlers, Endpoint } from '../runtime.ts';
import type { EntryHandlers } from '../entry-reader.ts';
import { placeOf } from '../abstract-name.ts';
import { closedByPeer, endpointText, peerHostOf } from '../net-errors.ts';
import { readLoopbackId } from './host-ids.ts';
import { loopWaits } from './loop-waits.ts';

/** The way the bytes go: our own frames, or those of stock `ws`. */
export interface Wire {
  /** Sends one packet; calls `written` when the network has taken the segments or never will. */
  write(segments: readonly Uint8Array[], bytes: number, written: () => void): void;
  /** Stops reading, says farewell if that is possible at once, and destroys the connection. */
  cut(reason: Error): void;
}

interface Sent extends Linked<Sent> {
  readonly bytes: number;
  readonly taken: (() => void) | undefined;
}

/** Who is on the other side, as `Channel` tells it. */
export type Peer = Pick<Channel, 'peer' | 'peerHost' | 'place'>;

/** @param endpoint of the other side; for who was accepted at a unix socket, that */
export function peerAt(endpoint: Endpoint, remoteAddress: string | undefined): Peer {
  const isLocal = endpoint.kind === 'unix';
  return {
    peer: endpointText(endpoint),
    peerHost: isLocal ? 'local' : peerHostOf(remoteAddress),
    place: placeOf(readLoopbackId(), endpoint),
  };
}

export class SocketChannel implements Channel {
  readonly peer: string;
  readonly peerHost: string;
  readonly place: string | undefined;
  #wire: Wire | undefined;
  #handlers: ChannelHandlers | undefined;
  /** Why it ends; set as soon as that is known. */
  #reason: Error | undefined;
  #ended = false;
  #bufferedBytes = 0;
  readonly #unsettled = new LinkedList<Sent>();

  constructor({ peer, peerHost, place }: Peer) {
    this.peer = peer;
    this.peerHost = peerHost;
    this.place = place;
  }

  /** The two are made for each other, so one of them must come second. */
  attach(wire: Wire): void {
    this.#wire = wire;
  }

  /** From now on `handlers` hear of everything. */
  begin(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isClosing(): boolean {
    return this.#reason !== undefined;
  }

  send(segments: readonly Uint8Array[], taken?: () => void): void {
    if (this.isClosing) {
      if (taken !== undefined) process.nextTick(taken);
      return;
    }
    let bytes = 0;
    for (const segment of segments) bytes += segment.length;
    assert(bytes <= limits.packetBytesMax, `packet of ${bytes} bytes is too large to send`);
    const sent: Sent = { bytes, taken, before: undefined, after: undefined };
    this.#unsettled.push(sent);
    this.#bufferedBytes += bytes;
    this.#wire?.write(segments, bytes, () => this.#settle(sent));
    loopWaits.sent(bytes);
    this.checkBacklog(this.#bufferedBytes);
  }

  /** Cuts a peer for which more waits than `limits.channelBufferedBytesMax` (SCENARIOS 132). */
  checkBacklog(bytes: number): void {
    if (bytes <= limits.channelBufferedBytesMax) return;
    this.close(
      new FsError('ECONNRESET', { what: `${this.peer} does not read: ${bytes} bytes wait for it` }),
    );
  }

  close(reason: Error): void {
    if (this.isClosing) return;
    this.#reason = reason;
    this.#wire?.cut(reason);
  }

  /** Hands bytes on by `take`; what it throws closes the channel. */
  receive(take: () => void): void {
    if (this.isClosing) return;
    loopWaits.received();
    try {
      take();
    } catch (error: unknown) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The handlers of entries, for the reader of the bytes. */
  readonly entries: EntryHandlers = {
    payloadSink: (body, payloadBytes) => this.#handlers?.payloadSink(body, payloadBytes),
    entry: (body, payload) => {
      if (payload.length > 0) loopWaits.took(byteLengthOf(payload));
      this.#handlers?.entry(body, payload);
    },
  };

  /** The connection is gone. Settles all that was not, then tells the end. */
  ended(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason ??= closedByPeer(this.peer);
    for (const sent of this.#unsettled) this.#settle(sent);
    this.#handlers?.closed(this.#reason);
  }

  #settle(sent: Sent): void {
    if (!this.#unsettled.delete(sent)) return;
    const before = this.#bufferedBytes;
    this.#bufferedBytes -= sent.bytes;
    sent.taken?.();
    const mark = limits.channelLowWaterBytes;
    if (before >= mark && this.#bufferedBytes < mark && !this.isClosing) this.#handlers?.drained();
  }
}
