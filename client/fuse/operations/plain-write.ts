import type { File } from '../../file.ts';
import type { Placed } from '../../file-range.ts';
import type { HandleAccess } from '../../handle-access.ts';
import type { RequestControl } from '../in-flight.ts';

type Access = Pick<HandleAccess, 'writes'>;

/** Writes behind all that was gathered of the file; nothing of it is. @throws FsError as `File.write` */
export function writePlainly(
  access: Access,
  file: File,
  content: Uint8Array,
  { place, control }: { readonly place: number | 'end'; readonly control: RequestControl },
): Promise<Placed> {
  return plainly(access, file, control, () => file.write(content, place, control));
}

/** @throws as `write` rejects; FsError ETIMEDOUT: what was gathered is not there yet */
export function plainly<T>(
  { writes }: Access,
  { handle }: Pick<File, 'handle'>,
  control: RequestControl,
  write: () => Promise<T>,
): Promise<T> {
  return writes?.otherwise(handle, control, write) ?? write();
}
