/** What `node:fs` demands of its arguments, in the order and the words in which it does. */
import { invalidArgType, invalidArgValue, outOfRange } from './node-errors.ts';

export type Callback = (...results: unknown[]) => void;
export type Options = Readonly<Record<string, unknown>>;

/** @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE */
export function checkInteger(
  value: unknown,
  name: string,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

export function checkInt32(
  value: unknown,
  name: string,
  min = -(2 ** 31),
  max = 2 ** 31 - 1,
): asserts value is number {
  checkInteger(value, name, min, max);
}

export function checkUint32(value: unknown, name: string, min = 0): asserts value is number {
  checkInteger(value, name, min, 2 ** 32 - 1);
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

export function checkFunction(value: unknown, name: string): asserts value is Callback {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

export function checkObject(value: unknown, name: string): asserts value is Options {
  if (isObject(value)) return;
  throw invalidArgType(name, 'of type object', value);
}

export function checkObjectOrNull(value: unknown, name: string): asserts value is Options | null {
  if (value !== null) checkObject(value, name);
}

export function checkSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (typeof value === 'object' && value !== null && 'aborted' in value) return;
  throw invalidArgType(name, 'an instance of AbortSignal', value);
}

export function checkBuffer(value: unknown): asserts value is ArrayBufferView {
  if (ArrayBuffer.isView(value)) return;
  throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', value);
}

export function checkBuffers(value: unknown): asserts value is readonly ArrayBufferView[] {
  if (Array.isArray(value) && value.every((one) => ArrayBuffer.isView(one))) return;
  throw invalidArgType('buffers', 'an ArrayBufferView[]', value);
}

/** What comes where a buffer could have been. */
export function checkText(value: unknown, name: string): asserts value is string {
  if (typeof value === 'string') return;
  const expected = 'of type string or an instance of Buffer, TypedArray, or DataView';
  throw invalidArgType(name, expected, value);
}

/** @throws TypeError when text in hexadecimal is cut in half */
export function checkEncodingOf(text: string, encoding: unknown): void {
  if (String(encoding).toLowerCase() !== 'hex' || text.length % 2 === 0) return;
  throw invalidArgValue('encoding', encoding, `is invalid for data of length ${text.length}`);
}

export function checkReadRange(offset: number, length: unknown, room: number): void {
  if (typeof length !== 'number') return;
  if (offset < 0) throw outOfRange('offset', '>= 0', offset);
  if (length < 0) throw outOfRange('length', '>= 0', length);
  if (offset + length > room) throw outOfRange('length', `<= ${room - offset}`, length);
}

export function checkWriteRange(offset: number, length: number, room: number): void {
  if (offset > room) throw outOfRange('offset', `<= ${room}`, offset);
  if (length > room - offset) throw outOfRange('length', `<= ${room - offset}`, length);
  if (length < 0) throw outOfRange('length', '>= 0', length);
  checkInt32(length, 'length', 0);
}

/** Of the callback `read`, which is stricter than a FileHandle. */
export function checkPosition(value: unknown, name = 'position'): void {
  if (value === undefined || value === null) return;
  if (typeof value === 'number') checkInteger(value, name, -1);
  else if (typeof value !== 'bigint') {
    throw invalidArgType(name, 'of type bigint or integer', value);
  } else if (value < -(2n ** 63n) || value > 2n ** 63n - 1n) {
    throw outOfRange(name, `>= ${-(2n ** 63n)} && <= ${2n ** 63n - 1n}`, value);
  }
}

export function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
