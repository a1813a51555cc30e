/** Whether a path leads to a directory; one that leads nowhere does not. */
import { toFsError } from '../../shared/errno.ts';
import type { FileSystem } from '../file-system.ts';

export async function isDirectory(fs: FileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isDirectory();
  } catch (error: unknown) {
    if (['ENOENT', 'ENOTDIR'].includes(toFsError(error).code)) return false;
    throw error;
  }
}
