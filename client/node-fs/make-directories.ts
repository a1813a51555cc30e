/** `mkdir` with `recursive`: from the deepest directory that is there downwards. */
import { dirname } from 'node:path/posix';
import { FsError, toFsError } from '../../shared/errno.ts';
import { type ByteString, displayText } from '../../shared/units.ts';
import type { FileSystem } from '../file-system.ts';
import { pathBytes, shownPath } from '../path.ts';
import type { PathArgument } from './arguments.ts';
import { during } from './failures.ts';

/**
 * @returns the first directory that was made; `undefined` when all of them were there
 * @throws FsError EEXIST when it is no directory, ENOTDIR when that is true of one above it
 */
export async function makeDirectories(
  fs: FileSystem,
  given: PathArgument,
  mode: number,
): Promise<string | undefined> {
  const call = { syscall: 'mkdir', path: shownPath(given) };
  let first: string | undefined;
  const missing: string[] = await during(call, async () => [pathBytes(given)]);
  for (;;) {
    const path = missing.at(-1);
    if (path === undefined) return first;
    const outcome = await during(call, () => make(fs, path, mode));
    switch (outcome) {
      case 'made':
        first ??= displayText((path.startsWith('/') ? path : `/${path}`) as ByteString);
        missing.pop();
        break;
      case 'there':
        missing.pop();
        break;
      case 'dangling link':
      case 'no directory':
        if (missing.length === 1) {
          throw new FsError(outcome === 'no directory' ? 'EEXIST' : 'ENOENT', call);
        }
        throw new FsError('ENOTDIR', { ...call, path: displayText(path as ByteString) });
      case 'no parent':
        if (['/', '.'].includes(dirname(path))) throw new FsError('ENOENT', call);
        missing.push(dirname(path));
    }
  }
}

type Outcome = 'made' | 'there' | 'dangling link' | 'no directory' | 'no parent';

async function make(fs: FileSystem, path: string, mode: number): Promise<Outcome> {
  const bytes = Buffer.from(path, 'latin1');
  try {
    await fs.mkdir(bytes, { mode: mode & 0o1777 });
    return 'made';
  } catch (error) {
    const { code } = toFsError(error);
    if (code === 'ENOENT') return 'no parent';
    if (code !== 'EEXIST') throw error;
  }
  try {
    return (await fs.stat(bytes)).isDirectory() ? 'there' : 'no directory';
  } catch (error) {
    if (toFsError(error).code === 'ENOENT') return 'dangling link';
    throw error;
  }
}
