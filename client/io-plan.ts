/** From a range of a file and the caller's buffers to what each iod is asked. Pure. */
import { limits } from '../shared/limits.ts';
import { type Layout, type Piece, planTransfers } from '../shared/stripe.ts';
import type { IodIndex } from '../shared/units.ts';

/** Bytes that one iod has. */
export interface PlacedPart {
  readonly iod: IodIndex;
  readonly column: number;
  /** Where in the iod's object. */
  readonly localOffset: number;
  readonly length: number;
  /** Where those bytes are in the caller's range, in the order of the object's bytes. */
  readonly pieces: readonly Piece[];
}

/** One request to one iod. */
export interface IoPart extends PlacedPart {
  /** The caller's own memory, in the same order. */
  readonly segments: readonly Uint8Array[];
}

export function planIo(
  layout: Layout,
  position: number,
  length: number,
  buffers: readonly Uint8Array[],
): IoPart[] {
  const transfers = planTransfers(layout, position, length, limits.transferBytes);
  const [only] = buffers;
  const cut =
    buffers.length === 1 && only !== undefined
      ? (pieces: readonly Piece[]) => pieces.map((piece) => partOf(only, piece))
      : cutter(buffers);
  return transfers.map(({ iod, column, localOffset, length, pieces }) => ({
    iod,
    column,
    localOffset,
    length,
    pieces,
    segments: cut(pieces),
  }));
}

function partOf(buffer: Uint8Array, { at, length }: Piece): Uint8Array {
  return length === buffer.length ? buffer : buffer.subarray(at, at + length);
}

/** Buffers that follow each other, as one range that pieces are cut out of without a copy. */
function cutter(
  buffers: readonly Uint8Array[],
): (pieces: readonly Piece[]) => readonly Uint8Array[] {
  const starts: number[] = [];
  let end = 0;
  for (const buffer of buffers) {
    starts.push(end);
    end += buffer.length;
  }
  const cut = ({ at, length }: Piece): Uint8Array[] => {
    const segments: Uint8Array[] = [];
    let next = at;
    for (let i = lastAtOrBefore(starts, at); next < at + length; i++) {
      const buffer = buffers[i];
      const start = starts[i];
      if (buffer === undefined || start === undefined) break;
      const to = Math.min(at + length - start, buffer.length);
      if (to > next - start) segments.push(buffer.subarray(next - start, to));
      next = Math.max(next, start + to);
    }
    return segments;
  };
  return (pieces) => pieces.flatMap(cut);
}

/** Index of the last start that is not after `at`, by halving. */
function lastAtOrBefore(starts: readonly number[], at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? Infinity) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** How far the range is done without a gap, when each part has done its first bytes. */
export function contiguousBytes(
  parts: readonly PlacedPart[],
  done: readonly number[],
  length: number,
): number {
  let end = length;
  parts.forEach((part, i) => {
    let left = done[i] ?? 0;
    for (const piece of part.pieces) {
      if (left < piece.length) {
        end = Math.min(end, piece.at + left);
        return;
      }
      left -= piece.length;
    }
  });
  return end;
}

/** Zeros what lies behind the first `from` bytes. */
export function fillWithZeros(segments: readonly Uint8Array[], from: number): void {
  let skip = from;
  for (const segment of segments) {
    if (skip < segment.length) segment.fill(0, skip);
    skip = Math.max(0, skip - segment.length);
  }
}
