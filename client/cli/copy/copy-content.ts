/** The bytes of one file, from wherever to wherever, in pieces that are on their way at once. */
import { copyFromStart } from '../../whole-copy.ts';
import type { Source, Target } from './tree.ts';

export const pieceBytes = 4 * 1024 * 1024;
const piecesInFlightMax = 4;

/** Buffers of one piece: memory that was touched before is several times faster. */
const spare: Buffer[] = [];
const spareMax = 16;

/**
 * Copies until the source ends, wherever that is: sizes are hints.
 * @param onBytes hears of each piece that is stored
 * @throws whatever the source or the target throws first, when nothing is on its way any more
 */
export async function copyContent(
  source: Source,
  target: Target,
  sizeHint: number,
  onBytes: (count: number) => void,
): Promise<void> {
  const areAtIods = source.file !== undefined && target.file !== undefined;
  let next = areAtIods ? await copyFromStart(source.file, target.file, onBytes) : 0;
  const leftHint = Math.max(0, sizeHint - next);
  const small = leftHint < pieceBytes;
  let end = Infinity;
  const carry = async (): Promise<void> => {
    // One byte more than is expected tells the end of a small file in the same read; a file that
    // says nothing of its size, as in /proc, or still grows, is not to be read byte by byte.
    const buffer = small
      ? Buffer.allocUnsafe(Math.max(leftHint + 1, leastBytes))
      : (spare.pop() ?? newPiece());
    try {
      while (next < end) {
        const at = next;
        next += buffer.length;
        const count = await source.read(buffer, at);
        if (count < buffer.length) end = Math.min(end, at + count);
        if (count === 0) continue;
        await target.write(buffer.subarray(0, count), at);
        onBytes(count);
      }
    } catch (error: unknown) {
      end = 0; // The others stop after the piece that they carry.
      throw error;
    } finally {
      if (!small && spare.length < spareMax) spare.push(buffer);
    }
  };
  const carriers = Math.min(piecesInFlightMax, Math.ceil((leftHint + 1) / pieceBytes));
  const results = await Promise.allSettled(Array.from({ length: carriers }, carry));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** What the smallest read asks for. */
const leastBytes = 4096;

function newPiece(): Buffer {
  return Buffer.allocUnsafeSlow(pieceBytes);
}
