/** Extended attributes: the four name classes of Linux, of which `user` and `trusted` are served. */
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { type ByteString, displayText } from '../../../shared/units.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { resolve } from '../../namespace/path.ts';
import { isOwner, may, requireAccess, requireOwner } from '../../namespace/permission.ts';
import { type Identity, modeBits } from '../../../shared/inherited.ts';
import type { Inode } from '../../store/rows.ts';
import type { Done, NameContext } from '../name-context.ts';

type Get = typeof nameOps.getXattr;
type List = typeof nameOps.listXattrs;
type Set = typeof nameOps.setXattr;
type Remove = typeof nameOps.removeXattr;

/** @throws FsError ENODATA, EACCES, EOPNOTSUPP, and as `resolve` */
export function getXattr(context: NameContext, request: RequestOf<Get>): ReplyOf<Get> {
  const inode = resolve(context, request.at, request.follow);
  if (!mayKnow(context.who, request.name)) throw new FsError('ENODATA');
  if (classOf(request.name) === 'user') requireAccess(context.who, inode, may.read);
  const value = context.view.xattr(inode.handle, request.name);
  if (value === undefined) throw new FsError('ENODATA');
  return { value };
}

/** @throws FsError as `resolve` */
export function listXattrs(context: NameContext, request: RequestOf<List>): ReplyOf<List> {
  const { handle } = resolve(context, request.at, request.follow);
  const names = context.view.xattrNames(handle).filter((name) => mayKnow(context.who, name));
  return { names };
}

/** @throws FsError EEXIST, ENODATA, EPERM, EACCES, ENOSPC, EOPNOTSUPP, and as `resolve` */
export function setXattr(context: NameContext, request: RequestOf<Set>): Done {
  const { view, who, now } = context;
  const { name, value } = request;
  const inode = resolve(context, request.at, request.follow);
  requireChange(who, inode, name);
  const exists = view.xattr(inode.handle, name) !== undefined;
  if (exists && request.mustNotExist) throw new FsError('EEXIST');
  if (!exists && request.mustExist) throw new FsError('ENODATA');
  if (!exists && view.xattrNames(inode.handle).length >= limits.xattrsPerFileMax) {
    throw new FsError('ENOSPC', {
      what: `a file has at most ${limits.xattrsPerFileMax} extended attributes`,
    });
  }
  view.requireRoom();
  view.putXattr(inode.handle, name, value);
  view.putInode({ ...inode, changed: now });
  return {};
}

/** @throws FsError ENODATA, EPERM, EACCES, EOPNOTSUPP, and as `resolve` */
export function removeXattr(context: NameContext, request: RequestOf<Remove>): Done {
  const { view, who, now } = context;
  const inode = resolve(context, request.at, request.follow);
  requireChange(who, inode, request.name);
  if (view.xattr(inode.handle, request.name) === undefined) throw new FsError('ENODATA');
  view.deleteXattr(inode.handle, request.name);
  view.putInode({ ...inode, changed: now });
  return {};
}

/** @throws FsError EOPNOTSUPP: access lists are not kept, and other classes do not exist */
function classOf(name: ByteString): 'user' | 'trusted' | 'security' {
  if (name.startsWith('user.') && name.length > 5) return 'user';
  if (name.startsWith('trusted.') && name.length > 8) return 'trusted';
  if (name.startsWith('security.') && name.length > 9) return 'security';
  throw new FsError('EOPNOTSUPP', {
    what: `no extended attributes of this class: ${displayText(name)}`,
  });
}

/** What is `trusted` is hidden from all but root. */
function mayKnow(who: Identity, name: ByteString): boolean {
  return classOf(name) !== 'trusted' || who.uid === 0;
}

function requireChange(who: Identity, inode: Inode, name: ByteString): void {
  if (name.includes('\0')) throw new FsError('EINVAL', { what: 'a name holds no NUL byte' });
  if (classOf(name) !== 'user') {
    if (who.uid === 0) return;
    throw new FsError('EPERM', { what: `only root sets ${displayText(name)}` });
  }
  if (inode.kind !== 'file' && inode.kind !== 'directory') {
    throw new FsError('EPERM', { what: `a ${inode.kind} has no user attributes` });
  }
  if (inode.kind === 'directory' && inode.mode & modeBits.sticky && !isOwner(who, inode)) {
    requireOwner(who, inode);
  }
  requireAccess(who, inode, may.write);
}
