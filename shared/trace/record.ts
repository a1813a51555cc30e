/**
 * What the flight recorder writes: records of 64 bytes, little-endian. One that was torn by the end
 * of its process is known by its own two ends, which both tell its number. Pure.
 *
 *    0 f64 number          20 u32 tag             40 u32 handle (low half)   52 u16 outcome
 *    8 f64 time, ms        24 u32 generation      44 u32 bytes               54 u16 text
 *   16 u32 connection      28 u32 epoch number    48 u16 op                  56 u32 call
 *                          32 f64 place           50 u16 kind                60 u32 check
 */

export const recordBytes = 64;

/** What happened. Numbers are never reused: files of earlier versions are read. */
export const recordKinds = {
  requestSent: 1,
  requestReceived: 2,
  replySent: 3,
  replyReceived: 4,
  /** The caller waits no longer: a reply that comes finds nobody. */
  givenUp: 5,
  connected: 6,
  disconnected: 7,
  /** A link has lost its connection, or has found none. */
  linkDown: 8,
  /** A state machine has moved. */
  state: 9,
  /** A named step of a protocol was passed. */
  step: 10,
  /** The process ends and knows it; without this record it was killed. */
  ended: 11,
  /** A line went to the log; the text is its phrase. */
  log: 12,
} as const;

export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

export interface TraceRecord {
  /** From 1; goes on when the ring wraps. */
  readonly number: number;
  readonly kind: RecordKind;
  /** Monotonic milliseconds on the clock of its process. */
  readonly atMs: number;
  /** The same at both ends of a connection; 0: none. With the tag it names a request. */
  readonly connection: number;
  readonly tag: number;
  readonly epoch: { readonly generation: number; readonly number: number };
  readonly op: number;
  /** Errno of a reply or an end; 0: fine. */
  readonly outcome: number;
  /** Who is at the other end; the state, the step, the link. */
  readonly text: string;
  /** Of the request; 0: none. */
  readonly handle: number;
  /** Offset; of mutations, slot * 2^32 + sequence. */
  readonly place: number;
  /** Of payload, brought or asked for. */
  readonly bytes: number;
  /** The same for all attempts of one call of this process. */
  readonly call: number;
}

/** The last word of a record, written last. Zeros are no record. */
export function checkOf(number: number): number {
  return (number ^ 0x7765_6674) >>> 0;
}

/** The number of a whole record; 0 for anything else. */
export function numberAt(view: DataView, at: number): number {
  const number = view.getFloat64(at, true);
  const isWhole = Number.isSafeInteger(number) && view.getUint32(at + 60, true) === checkOf(number);
  return isWhole ? number : 0;
}

/** What `numberAt` has found whole. @param texts by number */
export function readRecord(view: DataView, at: number, texts: readonly string[]): TraceRecord {
  return {
    number: view.getFloat64(at, true),
    atMs: view.getFloat64(at + 8, true),
    connection: view.getUint32(at + 16, true),
    tag: view.getUint32(at + 20, true),
    epoch: { generation: view.getUint32(at + 24, true), number: view.getUint32(at + 28, true) },
    place: view.getFloat64(at + 32, true),
    handle: view.getUint32(at + 40, true),
    bytes: view.getUint32(at + 44, true),
    op: view.getUint16(at + 48, true),
    kind: view.getUint16(at + 50, true) as RecordKind,
    outcome: view.getUint16(at + 52, true),
    text: texts[view.getUint16(at + 54, true)] ?? '',
    call: view.getUint32(at + 56, true),
  };
}
