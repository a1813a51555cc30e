/**
 * Branded numbers and strings: a handle is not a byte count, and a name is not text.
 * A brand costs nothing at run time; it makes a swapped argument a compile error.
 */

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** A file's id: integer below 2^53, allocated upward, never reused. The root directory is 1. */
export type Handle = Brand<number, 'Handle'>;
/** Position of an iod in the iodtab, from 0. */
export type IodIndex = Brand<number, 'IodIndex'>;
/** A client's life with the mgr. Allocated upward, never reused. */
export type SessionId = Brand<number, 'SessionId'>;
/**
 * One path component or a whole path as the bytes the user gave, one byte a character (latin1).
 * File names are bytes, not text: this form keeps every byte and is the cheapest key in V8.
 */
export type ByteString = Brand<string, 'ByteString'>;

export const rootHandle = 1 as Handle;

/** Text to the bytes of its UTF-8 form. ASCII, by far the commonest, is returned as it is. */
export function byteString(text: string): ByteString {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      return Buffer.from(text, 'utf8').toString('latin1') as ByteString;
    }
  }
  return text as ByteString;
}

/** Bytes of a name back to text; bytes that are no UTF-8 become U+FFFD (for people, not for keys). */
export function displayText(name: ByteString): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

/** A point in wall time. Used for time stamps only, never to decide anything. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Counts membership changes: (generation of the mgr, number within it). Compared in that order. */
export interface Epoch {
  readonly generation: number;
  readonly number: number;
}

/** @returns below 0 when `a` is older than `b`, 0 when equal, above 0 when newer */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return a.generation - b.generation || a.number - b.number;
}

/** @returns below 0 when `a` is earlier than `b`, 0 when equal, above 0 when later */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}
