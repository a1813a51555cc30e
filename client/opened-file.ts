import type { fileOps } from '../shared/wire/mgr-ops.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import { File } from './file.ts';
import type { FileSource, OpenGrant } from './open-grant.ts';

export type MakeFile = (source: FileSource, grant: OpenGrant) => File;

export interface OpenWish extends Pick<OpenGrant, 'append' | 'durable' | 'path'> {
  /** Bits of `openFlags`. */
  readonly flags: number;
}

/** What the mgr's answer to an open stands for. */
export function openedFile(
  source: FileSource,
  { flags, ...wish }: OpenWish,
  {
    cap,
    layout,
    roomAtMgr: room,
    attr: { handle, kind, place, size },
  }: ReplyOf<typeof fileOps.open>,
  make: MakeFile = (of, grant) => new File(of, grant),
): File {
  // A cap of a directory has none.
  const rights = flags & cap.body.rights;
  const roomAtMgr = place === 'iods' ? undefined : room;
  return make(source, { ...wish, kind, handle, rights, cap, layout, size, roomAtMgr });
}
