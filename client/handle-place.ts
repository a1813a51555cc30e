/** Places by handle, as those use them who keep handles instead of paths. */
import { type ByteString, byteString, type Handle } from '../shared/units.ts';
import type { Place } from '../shared/wire/values.ts';

const itself = byteString('');

/** What has this handle, whatever it is. */
export function placeAt(handle: Handle): Place {
  return { directory: handle, path: itself };
}

/** A name in a directory. Only its last step is taken: symbolic links are not followed. */
export function placeIn(directory: Handle, name: ByteString): Place {
  return { directory, path: name };
}
