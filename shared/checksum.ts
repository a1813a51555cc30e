/**
 * Checksum of payloads on the wire: the low half of XXH64 with seed 0 (xxHash specification).
 * Why this one: docs/decisions/0006-checksum.md.
 */
import xxhash from 'xxhash-wasm';
import { byteLengthOf } from './byte-length.ts';

const hasher = await xxhash();
const lowHalf = 0xffff_ffffn;

/** Of all segments as if they were one; 0 when there are no bytes, as when there is no payload. */
export function checksumOf(segments: readonly Uint8Array[]): number {
  if (byteLengthOf(segments) === 0) return 0;
  const [first, ...others] = segments;
  if (first !== undefined && others.length === 0) return Number(hasher.h64Raw(first) & lowHalf);
  const hash = hasher.create64();
  for (const segment of segments) hash.update(segment);
  return Number(hash.digest() & lowHalf);
}
