import { limits } from '../shared/limits.ts';
import type { File } from './file.ts';

/**
 * Has iods copy all of a file, where they can. Its holes stay such.
 * @param target has no bytes yet
 * @param onBytes hears of each part that is copied
 * @returns up to where it is done: what is behind is to be read and written
 * @throws FsError as `File.copyFrom`
 */
export async function copyFromStart(
  source: File,
  target: File,
  onBytes?: (count: number) => void,
): Promise<number> {
  if (!source.isAtIods) return 0;
  const { size, blocks } = await source.stat();
  const hasHoles = blocks * 512 < size;
  let at = 0;
  let end = hasHoles ? at : limits.fileBytesMax;
  for (;;) {
    if (at === end) {
      const from = await source.seek(at, 'data');
      if (from === undefined) {
        await target.truncate(size);
        return size;
      }
      at = from;
      end = (await source.seek(from, 'hole')) ?? size;
    }
    const count = await target.copyFrom(source, { from: at, to: at, length: end - at });
    // What was left out reads as zeros.
    if (count === undefined || count === 0) return at;
    at += count;
    onBytes?.(count);
  }
}
