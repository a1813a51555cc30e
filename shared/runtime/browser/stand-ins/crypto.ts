/** `node:crypto` for a page: as much of it as the library uses. */
import { byteLengthOf } from '../../../byte-length.ts';
import { hmacSha256, sha256 } from './sha256.ts';

const encoder = new TextEncoder();

/** Collects what is to be hashed. */
class Hash {
  readonly #hash: (message: Uint8Array) => Uint8Array;
  readonly #pieces: Uint8Array[] = [];

  constructor(hash: (message: Uint8Array) => Uint8Array) {
    this.#hash = hash;
  }

  update(piece: string | Uint8Array): this {
    this.#pieces.push(typeof piece === 'string' ? encoder.encode(piece) : piece);
    return this;
  }

  digest(): Uint8Array {
    const message = new Uint8Array(byteLengthOf(this.#pieces));
    let at = 0;
    for (const piece of this.#pieces) {
      message.set(piece, at);
      at += piece.length;
    }
    return this.#hash(message);
  }
}

export function createHash(_algorithm: 'sha256'): Hash {
  return new Hash(sha256);
}

export function createHmac(_algorithm: 'sha256', key: Uint8Array): Hash {
  return new Hash((message) => hmacSha256(key, message));
}

/** Looks at every byte, wherever the first difference is. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [i, byte] of a.entries()) difference |= byte ^ (b[i] ?? 0);
  return difference === 0;
}
