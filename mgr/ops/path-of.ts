import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { type ByteString, type Handle, rootHandle } from '../../shared/units.ts';
import type { MetaStore } from '../store/meta-store.ts';

/**
 * A path of a handle as it was at the last commit; a file with several names has several.
 * @throws FsError ENOENT (no name leads to it), ENAMETOOLONG (deeper than a path may be long)
 */
export function pathOf(store: Pick<MetaStore, 'direntOf'>, handle: Handle): ByteString {
  const names: ByteString[] = [];
  let length = 0;
  for (let at = handle; at !== rootHandle;) {
    const dirent = store.direntOf(at);
    if (dirent === undefined) throw new FsError('ENOENT', { what: `handle ${handle} has no name` });
    names.push(dirent.name);
    length += dirent.name.length + 1;
    if (length > limits.pathBytesMax) throw new FsError('ENAMETOOLONG');
    at = dirent.parent;
  }
  return `/${names.toReversed().join('/')}` as ByteString;
}
