import { FsError } from '../../shared/errno.ts';
import type { Place } from '../../shared/wire/values.ts';
import { findEntry, type Found, type Walker } from '../namespace/path.ts';

/**
 * Where something new is to be made.
 * @param isDirectory what is to be made may be named with a slash at the end
 * @throws FsError EEXIST also for `.`, `..` and `/`; ENOENT for a slash after a name that is free
 */
export function findFreeName(walker: Walker, place: Place, isDirectory: boolean): Found {
  const found = findEntry(walker, place);
  if (found.last === 'self') throw new FsError('ENOENT');
  if (found.inode !== undefined) throw new FsError('EEXIST');
  if (found.slash && !isDirectory) throw new FsError('ENOENT');
  return found;
}
