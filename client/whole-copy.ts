import { limits } from '../shared/limits.ts';
import type { File } from './file.ts';

/**
 * Has iods copy all of a file, where they can.
 * @param onBytes hears of each part that is copied
 * @returns up to where it is done: what is behind is to be read and written
 * @throws FsError as `File.copyFrom`
 */
export async function copyFromStart(
  source: File,
  target: File,
  onBytes?: (count: number) => void,
): Promise<number> {
  for (let at = 0; ;) {
    const range = { from: at, to: at, length: limits.fileBytesMax - at };
    const count = await target.copyFrom(source, range);
    if (count === undefined || count === 0) return at;
    at += count;
    onBytes?.(count);
  }
}
