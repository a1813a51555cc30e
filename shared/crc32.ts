/** Checksum of payloads on the wire (CRC-32 of ISO 3309, as in zlib). */
import { crc32 } from 'node:zlib';

export function crcOf(segments: readonly Uint8Array[]): number {
  let crc = 0;
  for (const segment of segments) crc = crc32(segment, crc);
  return crc;
}

export function byteLengthOf(segments: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const segment of segments) bytes += segment.length;
  return bytes;
}
