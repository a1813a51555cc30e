/**
 * What a program and its reader thread have in common: a ring of orders, and slots for the bytes.
 * Imports nothing of ours, so that the thread is there at once.
 */

/** Entries of the ring. A power of two: counts wrap. */
export const ringEntries = 1024;

/**
 * Of `control`: orders given, orders carried out; whether the program knows that it has to look, and
 * whether the thread has to be woken.
 */
export const given = 0;
export const carriedOut = 1;
export const told = 2;
export const asleep = 3;

/** Fields of an entry. */
export const entryFields = 9;
export const field = {
  kind: 0,
  /** Of the file to read or to close; the answer to `open`. */
  fd: 1,
  position: 2,
  length: 3,
  slot: 4,
  markFd: 5,
  markValue: 6,
  /** Bytes read, or a descriptor; `failed` when there is none. */
  result: 7,
  tookMs: 8,
} as const;

export const kind = { read: 0, open: 1, close: 2 } as const;
export const failed = -1;

export interface RingMemory {
  readonly control: Int32Array;
  readonly entries: Float64Array;
  readonly slots: Uint8Array;
  readonly slotBytes: number;
}

/** A file to be opened: sent before its order is given. */
export interface OpenOrder {
  readonly path: string;
  readonly identity: string;
}
