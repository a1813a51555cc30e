/** Bytes that look random and can be made again: the same for the same seed and place. */
import { createCipheriv, createHash } from 'node:crypto';

const blockBytes = 16;

/** @param offset a multiple of 16 */
export function pattern(seed: number, offset: number, length: number): Buffer {
  const key = createHash('sha256').update(`weft ${seed}`).digest().subarray(0, 16);
  const counter = Buffer.alloc(blockBytes);
  counter.writeBigUInt64BE(BigInt(offset / blockBytes), 8);
  // The key stream itself.
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(length));
}

export function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
