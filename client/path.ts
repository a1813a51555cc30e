/** Paths as users give them, to the bytes that the mgr keeps. */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { type ByteString, byteString, rootHandle } from '../shared/units.ts';
import type { Place } from '../shared/wire/values.ts';

/** Text is taken as UTF-8; bytes are taken as they are: a name may hold any but `/` and NUL. */
export type PathLike = string | Uint8Array;

/** @throws FsError EINVAL (type, NUL), ENOENT (empty), ENAMETOOLONG */
export function pathBytes(path: PathLike): ByteString {
  if (typeof path !== 'string' && !(path instanceof Uint8Array)) {
    throw new FsError('EINVAL', {
      what: `a path is a string or bytes, not ${path === null ? 'null' : typeof path}`,
    });
  }
  const bytes =
    typeof path === 'string'
      ? byteString(path)
      : (Buffer.from(path.buffer, path.byteOffset, path.length).toString('latin1') as ByteString);
  if (bytes.includes('\0')) throw new FsError('EINVAL', { what: 'a path cannot hold a NUL byte' });
  if (bytes === '') throw new FsError('ENOENT');
  if (bytes.length > limits.pathBytesMax) throw new FsError('ENAMETOOLONG');
  return bytes;
}

/** Relative paths begin at the root of the file system. */
export function placeOf(path: PathLike): Place {
  return { directory: rootHandle, path: pathBytes(path) };
}

/** The path as it is shown in errors. */
export function shownPath(path: unknown): string {
  // Also what is no path at all is shown as it is.
  return path instanceof Uint8Array ? Buffer.from(path).toString('utf8') : String(path);
}
