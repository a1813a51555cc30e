/** The part of `open` that concerns names: what is opened, whether it was made, who may. */
import { FsError } from '../../shared/errno.ts';
import { modeBits } from '../../shared/inherited.ts';
import { type fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import { addNew, requireFree } from '../namespace/entries.ts';
import { layoutOfNewFile, placeOfNewFile } from '../namespace/layout.ts';
import { find, findEntry, type Found } from '../namespace/path.ts';
import { may, requireAccess, requireAdd } from '../namespace/permission.ts';
import type { Inode } from '../store/rows.ts';
import { type NameContext, onBehalfOf } from './name-context.ts';

type Request = RequestOf<typeof fileOps.open>;

export interface OpenedInode {
  readonly inode: Inode;
  readonly created: boolean;
  /** The caller is to truncate it to 0 (`truncateFile`) before it answers. */
  readonly truncate: boolean;
}

/**
 * Finds or makes what is to be opened and checks the rights that were asked for.
 * @throws FsError EEXIST, EISDIR, ENOTDIR, ELOOP (noFollow), EACCES, EINVAL, EOPNOTSUPP (fifo,
 *   socket, device), and as the walk
 */
export function openInode(caller: NameContext, request: Request): OpenedInode {
  const context = onBehalfOf(caller, request.maker);
  const has = (flag: number): boolean => (request.flags & flag) !== 0;
  if (has(openFlags.create) && has(openFlags.directory)) throw new FsError('EINVAL');
  const exclusive = has(openFlags.create) && has(openFlags.exclusive);
  if (has(openFlags.create) && request.at.path.endsWith('/')) {
    // As on Linux: it is not made, whatever it is and wherever it leads.
    findEntry(context, request.at);
    throw new FsError('EISDIR');
  }
  const found =
    exclusive || has(openFlags.noFollow)
      ? findEntry(context, request.at)
      : find(context, request.at, true);
  if (has(openFlags.create)) {
    if (found.slash) throw new FsError('EISDIR');
    if (found.inode === undefined)
      return { inode: create(context, request, found), created: true, truncate: false };
    if (exclusive) throw new FsError('EEXIST');
    if (found.inode.kind === 'directory') throw new FsError('EISDIR');
  }
  const { inode } = found;
  if (inode === undefined) throw new FsError('ENOENT');
  requireOpenable(request, found, inode);
  const truncate = has(openFlags.truncate);
  const mask =
    (has(openFlags.read) ? may.read : 0) | (has(openFlags.write) || truncate ? may.write : 0);
  requireAccess(context.who, inode, mask);
  return { inode, created: false, truncate };
}

function create(context: NameContext, request: Request, found: Found): Inode {
  const { view, who, now, iodTotal } = context;
  const { directory, name } = found;
  requireAdd(who, directory);
  const handle = request.handle ?? view.allocateHandle();
  // Who has made it already was told so: it uses the room that is kept for such a time.
  if (request.handle === undefined) view.requireRoom();
  else requireFree(view, handle);
  const near = request.near === undefined ? undefined : view.inode(request.near)?.layout;
  return addNew(view, who, now, directory, name, {
    handle,
    kind: 'file',
    mode: request.mode & modeBits.all,
    layout: layoutOfNewFile(view, directory, handle, request.layout, { total: iodTotal, near }),
    place: placeOfNewFile(context.smallFileBytes),
  });
}

function requireOpenable(request: Request, found: Found, inode: Inode): void {
  const wantsDirectory = (request.flags & openFlags.directory) !== 0 || found.slash;
  if (wantsDirectory && inode.kind !== 'directory') throw new FsError('ENOTDIR');
  const changes = (request.flags & (openFlags.write | openFlags.truncate)) !== 0;
  if (inode.kind === 'directory') {
    if (changes) throw new FsError('EISDIR');
  } else if (inode.kind === 'symlink') {
    throw new FsError('ELOOP');
  } else if (inode.kind !== 'file') {
    throw new FsError('EOPNOTSUPP', { what: `a ${inode.kind} has no bytes to open` });
  }
}
