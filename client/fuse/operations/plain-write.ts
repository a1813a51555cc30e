import type { File } from '../../file.ts';
import type { Placed } from '../../file-range.ts';
import type { HandleAccess } from '../../handle-access.ts';
import type { RequestControl } from '../in-flight.ts';

/** Writes behind all that was gathered of the file; nothing of it is. @throws FsError as `File.write` */
export function writePlainly(
  { writes }: Pick<HandleAccess, 'writes'>,
  file: File,
  content: Uint8Array,
  { place, control }: { readonly place: number | 'end'; readonly control: RequestControl },
): Promise<Placed> {
  const write = () => file.write(content, place, control);
  return writes?.otherwise(file.handle, control, write) ?? write();
}
