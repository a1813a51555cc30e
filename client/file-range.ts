/** Which places in a file there are. */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';

/** Where bytes were written, and how many. */
export interface Placed {
  readonly position: number;
  readonly bytesWritten: number;
}

/** What is copied from one file to another: places of the first byte in each. */
export interface CopyRange {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** @throws FsError EINVAL for what is no place in a file */
export function checkPosition(position: number): void {
  if (Number.isSafeInteger(position) && position >= 0) return;
  throw new FsError('EINVAL', {
    what: `an offset is a whole number from 0 to 2^53 - 1, not ${position}`,
  });
}

/** There may be so many bytes at this place of a file. */
export function isRange(position: number, length: number): boolean {
  return (
    Number.isSafeInteger(position) && position >= 0 && length <= limits.fileBytesMax - position
  );
}

/** @throws FsError EINVAL, EFBIG */
export function checkRange(position: number, length: number): void {
  checkPosition(position);
  if (length > limits.fileBytesMax - position) throw new FsError('EFBIG');
}
