/** Whether a rename may happen, and as what: POSIX, and RENAME_NOREPLACE and _EXCHANGE of Linux. */
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { type Handle, rootHandle } from '../../shared/units.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode } from '../store/rows.ts';
import { type Found, storedOf, type Walker } from './path.ts';
import { may, requireAccess, requireAdd, requireRemove } from './permission.ts';

export interface RenameWish {
  readonly noReplace: boolean;
  readonly exchange: boolean;
}

/** What exists on both sides once the rules have passed. */
export interface RenamePlan {
  readonly source: Inode;
  /** To be replaced, or to be exchanged. */
  readonly target: Inode | undefined;
}

/**
 * @returns undefined when nothing is to be done: both names are the same file
 * @throws FsError ENOENT, EEXIST, EBUSY, EINVAL, ENOTDIR, EISDIR, ENOTEMPTY, EACCES, EPERM, EMLINK
 */
export function planRename(
  walker: Walker,
  from: Found,
  to: Found,
  wish: RenameWish,
): RenamePlan | undefined {
  if (wish.noReplace && wish.exchange) throw new FsError('EINVAL');
  if (from.last !== 'name') throw new FsError('EBUSY');
  if (to.last !== 'name') throw new FsError(wish.noReplace ? 'EEXIST' : 'EBUSY');
  const { inode: source } = from;
  const { inode: target } = to;
  if (source === undefined) throw new FsError('ENOENT');
  if (wish.noReplace && target !== undefined) throw new FsError('EEXIST');
  if (wish.exchange && target === undefined) throw new FsError('ENOENT');
  requireDirectoriesBeforeSlashes(from, to, wish.exchange);
  requireApart(walker.view, from, to, wish.exchange);
  if (source.handle === target?.handle) return undefined;
  requireRights(walker, from, to);
  requireMovable(walker, from, to, source);
  if (wish.exchange) requireMovable(walker, from, to, target);
  if (wish.exchange) requireRoomForExchange(from, to);
  else requireReplaceable(walker.view, from, to, source);
  return { source, target };
}

function requireDirectoriesBeforeSlashes(from: Found, to: Found, exchange: boolean): void {
  if (exchange && to.slash && to.inode?.kind !== 'directory') throw new FsError('ENOTDIR');
  if (from.inode?.kind === 'directory') return;
  if (from.slash || (to.slash && !exchange)) throw new FsError('ENOTDIR');
}

/** A directory may not go into itself, nor replace one that it is in. */
function requireApart(view: MetaView, from: Found, to: Found, exchange: boolean): void {
  const { inode: source } = from;
  const { inode: target } = to;
  if (from.directory.handle === to.directory.handle) return;
  if (source?.kind === 'directory' && isWithin(view, to.directory, source.handle)) {
    throw new FsError('EINVAL', { what: 'a directory cannot be moved into itself' });
  }
  if (target?.kind === 'directory' && isWithin(view, from.directory, target.handle)) {
    throw new FsError(exchange ? 'EINVAL' : 'ENOTEMPTY');
  }
}

/** Costs the depth of the tree, not its size. */
function isWithin(view: MetaView, directory: Inode, ancestor: Handle): boolean {
  let at = directory;
  while (at.handle !== ancestor) {
    if (at.handle === rootHandle) return false;
    at = storedOf(view, at.parent ?? rootHandle);
  }
  return true;
}

function requireRights({ who }: Walker, from: Found, to: Found): void {
  if (from.inode !== undefined) requireRemove(who, from.directory, from.inode);
  if (to.inode === undefined) requireAdd(who, to.directory);
  else requireRemove(who, to.directory, to.inode);
}

/** `..` of a directory that moves is written. */
function requireMovable({ who }: Walker, from: Found, to: Found, inode: Inode | undefined): void {
  if (from.directory.handle === to.directory.handle) return;
  if (inode?.kind === 'directory') requireAccess(who, inode, may.write);
}

function requireReplaceable(view: MetaView, from: Found, to: Found, source: Inode): void {
  const { inode: target } = to;
  const directory = source.kind === 'directory';
  if (target !== undefined) {
    if (directory && target.kind !== 'directory') throw new FsError('ENOTDIR');
    if (!directory && target.kind === 'directory') throw new FsError('EISDIR');
    if (target.kind === 'directory') requireEmpty(view, target);
  } else if (directory && from.directory.handle !== to.directory.handle) {
    requireRoomForDirectory(to.directory);
  }
}

function requireRoomForExchange(from: Found, to: Found): void {
  if (from.directory.handle === to.directory.handle) return;
  const [fromDirectory, toDirectory] = [from, to].map(({ inode }) => inode?.kind === 'directory');
  if (fromDirectory && !toDirectory) requireRoomForDirectory(to.directory);
  if (toDirectory && !fromDirectory) requireRoomForDirectory(from.directory);
}

/** @throws FsError ENOTEMPTY */
export function requireEmpty(view: MetaView, directory: Inode): void {
  if (view.dirents(directory.handle, 0, 1).length > 0) throw new FsError('ENOTEMPTY');
}

/** Each subdirectory is one more link to its parent. @throws FsError EMLINK */
export function requireRoomForDirectory(parent: Inode): void {
  if (parent.links < limits.linksMax) return;
  throw new FsError('EMLINK', { what: `a directory has at most ${limits.linksMax} links` });
}
