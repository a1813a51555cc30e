import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../../shared/wire/op.ts';
import { removeName } from '../../namespace/entries.ts';
import { findEntry } from '../../namespace/path.ts';
import { requireRemove } from '../../namespace/permission.ts';
import { requireEmpty } from '../../namespace/rename-rules.ts';
import type { Done, NameContext } from '../name-context.ts';

type RemoveDirectory = typeof nameOps.removeDirectory;

/** What a path may not end with, and why: as on Linux. */
const refusals = { dot: 'EINVAL', dotdot: 'ENOTEMPTY', root: 'EBUSY', self: 'EINVAL' } as const;

/** @throws FsError ENOTEMPTY, ENOTDIR, EINVAL (`.`), EBUSY (`/`), EACCES, EPERM, and as the walk */
export function removeDirectory(context: NameContext, request: RequestOf<RemoveDirectory>): Done {
  const { view, who, now } = context;
  const { directory, last, name, inode } = findEntry(context, request.at);
  if (last !== 'name') throw new FsError(refusals[last]);
  if (inode === undefined) throw new FsError('ENOENT');
  requireRemove(who, directory, inode);
  if (inode.kind !== 'directory') throw new FsError('ENOTDIR');
  requireEmpty(view, inode);
  removeName(view, now, directory.handle, name, 'directory');
  view.deleteInode(inode.handle);
  return {};
}
