import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../../shared/wire/op.ts';
import { removeName } from '../../namespace/entries.ts';
import { findEntry } from '../../namespace/path.ts';
import { requireRemove } from '../../namespace/permission.ts';
import { dropLink } from '../file-bytes.ts';
import type { Done, NameContext } from '../name-context.ts';

type Unlink = typeof nameOps.unlink;

/** @throws FsError EISDIR, ENOTDIR (slash after a file), EACCES, EPERM, and as the walk */
export function unlink(context: NameContext, request: RequestOf<Unlink>): Done {
  const { view, who, now } = context;
  const { directory, last, name, slash, inode } = findEntry(context, request.at);
  if (last !== 'name') throw new FsError('EISDIR');
  if (inode === undefined) throw new FsError('ENOENT');
  if (slash && inode.kind !== 'directory') throw new FsError('ENOTDIR');
  requireRemove(who, directory, inode);
  if (inode.kind === 'directory') throw new FsError('EISDIR');
  removeName(view, now, directory.handle, name, inode.kind);
  dropLink(context, inode);
  return {};
}
