/**
 * Where an object has bytes, and where holes: lseek(2) with SEEK_DATA and SEEK_HOLE. Node has no call
 * for what the disk knows of it, but says how much an object takes: one that takes all of its length
 * has none, and of others is read where there are zeros, which whoever copies a file may leave out as well.
 */
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';
import type { ObjectStore } from './storage/object-store.ts';

export type Wanted = 'data' | 'hole';

export interface Search {
  readonly handle: Handle;
  /** Bytes from the begin of the object. */
  readonly offset: number;
  readonly wanted: Wanted;
}

/** Not found, the search goes on from `offset`; without one there is nothing to the end of the object. */
export interface Found {
  readonly found: boolean;
  readonly offset: number | undefined;
}

/** What disks give and take at once: no hole is shorter. */
const blockBytes = 4096;
const zeros = Buffer.alloc(limits.transferBytes);

/**
 * Looks at `limits.seekBytesPerCall` at the most.
 * @param buffer for what is looked at at a time
 * @throws FsError of the disk
 */
export async function searchObject(
  store: Pick<ObjectStore, 'read' | 'stat'>,
  { handle, offset, wanted }: Search,
  buffer: Uint8Array,
): Promise<Found> {
  const { lengthBytes: length, allocatedBytes } = (await store.stat(handle)) ?? none;
  const atEnd = wanted === 'hole' ? { found: true, offset: Math.max(offset, length) } : nowhere;
  if (offset >= length) return atEnd;
  if (allocatedBytes >= length) return wanted === 'hole' ? atEnd : { found: true, offset };
  const end = Math.min(length, offset + limits.seekBytesPerCall);
  for (let at = offset; at < end;) {
    // Up to where a piece of the object ends, and so does a block.
    const wish = Math.min(end, at - (at % buffer.length) + buffer.length) - at;
    const count = await store.read(handle, at, [buffer.subarray(0, wish)]);
    const found = searchPiece(buffer.subarray(0, count), at, wanted);
    if (found !== undefined) return { found: true, offset: found };
    // Cut meanwhile.
    if (count < wish) return wanted === 'hole' ? { found: true, offset: at + count } : nowhere;
    at += wish;
  }
  return end < length ? { found: false, offset: end } : atEnd;
}

const none = { lengthBytes: 0, allocatedBytes: 0 };
const nowhere: Found = { found: false, offset: undefined };

/** @param at place of the piece in its object */
function searchPiece(piece: Uint8Array, at: number, wanted: Wanted): number | undefined {
  if (wanted === 'data' && isZero(piece, 0, piece.length)) return undefined;
  for (let from = 0; from < piece.length;) {
    const to = Math.min(piece.length, from + blockBytes - ((at + from) % blockBytes));
    if (isZero(piece, from, to) === (wanted === 'hole')) return at + from;
    from = to;
  }
  return undefined;
}

function isZero(piece: Uint8Array, from: number, to: number): boolean {
  return zeros.compare(piece, from, to, 0, to - from) === 0;
}
