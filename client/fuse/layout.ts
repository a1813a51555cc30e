/**
 * Structures of C as the kernel lays them out on this host: fields of fixed size behind each
 * other, gaps written out. Little-endian, as every machine that Node runs on. Pure.
 */

/** A value at a place. Numbers beyond 2^53 lose their low bits: none that we give out is as large. */
export interface Field<T> {
  readonly bytes: number;
  read(from: Buffer, at: number): T;
  write(into: Buffer, at: number, value: T): void;
}

/** Bytes that mean nothing: read by nobody, written as zeros. */
export interface Gap extends Field<undefined> {
  readonly isGap: true;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a field holds; of a structure all but its gaps. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;
type Struct<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Gap ? never : K]: ValueOf<F[K]>;
};

export const u16: Field<number> = {
  bytes: 2,
  read: (from, at) => from.readUInt16LE(at),
  write: (into, at, value) => {
    into.writeUInt16LE(value, at);
  },
};

export const u32: Field<number> = {
  bytes: 4,
  read: (from, at) => from.readUInt32LE(at),
  write: (into, at, value) => {
    into.writeUInt32LE(value, at);
  },
};

export const i32: Field<number> = {
  bytes: 4,
  read: (from, at) => from.readInt32LE(at),
  write: (into, at, value) => {
    into.writeInt32LE(value, at);
  },
};

const high = 2 ** 32;

function wide(readHigh: (from: Buffer, at: number) => number): Field<number> {
  return {
    bytes: 8,
    read: (from, at) => from.readUInt32LE(at) + readHigh(from, at + 4) * high,
    write: (into, at, value) => {
      into.writeUInt32LE(value - Math.floor(value / high) * high, at);
      into.writeInt32LE(Math.floor(value / high) | 0, at + 4);
    },
  };
}

export const u64 = wide((from, at) => from.readUInt32LE(at));
/** Seconds: there are times before 1970. */
export const i64 = wide((from, at) => from.readInt32LE(at));

export function gap(bytes: number): Gap {
  return {
    bytes,
    isGap: true,
    read: () => undefined,
    write: (into, at) => {
      into.fill(0, at, at + bytes);
    },
  };
}

export function struct<F extends Fields>(fields: F): Field<Struct<F>> {
  const entries = Object.entries(fields);
  const bytes = entries.reduce((sum, [, field]) => sum + field.bytes, 0);
  return {
    bytes,
    read(from, at) {
      const value: Record<string, unknown> = {};
      let place = at;
      for (const [name, field] of entries) {
        if (!('isGap' in field)) value[name] = field.read(from, place);
        place += field.bytes;
      }
      return value as Struct<F>;
    },
    write(into, at, value) {
      let place = at;
      for (const [name, field] of entries) {
        field.write(into, place, (value as Readonly<Record<string, unknown>>)[name]);
        place += field.bytes;
      }
    },
  };
}

export function encode<T>(field: Field<T>, value: T): Buffer {
  const into = Buffer.allocUnsafe(field.bytes);
  field.write(into, 0, value);
  return into;
}
