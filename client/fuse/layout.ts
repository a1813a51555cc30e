/**
 * Structures of C as the kernel lays them out on this host: fields of fixed size behind each
 * other, gaps written out. Little-endian, as every machine that Node runs on. Pure.
 */
import { compile, identifier, mayCompile } from '../../shared/compile.ts';

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
  let bytes = 0;
  const placed = Object.entries(fields).map(([name, field]) => {
    const at = bytes;
    bytes += field.bytes;
    return { name, field, at };
  });
  return { bytes, ...(structParts(placed) as StructParts<Struct<F>>) };
}

/** A field of a structure, and where that has it. */
interface Placed {
  readonly name: string;
  readonly field: Field<unknown>;
  readonly at: number;
}

type StructParts<T> = Pick<Field<T>, 'read' | 'write'>;
type Parts = StructParts<Record<string, unknown>>;

/** What every engine takes. */
export function looped(placed: readonly Placed[]): Parts {
  return {
    read(from, start) {
      const value: Record<string, unknown> = {};
      for (const { name, field, at } of placed)
        if (!isGap(field)) value[name] = field.read(from, start + at);
      return value;
    },
    write(into, start, value) {
      for (const { name, field, at } of placed) field.write(into, start + at, value[name]);
    },
  };
}

/** The same as functions of its own for each structure. @throws EvalError where they may not be made */
export function compiled(placed: readonly Placed[]): Parts {
  const reads = placed.map(({ name, field, at }, i) =>
    isGap(field) ? '' : `${identifier(name)}: f${i}.read(from, start + ${at}),`,
  );
  const writes = placed.map(
    ({ name, at }, i) => `f${i}.write(into, start + ${at}, value.${identifier(name)});`,
  );
  const body = `{
    read(from, start) { return { ${reads.join(' ')} }; },
    write(into, start, value) { ${writes.join(' ')} },
  }`;
  const values = Object.fromEntries(placed.map(({ field }, i) => [`f${i}`, field]));
  return compile(body, values) as Parts;
}

const structParts = mayCompile() ? compiled : looped;

function isGap(field: Field<unknown>): boolean {
  return 'isGap' in field;
}

export function encode<T>(field: Field<T>, value: T): Buffer {
  const into = Buffer.allocUnsafe(field.bytes);
  field.write(into, 0, value);
  return into;
}
