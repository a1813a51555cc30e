/** Values of any shape: one that is always the same, and all that there can be. */
import * as fc from 'fast-check';
import type { Shape } from '../../../shared/wire/codec.ts';
import { clientOps } from '../../../shared/wire/client-ops.ts';
import { iodOps } from '../../../shared/wire/iod-ops.ts';
import { linkOps } from '../../../shared/wire/link-ops.ts';
import { mgrOps } from '../../../shared/wire/mgr-ops.ts';
import type { Op, OpTable } from '../../../shared/wire/op.ts';

/** Every message: name and definition. */
export const messages: readonly (readonly [name: string, op: Op])[] = [
  linkOps,
  mgrOps,
  iodOps,
  clientOps,
].flatMap((ops: OpTable) => Object.entries(ops));

export const sides = ['request', 'reply'] as const;

/** Both sides of every message. */
export const halves = messages.flatMap(([name, op]) =>
  sides.map((side) => ({ title: `${name} ${side}`, op, side, codec: op[side] })),
);

/**
 * The same value every time. Its parts differ from each other, so that two fields that change
 * places change the bytes; every second optional field is absent.
 */
export function sampleOf(shape: Shape): unknown {
  return new Sampler().value(shape);
}

class Sampler {
  #count = 0;

  value(shape: Shape): unknown {
    const n = this.#count++;
    switch (shape.kind) {
      case 'int':
        return sampleInt(n, shape.min, shape.max);
      case 'bool':
        return n % 2 === 0;
      case 'bytes':
        return Buffer.from(Array.from({ length: shape.exact ? shape.max : 3 }, (_, at) => n + at));
      case 'text':
        return `text é ${n}`;
      case 'name':
        return `name \xff ${n}`;
      case 'choice':
        return shape.values[n % shape.values.length];
      case 'optional':
        return n % 2 === 0 ? this.value(shape.of) : undefined;
      case 'list':
        return [this.value(shape.of), this.value(shape.of)];
      case 'struct':
        break;
    }
    return mapFields(shape.fields, (field) => this.value(field));
  }
}

/** Every byte of the integer is another one, as far as the range goes. */
function sampleInt(n: number, min: number, max: number): number {
  const value = 0x01_02_03_04_05_06 + n;
  if (min < 0) return -value;
  return value <= max ? value : value % (max + 1);
}

/** All values of a shape; lists and strings short, so that a test sees many of them. */
export function arbitraryOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'int':
      return fc.integer({ min: shape.min, max: shape.max });
    case 'bool':
      return fc.boolean();
    case 'bytes':
      return bytesOf(shape.exact ? shape.max : 0, shape.max);
    case 'text':
      return fc
        .string({ unit: 'binary', maxLength: 40 })
        .filter((text) => Buffer.byteLength(text) <= shape.max);
    case 'name':
      return bytesOf(0, shape.max).map((bytes) => bytes.toString('latin1'));
    case 'choice':
      return fc.constantFrom(...shape.values);
    case 'optional':
      return fc.option(arbitraryOf(shape.of), { nil: undefined });
    case 'list':
      return fc.array(arbitraryOf(shape.of), { maxLength: Math.min(shape.max, 4) });
    case 'struct':
      break;
  }
  return fc.record(mapFields(shape.fields, arbitraryOf), { noNullPrototype: true });
}

function mapFields<T>(
  fields: Readonly<Record<string, Shape>>,
  make: (field: Shape) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, make(field)]));
}

function bytesOf(minLength: number, max: number): fc.Arbitrary<Buffer> {
  return fc
    .uint8Array({ minLength, maxLength: Math.min(max, Math.max(minLength, 40)) })
    .map((bytes) => Buffer.from(bytes));
}
