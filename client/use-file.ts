/** Open, use, give back. */
import type { File } from './file.ts';
import type { FileSystem, OpenOptions } from './file-system.ts';
import type { OpenMode } from './open-flags.ts';
import type { PathLike } from './path.ts';

/**
 * Gives the file back also when the use fails; then that failure is the one that is told. The
 * signal ends the use, never the giving back.
 */
export async function useFile<T>(
  fs: FileSystem,
  path: PathLike,
  mode: OpenMode,
  options: OpenOptions,
  use: (file: File) => Promise<T>,
): Promise<T> {
  const file = await fs.open(path, mode, options);
  let result: T;
  try {
    result = await use(file);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close({ deadlineMs: options.deadlineMs });
  return result;
}
