/**
 * Which message of one ring is which of another: both name it by connection, tag and direction.
 * Pure.
 */
import { linkOps } from '../wire/link-ops.ts';
import { recordKinds, type TraceRecord } from './record.ts';
import type { Ring } from './ring.ts';

/** A record: which of the rings, and its number there. */
export interface Place {
  readonly ring: number;
  readonly number: number;
}

/**
 * Where the other end of a message is. `lost`: it never came there. `unknown`: the ring of the
 * other end is not here, has been overwritten since, or does not reach so far.
 */
export type Partner = Place | 'lost' | 'unknown';

const { requestSent, requestReceived, replySent, replyReceived, disconnected } = recordKinds;
const otherKind = new Map<number, number>([
  [requestSent, requestReceived],
  [requestReceived, requestSent],
  [replySent, replyReceived],
  [replyReceived, replySent],
]);

interface Connection {
  /** The ring of each end, as far as it is here. */
  readonly ends: number[];
  /** Numbers of records by end, kind and tag. */
  readonly messages: Map<number, number>;
  isClosed: boolean;
}

export class MessagePairs {
  readonly #connections = new Map<number, Connection>();

  add(ring: number, record: TraceRecord): void {
    const { connection, kind, number } = record;
    if (connection === 0) return;
    const found = this.#at(connection);
    if (!found.ends.includes(ring)) found.ends.push(ring);
    if (kind === disconnected) found.isClosed = true;
    if (otherKind.has(kind)) {
      found.messages.set(keyOf(found.ends.indexOf(ring), kind, record.tag), number);
    }
  }

  /** @returns `undefined` for what is no message between two rings */
  partner(ring: number, record: TraceRecord): Place | 'none' | undefined {
    const kind = otherKind.get(record.kind);
    // The connector records nothing before it knows whom it talks to.
    if (kind === undefined || record.op === linkOps.prove.code) return undefined;
    const { ends, messages } = this.#at(record.connection);
    const other = 1 - ends.indexOf(ring);
    const number = messages.get(keyOf(other, kind, record.tag));
    const otherRing = ends[other];
    return number === undefined || otherRing === undefined ? 'none' : { ring: otherRing, number };
  }

  /** The ring of the other end of a connection. */
  otherEnd(ring: number, connection: number): number | undefined {
    const { ends } = this.#at(connection);
    return ends[1 - ends.indexOf(ring)];
  }

  isClosed(connection: number): boolean {
    return this.#at(connection).isClosed;
  }

  #at(connection: number): Connection {
    let found = this.#connections.get(connection);
    if (found === undefined) {
      found = { ends: [], messages: new Map(), isClosed: false };
      this.#connections.set(connection, found);
    }
    return found;
  }
}

export function isSend({ kind }: TraceRecord): boolean {
  return kind === requestSent || kind === replySent;
}

export function isReceive({ kind }: TraceRecord): boolean {
  return kind === requestReceived || kind === replyReceived;
}

/** Tags have 32 bits, kinds of messages 2; more than two ends agree by chance only. */
function keyOf(end: number, kind: number, tag: number): number {
  return (tag * 4 + (kind - requestSent)) * 4 + end;
}

/** All messages of all rings. @param from the first record of each that counts */
export function pairMessages(rings: readonly Ring[], from: readonly number[]): MessagePairs {
  const pairs = new MessagePairs();
  for (const [index, ring] of rings.entries()) {
    for (const record of ring.records(from[index])) pairs.add(index, record);
  }
  return pairs;
}
