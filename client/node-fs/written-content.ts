/** What `writeFile` takes for content: text, bytes, or whatever yields these. */
import { limits } from '../../shared/limits.ts';
import type { LayoutWish } from '../../shared/wire/values.ts';
import { encodingOf, signalOf } from './arguments.ts';
import { checkBoolean, checkText, isObject, type Options } from './checks.ts';

export interface WriteOptions {
  readonly encoding: BufferEncoding;
  readonly flush: boolean;
  readonly signal: AbortSignal | undefined;
  /** Not of Node: where the bytes of a file that is made shall go. */
  readonly layout: Partial<LayoutWish> | undefined;
}

export function writeOptionsOf(options: Options): WriteOptions {
  const flush = options['flush'] ?? false;
  checkBoolean(flush, 'options.flush');
  return {
    encoding: encodingOf(options) ?? 'utf8',
    flush,
    signal: signalOf(options),
    layout: layoutOf(options),
  };
}

export function layoutOf({ layout }: Options): Partial<LayoutWish> | undefined {
  return isObject(layout) ? layout : undefined;
}

type Pieces = Iterable<unknown> | AsyncIterable<unknown>;

/** @throws TypeError ERR_INVALID_ARG_TYPE at once for what is no content */
export function piecesOf(
  data: unknown,
  encoding: BufferEncoding,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (!ArrayBuffer.isView(data) && isIterable(data)) return eachPiece(data, encoding);
  if (!ArrayBuffer.isView(data)) checkText(data, 'data');
  return [bytesOf(data, encoding)];
}

/** Content that is at hand. @returns undefined: there is too much of it for one message, or who knows how much */
export function smallContentOf(data: unknown, options: Options): Uint8Array | undefined {
  const isText = typeof data === 'string';
  if (!isText && !ArrayBuffer.isView(data)) return undefined;
  // No character is less than half a byte, nor more than three.
  const leastBytes = isText ? data.length / 2 : data.byteLength;
  if (leastBytes > limits.smallFileBytesDefault) return undefined;
  return bytesOf(data, encodingOf(options) ?? 'utf8');
}

async function* eachPiece(data: Pieces, encoding: BufferEncoding): AsyncGenerator<Uint8Array> {
  for await (const piece of data) yield bytesOf(piece, encoding);
}

function bytesOf(data: unknown, encoding: BufferEncoding): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data as string, encoding);
}

function isIterable(data: unknown): data is Pieces {
  if (typeof data !== 'object' || data === null) return false;
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}
