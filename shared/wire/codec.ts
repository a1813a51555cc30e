/**
 * Combinators from which every message is built: one declaration gives the TypeScript type, the
 * encoder, the decoder, the bounds, and a shape that the printer, the fuzzer and PROTOCOL.md read.
 * Little-endian throughout. A length or count is never trusted beyond the bytes present.
 */
import { ProtocolError } from '../errno.ts';
import type { ByteString, Timestamp } from '../units.ts';
import { structParts } from './struct-parts.ts';

/** What a codec looks like, for printer, fuzzer and documentation. */
export type Shape =
  | { readonly kind: 'int'; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: 'bool' }
  | { readonly kind: 'bytes'; readonly max: number; readonly exact: boolean }
  | { readonly kind: 'text'; readonly max: number }
  | { readonly kind: 'name'; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'optional'; readonly of: Shape }
  | { readonly kind: 'list'; readonly of: Shape; readonly max: number }
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, Shape>> };

type IntShape = Extract<Shape, { kind: 'int' }>;

export interface Codec<T> {
  readonly shape: Shape;
  write(to: Writer, value: T): void;
  /** @throws ProtocolError when the bytes are no valid value */
  read(from: Reader): T;
}

export type StructParts<T> = Pick<Codec<T>, 'write' | 'read'>;

export type ValueOf<C> = C extends Codec<infer T> ? T : never;

/**
 * A growing buffer that fields are appended to. `reset` makes it ready for the next message.
 * Each field reserves its place before it looks at the buffer: growing replaces it.
 */
export class Writer {
  #buffer: Buffer;
  #view: DataView;
  #at = 0;

  constructor(capacityBytes = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(capacityBytes);
    this.#view = new DataView(this.#buffer.buffer);
  }

  get length(): number {
    return this.#at;
  }

  /** The bytes so far; valid until the next call. */
  bytesView(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** A copy of the bytes so far that the caller owns. */
  copy(): Buffer {
    return Buffer.from(this.bytesView());
  }

  reset(length = 0): void {
    this.#at = length;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  i64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }

  latin1(text: string): void {
    const at = this.#reserve(text.length);
    this.#buffer.write(text, at, 'latin1');
  }

  utf8(text: string): void {
    const at = this.#reserve(Buffer.byteLength(text));
    this.#buffer.write(text, at, 'utf8');
  }

  /** Overwrites a u32 written earlier, e.g. a length known only now. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #reserve(count: number): number {
    const at = this.#at;
    const end = at + count;
    if (end > this.#buffer.length) this.#grow(end);
    this.#at = end;
    return at;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Takes fields from a body; every read is checked against the bytes that are there. */
export class Reader {
  #buffer: Buffer;
  /** Of all the memory that the bytes are in: bodies mostly follow each other in one. */
  #view: DataView;
  /** Where the bytes begin in `#view`. */
  #start = 0;
  #at = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#buffer = bufferOf(bytes);
    this.#view = new DataView(bytes.buffer);
    this.#start = bytes.byteOffset;
    this.#at = at;
  }

  /** From now on reads these bytes. */
  reset(bytes: Uint8Array): void {
    this.#buffer = bufferOf(bytes);
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    this.#start = bytes.byteOffset;
    this.#at = 0;
  }

  get remaining(): number {
    return this.#buffer.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#start + this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#start + this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#start + this.#take(4), true);
  }

  i64(): number {
    const at = this.#start + this.#take(8);
    const high = this.#view.getInt32(at + 4, true);
    const value = high * 0x1_0000_0000 + this.#view.getUint32(at, true);
    if (!Number.isSafeInteger(value)) throw new ProtocolError('integer beyond 2^53');
    return value;
  }

  /** A copy: the body is reused after the call. */
  raw(count: number): Buffer {
    const at = this.#take(count);
    return Buffer.from(this.#buffer.subarray(at, at + count));
  }

  latin1(count: number): string {
    const at = this.#take(count);
    return this.#buffer.toString('latin1', at, at + count);
  }

  utf8(count: number): string {
    const at = this.#take(count);
    return this.#buffer.toString('utf8', at, at + count);
  }

  /** @throws ProtocolError when bytes are left over */
  end(): void {
    if (this.remaining !== 0) throw new ProtocolError(`${this.remaining} bytes too many`);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#buffer.length - at) {
      throw new ProtocolError(`${count} bytes wanted, ${this.#buffer.length - at} are there`);
    }
    this.#at = at + count;
    return at;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Also before sending: a value that does not fit is refused, never cut to size. */
function checked(value: number, { name, min, max }: IntShape): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ProtocolError(`${name} out of range: ${value}`);
}

const u8Shape: IntShape = { kind: 'int', name: 'u8', min: 0, max: 0xff };
export const u8: Codec<number> = {
  shape: u8Shape,
  write: (to, value) => to.u8(checked(value, u8Shape)),
  read: (from) => from.u8(),
};

const u16Shape: IntShape = { kind: 'int', name: 'u16', min: 0, max: 0xffff };
export const u16: Codec<number> = {
  shape: u16Shape,
  write: (to, value) => to.u16(checked(value, u16Shape)),
  read: (from) => from.u16(),
};

const u32Shape: IntShape = { kind: 'int', name: 'u32', min: 0, max: 0xffff_ffff };
export const u32: Codec<number> = {
  shape: u32Shape,
  write: (to, value) => to.u32(checked(value, u32Shape)),
  read: (from) => from.u32(),
};

/** A safe integer within a range, 8 bytes. */
function int64<T extends number>(name: string, min: number, max: number): Codec<T> {
  const shape: IntShape = { kind: 'int', name, min, max };
  return {
    shape,
    write: (to, value) => to.i64(checked(value, shape)),
    read: (from) => checked(from.i64(), shape) as T,
  };
}

/** Any safe integer, 8 bytes. */
export const i53 = int64('i53', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

/** A safe integer from 0, 8 bytes; with a brand for handles, sessions and the like. */
export function u53<T extends number = number>(max: number = Number.MAX_SAFE_INTEGER): Codec<T> {
  return int64<T>('u53', 0, max);
}

const nanosecondsShape: IntShape = { kind: 'int', name: 'nanoseconds', min: 0, max: 999_999_999 };
const nanoseconds: Codec<number> = {
  shape: nanosecondsShape,
  write: (to, value) => to.u32(checked(value, nanosecondsShape)),
  read: (from) => checked(from.u32(), nanosecondsShape),
};

export const bool: Codec<boolean> = {
  shape: { kind: 'bool' },
  write: (to, value) => to.u8(value ? 1 : 0),
  read(from) {
    const value = from.u8();
    if (value > 1) throw new ProtocolError(`boolean out of range: ${value}`);
    return value === 1;
  },
};

function bounded(count: number, max: number, what: string): number {
  if (count > max) throw new ProtocolError(`${what} of ${count} is longer than ${max}`);
  return count;
}

/** Bytes with a length before them, at most `max`. */
export function bytes(max: number): Codec<Uint8Array> {
  return {
    shape: { kind: 'bytes', max, exact: false },
    write(to, value) {
      to.u32(bounded(value.length, max, 'bytes'));
      to.raw(value);
    },
    read: (from) => from.raw(bounded(from.u32(), max, 'bytes')),
  };
}

/** Exactly `count` bytes, without a length. */
export function fixed(count: number): Codec<Uint8Array> {
  return {
    shape: { kind: 'bytes', max: count, exact: true },
    write(to, value) {
      if (value.length !== count) throw new ProtocolError(`${value.length} bytes, not ${count}`);
      to.raw(value);
    },
    read: (from) => from.raw(count),
  };
}

/** UTF-8 for people: messages, host names. `max` in bytes. */
export function text(max: number): Codec<string> {
  return {
    shape: { kind: 'text', max },
    write(to, value) {
      to.u32(bounded(Buffer.byteLength(value), max, 'text'));
      to.utf8(value);
    },
    read: (from) => from.utf8(bounded(from.u32(), max, 'text')),
  };
}

/** File names and paths: any bytes, one a character. */
export function name(max: number): Codec<ByteString> {
  return {
    shape: { kind: 'name', max },
    write(to, value) {
      to.u16(bounded(value.length, max, 'name'));
      to.latin1(value);
    },
    read: (from) => from.latin1(bounded(from.u16(), max, 'name')) as ByteString,
  };
}

/** One of the given words, sent as its position: append new ones at the end. */
export function choice<const V extends readonly string[]>(values: V): Codec<V[number]> {
  const positions = new Map<string, number>(values.map((value, at) => [value, at]));
  return {
    shape: { kind: 'choice', values },
    write(to, value) {
      const at = positions.get(value);
      if (at === undefined) throw new ProtocolError(`no such choice: ${value}`);
      to.u8(at);
    },
    read(from) {
      const at = from.u8();
      const value = values[at];
      if (value === undefined) throw new ProtocolError(`choice out of range: ${at}`);
      return value;
    },
  };
}

export function optional<T>(of: Codec<T>): Codec<T | undefined> {
  return {
    shape: { kind: 'optional', of: of.shape },
    write(to, value) {
      bool.write(to, value !== undefined);
      if (value !== undefined) of.write(to, value);
    },
    read: (from) => (bool.read(from) ? of.read(from) : undefined),
  };
}

/** At most `max` items; decoding stops at the bytes present, so a huge count costs nothing. */
export function list<T>(of: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    shape: { kind: 'list', of: of.shape, max },
    write(to, values) {
      to.u32(bounded(values.length, max, 'list'));
      for (const value of values) of.write(to, value);
    },
    read(from) {
      const count = bounded(from.u32(), max, 'list');
      if (count > from.remaining) throw new ProtocolError(`list of ${count} exceeds its bytes`);
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(of.read(from));
      return values;
    },
  };
}

export type StructOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Fields one after another, in the order of the declaration. */
export function struct<F extends { readonly [K in keyof F]: Codec<ValueOf<F[K]>> }>(
  fields: F,
): Codec<StructOf<F>> {
  const entries = Object.entries(fields as unknown as Record<string, Codec<unknown>>);
  const shapes = entries.map(([key, codec]) => [key, codec.shape] as const);
  const shape: Shape = { kind: 'struct', fields: Object.fromEntries(shapes) };
  return { shape, ...(structParts(entries) as StructParts<StructOf<F>>) };
}

export const empty = struct({});

/** Wall time: 8 bytes of seconds since 1970, then nanoseconds below 10^9. */
export const timestamp: Codec<Timestamp> = struct({ seconds: i53, nanoseconds });

/** One for all calls of `encode`, which never nest. */
const scratch = new Writer();

/** @returns the encoded bytes, owned by the caller */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  scratch.reset();
  codec.write(scratch, value);
  return scratch.copy();
}

/** @throws ProtocolError also for trailing bytes */
export function decode<T>(codec: Codec<T>, from: Uint8Array): T {
  const reader = new Reader(from);
  const value = codec.read(reader);
  reader.end();
  return value;
}
