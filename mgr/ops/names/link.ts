import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../../shared/wire/op.ts';
import { addName } from '../../namespace/entries.ts';
import { resolve } from '../../namespace/path.ts';
import { requireAdd } from '../../namespace/permission.ts';
import { findFreeName } from '../free-name.ts';
import { attrOf, type NameContext } from '../name-context.ts';

type Link = typeof nameOps.link;

/**
 * @throws FsError EPERM (a directory has one name), EMLINK, EEXIST, EACCES, ENOENT (also for a
 *   file whose last name is gone), and as the walk
 */
export function link(context: NameContext, request: RequestOf<Link>): ReplyOf<Link> {
  const { view, who, now } = context;
  const inode = resolve(context, request.from, request.follow);
  const { directory, name } = findFreeName(context, request.to, false);
  requireAdd(who, directory);
  if (inode.kind === 'directory') {
    throw new FsError('EPERM', { what: 'a directory has one name' });
  }
  if (inode.links === 0) throw new FsError('ENOENT');
  view.requireRoom();
  if (inode.links >= limits.linksMax) {
    throw new FsError('EMLINK', { what: `a file has at most ${limits.linksMax} names` });
  }
  const linked = { ...inode, links: inode.links + 1, changed: now };
  view.putInode(linked);
  addName(view, now, directory.handle, name, linked, view.nextCookie());
  return { attr: attrOf(linked) };
}
