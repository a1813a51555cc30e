import { FsError } from '../../../shared/errno.ts';
import type { Timestamp } from '../../../shared/units.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { resolve } from '../../namespace/path.ts';
import {
  changedMode,
  may,
  modeAfterChangeOwner,
  requireAccess,
  requireChangeOwner,
  requireChangeTimes,
} from '../../namespace/permission.ts';
import type { Inode } from '../../store/rows.ts';
import { truncateFile } from '../file-bytes.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type SetAttr = typeof nameOps.setAttr;
type Request = RequestOf<SetAttr>;

/**
 * All of it or nothing. A size leaves truncations for the iods behind (see `truncateFile`): the
 * caller answers when they are carried out.
 * @throws FsError EPERM, EACCES, EISDIR, EINVAL, and as `resolve`
 */
export function setAttr(context: NameContext, request: Request): ReplyOf<SetAttr> {
  const { view, now } = context;
  const inode = resolve(context, request.at, request.follow);
  if (request.size !== undefined) requireTruncate(context, request, inode);
  const sized = request.size === undefined ? inode : truncateFile(context, inode, request.size);
  const changed = withTimes(
    context,
    request,
    withMode(context, request, withOwner(context, request, sized)),
  );
  if (changed === inode) return { attr: attrOf(inode) };
  const stored = { ...changed, changed: now };
  view.putInode(stored);
  return { attr: attrOf(stored) };
}

/**
 * A session that has the file open for writing needs no right of the mode any more.
 * @throws FsError EISDIR, EINVAL, EACCES
 */
export function requireTruncate(
  { who, holders }: NameContext,
  request: Request,
  inode: Inode,
): void {
  if (inode.kind === 'directory') throw new FsError('EISDIR');
  if (inode.kind !== 'file') throw new FsError('EINVAL', { what: `a ${inode.kind} has no size` });
  const isOpen = request.at.path === '' && holders.isWriter(who.session, inode.handle);
  if (!isOpen) requireAccess(who, inode, may.write);
}

function withOwner({ who }: NameContext, request: Request, inode: Inode): Inode {
  if (request.uid === undefined && request.gid === undefined) return inode;
  const { uid = inode.uid, gid = inode.gid } = request;
  requireChangeOwner(who, inode, uid, gid);
  return { ...inode, uid, gid, mode: modeAfterChangeOwner(inode) };
}

function withMode({ who }: NameContext, request: Request, inode: Inode): Inode {
  if (request.mode === undefined) return inode;
  return { ...inode, mode: changedMode(who, inode, inode.gid, request.mode) };
}

function withTimes({ who, now }: NameContext, request: Request, inode: Inode): Inode {
  const { accessed, modified } = request;
  if (accessed === undefined && modified === undefined) return inode;
  requireChangeTimes(who, inode, (accessed?.now ?? true) && (modified?.now ?? true));
  return {
    ...inode,
    accessed: timeOf(accessed, now) ?? inode.accessed,
    modified: timeOf(modified, now) ?? inode.modified,
  };
}

function timeOf(change: Request['accessed'], now: Timestamp): Timestamp | undefined {
  return change?.now ? now : change?.at;
}
