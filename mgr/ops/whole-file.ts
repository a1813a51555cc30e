/**
 * Small files that are read or written whole, by their paths: one round trip instead of those of an
 * open, a read or a write, and a close. Nobody has anything open by it, so no iod hears of it either.
 */
import { type fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { Lends } from '../lends.ts';
import { resolve } from '../namespace/path.ts';
import { may, modeAfterWrite, requireAccess } from '../namespace/permission.ts';
import type { SessionCall } from '../session-call.ts';
import type { Inode } from '../store/rows.ts';
import type { TickChanges } from '../tick-changes.ts';
import { truncateFile } from './file-bytes.ts';
import type { FileScope } from './file-scope.ts';
import type { NameContext } from './name-context.ts';
import { openInode } from './open-file.ts';

type ReadFile = typeof fileOps.readFile;
type WriteFile = typeof fileOps.writeFile;

/** @throws FsError EACCES, and as the walk */
export function readFile(
  { small }: Pick<FileScope, 'small'>,
  lends: Pick<Lends, 'requireKnown'>,
  call: SessionCall,
  { at }: RequestOf<ReadFile>,
): ReplyOf<ReadFile> {
  const inode = resolve(call, at, true);
  if (inode.kind !== 'file' || inode.place === 'iods') return { bytes: undefined };
  requireAccess(call.who, inode, may.read);
  lends.requireKnown(inode);
  return { bytes: small.read(inode.handle, 0, inode.size) };
}

/**
 * Durable with the commit that answers it, unlike a `writeSmall`: who has no descriptor could not say
 * later that it should be.
 * @throws FsError ENOSPC, and as `openInode`
 */
export function writeFile(
  scope: Pick<FileScope, 'small' | 'sizes'>,
  tick: Pick<TickChanges, 'mark' | 'undo'>,
  context: NameContext,
  { append, bytes, ...wish }: RequestOf<WriteFile>,
): ReplyOf<WriteFile> {
  // So it is with most that do not fit, and nothing is to be taken back.
  if (context.smallFileBytes === 0 || bytes.length > context.smallFileBytes)
    return { stored: false };
  const mark = tick.mark();
  const flags = wish.flags | openFlags.write;
  const given = { maker: undefined, handle: undefined, near: undefined };
  const { inode, truncate } = openInode(context, { ...wish, flags, ...given });
  const before = truncate ? { ...inode, size: 0 } : inode;
  const offset = append ? before.size : 0;
  if (scope.sizes.isBusy(inode.handle) || !scope.small.fits(inode, offset + bytes.length)) {
    tick.undo(mark);
    return { stored: false };
  }
  if (bytes.length > 0) write(scope, context, before, offset, bytes);
  else if (truncate) truncateFile(context, inode, 0);
  return { stored: true };
}

function write(
  { small }: Pick<FileScope, 'small'>,
  { view, who, now }: NameContext,
  inode: Inode,
  offset: number,
  bytes: Uint8Array,
): void {
  view.requireRoom();
  const size = Math.max(inode.size, offset + bytes.length);
  const mode = modeAfterWrite(who, inode);
  view.putContents(inode.handle, small.written(inode, offset, bytes));
  view.putInode({ ...inode, size, mode, modified: now, changed: now });
}
