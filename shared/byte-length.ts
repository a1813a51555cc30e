/** Bytes that lie in several buffers, one behind another. */

export function byteLengthOf(segments: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const segment of segments) bytes += segment.length;
  return bytes;
}
