/** `Buffer` for a page: as much of it as the library uses, over a plain Uint8Array. */

type Encoding = 'utf8' | 'latin1' | 'hex';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Arguments that a call takes in every browser. */
const charactersAtOnce = 8192;

class Bytes extends Uint8Array {
  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    if (encoding === 'utf8') return decoder.decode(part);
    if (encoding === 'latin1') return latin1(part);
    return Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** There must be room for all of it. */
  write(text: string, at: number, encoding: Encoding): number {
    const bytes = bytesOf(text, encoding);
    this.set(bytes, at);
    return bytes.length;
  }

  readUInt32LE(at: number): number {
    return new DataView(this.buffer, this.byteOffset).getUint32(at, true);
  }

  writeUInt32LE(value: number, at: number): void {
    new DataView(this.buffer, this.byteOffset).setUint32(at, value, true);
  }
}

/** Text and bytes are copied; of an array buffer it is a view. */
function from(text: string, encoding?: Encoding): Bytes;
function from(bytes: Uint8Array): Bytes;
function from(memory: ArrayBuffer, at?: number, length?: number): Bytes;
function from(
  source: string | Uint8Array | ArrayBuffer,
  second?: Encoding | number,
  length?: number,
): Bytes {
  if (typeof source === 'string') {
    return bytesOf(source, typeof second === 'string' ? second : 'utf8');
  }
  if (source instanceof Uint8Array) return new Bytes(source);
  return new Bytes(source, typeof second === 'number' ? second : 0, length);
}

function concat(pieces: readonly Uint8Array[]): Bytes {
  const all = new Bytes(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** No memory of a page comes uncleared, nor from a slab. */
function alloc(length: number): Bytes {
  return new Bytes(length);
}

export const Buffer = {
  from,
  concat,
  alloc,
  allocUnsafe: alloc,
  allocUnsafeSlow: alloc,
  isBuffer: (value: unknown): value is Bytes => value instanceof Bytes,
  byteLength: utf8Length,
};

function bytesOf(text: string, encoding: Encoding): Bytes {
  if (encoding === 'utf8') {
    const bytes = encoder.encode(text);
    return new Bytes(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  const digits = encoding === 'hex' ? 2 : 1;
  const bytes = new Bytes(text.length / digits);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] =
      digits === 1 ? text.charCodeAt(i) : Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += charactersAtOnce) {
    text += String.fromCharCode(...bytes.subarray(at, at + charactersAtOnce));
  }
  return text;
}

/** A pair of surrogates is 4 bytes, a lone one becomes U+FFFD. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else bytes += code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
