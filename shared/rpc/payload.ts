/** The bytes behind a reply against what was asked for. */
import { byteLengthOf } from '../byte-length.ts';
import { ProtocolError } from '../errno.ts';
import type { Op } from '../wire/op.ts';

/**
 * The first `count` bytes of some buffers, as buffers.
 * @throws ProtocolError when there is no room for so many
 */
export function firstBytes(into: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  const available = byteLengthOf(into);
  if (count === available) return into;
  if (count > available) {
    throw new ProtocolError(`reply of ${count} bytes, at most ${available} were asked for`);
  }
  const sinks: Uint8Array[] = [];
  let left = count;
  for (const buffer of into) {
    if (left === 0) break;
    sinks.push(buffer.subarray(0, Math.min(left, buffer.length)));
    left -= Math.min(left, buffer.length);
  }
  return sinks;
}

/** @throws ProtocolError when a reply does not bring the bytes that its fields tell of */
export function checkDelivered(op: Op, reply: unknown, payload: readonly Uint8Array[]): void {
  const told = op.traits.payload === 'reply' ? (reply as { length: number }).length : 0;
  const delivered = byteLengthOf(payload);
  if (delivered !== told) {
    throw new ProtocolError(`reply tells of ${told} bytes and brings ${delivered}`);
  }
}
