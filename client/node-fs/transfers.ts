/** The many forms of arguments in which `read` and `write` of a FileHandle take a range. */
import {
  checkBuffer,
  checkBuffers,
  checkEncodingOf,
  checkInteger,
  checkObjectOrNull,
  checkReadRange,
  checkText,
  checkWriteRange,
  isObject,
  type Options,
} from './checks.ts';
import { invalidArgValue } from './node-errors.ts';
import type { Position } from './open-file.ts';

export interface ReadRange {
  /** What the caller gets back. */
  readonly buffer: ArrayBufferView;
  readonly into: Uint8Array;
  readonly position: Position;
}

/** `(buffer, offset, length, position)`, `(buffer, options)` or `(options)`. */
export function readRangeOf(args: readonly unknown[]): ReadRange {
  const [first] = args;
  let [buffer, offset, length, position] = args;
  let options: unknown = offset;
  if (!ArrayBuffer.isView(first)) {
    if (first !== undefined) checkObjectOrNull(first, 'options');
    options = first ?? {};
    buffer = (options as Options)['buffer'] ?? Buffer.alloc(16_384);
    checkBuffer(buffer);
  }
  if (isObject(options)) ({ offset, length, position } = options);
  if (offset === undefined || offset === null) offset = 0;
  const view = buffer as ArrayBufferView;
  checkInteger(offset, 'offset', 0);
  length ??= view.byteLength - offset;
  if (length !== 0) {
    if (view.byteLength === 0) {
      throw invalidArgValue('buffer', view, 'is empty and cannot be written');
    }
    checkReadRange(offset, length, view.byteLength);
  }
  return {
    buffer: view,
    into: bytesOf(view, offset, length as number),
    position: placeOf(position),
  };
}

export interface WriteRange {
  readonly buffer: unknown;
  readonly from: Uint8Array;
  readonly position: Position;
}

/** `(buffer, offset, length, position)`, `(buffer, options)` or `(text, position, encoding)`. */
export function writeRangeOf(args: readonly unknown[]): WriteRange {
  const [buffer] = args;
  let [, offset, length, position] = args;
  if (!ArrayBuffer.isView(buffer)) {
    checkText(buffer, 'buffer');
    checkEncodingOf(buffer, length);
    const encoding = typeof length === 'string' && Buffer.isEncoding(length) ? length : 'utf8';
    return { buffer, from: Buffer.from(buffer, encoding), position: placeOf(offset) };
  }
  if (isObject(offset)) ({ offset, length, position } = offset);
  if (offset === undefined || offset === null) offset = 0;
  checkInteger(offset, 'offset', 0);
  if (typeof length !== 'number') length = buffer.byteLength - offset;
  checkWriteRange(offset, length as number, buffer.byteLength);
  return { buffer, from: bytesOf(buffer, offset, length as number), position: placeOf(position) };
}

export interface ManyBuffers {
  readonly buffers: readonly ArrayBufferView[];
  readonly bytes: readonly Uint8Array[];
  readonly position: Position;
}

export function buffersOf([buffers, position]: readonly unknown[]): ManyBuffers {
  checkBuffers(buffers);
  const bytes = buffers.map((one) => bytesOf(one, 0, one.byteLength));
  return { buffers, bytes, position: placeOf(position) };
}

/** What is no place, or before the file, stands for the current one. */
export function placeOf(position: unknown): Position {
  const place = typeof position === 'bigint' ? Number(position) : position;
  return typeof place === 'number' && Number.isSafeInteger(place) && place >= 0 ? place : undefined;
}

function bytesOf(view: ArrayBufferView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}
