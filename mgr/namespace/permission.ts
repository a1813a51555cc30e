/** Who may do what to an inode: the rules of POSIX as Linux has them. Pure. */
import { FsError } from '../../shared/errno.ts';
import { type Identity, inGroup, modeBits } from '../../shared/inherited.ts';
import type { Inode } from '../store/rows.ts';

/** Bits of an access mask, as in one digit of a mode. */
export const may = { read: 4, write: 2, execute: 1 } as const;

/** The first class that fits decides, even if a later one would allow more. */
export function isAllowed(who: Identity, inode: Inode, mask: number): boolean {
  const { mode } = inode;
  if (who.uid === 0) {
    const executable = inode.kind === 'directory' || (mode & modeBits.anyExecute) !== 0;
    return executable || (mask & may.execute) === 0;
  }
  const digit = who.uid === inode.uid ? mode >> 6 : inGroup(who, inode.gid) ? mode >> 3 : mode;
  return (digit & mask) === mask;
}

/** @throws FsError EACCES */
export function requireAccess(who: Identity, inode: Inode, mask: number): void {
  if (isAllowed(who, inode, mask)) return;
  const wanted = ['execute', 'write', 'read'].filter((_, bit) => mask & (1 << bit)).join(', ');
  throw new FsError('EACCES', {
    what: `permission denied: uid ${who.uid} may not ${wanted} this ${inode.kind} (mode ${inode.mode.toString(8)}, uid ${inode.uid})`,
  });
}

export function isOwner(who: Identity, inode: Inode): boolean {
  return who.uid === 0 || who.uid === inode.uid;
}

/** @throws FsError EPERM */
export function requireOwner(who: Identity, inode: Inode): void {
  if (!isOwner(who, inode)) throw notPermitted(who, `it belongs to uid ${inode.uid}`);
}

/** Making a name in a directory. @throws FsError EACCES */
export function requireAdd(who: Identity, directory: Inode): void {
  requireAccess(who, directory, may.write | may.execute);
}

/**
 * Taking a name of `inode` out of a directory.
 * @throws FsError EACCES, EPERM (sticky directory, somebody else's file)
 */
export function requireRemove(who: Identity, directory: Inode, inode: Inode): void {
  requireAdd(who, directory);
  if ((directory.mode & modeBits.sticky) === 0) return;
  if (isOwner(who, inode) || who.uid === directory.uid) return;
  throw notPermitted(who, 'the directory is sticky and neither it nor the file is its own');
}

/** @returns the mode to store for a wished one @throws FsError EPERM */
export function changedMode(who: Identity, inode: Inode, gid: number, wish: number): number {
  requireOwner(who, inode);
  const mode = wish & modeBits.all;
  return who.uid === 0 || inGroup(who, gid) ? mode : mode & ~modeBits.setGid;
}

/** Root may give files away; an owner may choose among its groups. @throws FsError EPERM */
export function requireChangeOwner(who: Identity, inode: Inode, uid: number, gid: number): void {
  if (who.uid === 0) return;
  if (who.uid !== inode.uid || uid !== inode.uid) throw notPermitted(who, 'only root gives away');
  if (gid !== inode.gid && !inGroup(who, gid)) throw notPermitted(who, `it is not in group ${gid}`);
}

/**
 * Anybody who may write may set the times to now; other times are the owner's.
 * @throws FsError EACCES, EPERM
 */
export function requireChangeTimes(who: Identity, inode: Inode, toNow: boolean): void {
  if (isOwner(who, inode)) return;
  if (toNow) requireAccess(who, inode, may.write);
  else requireOwner(who, inode);
}

/** A change of owner takes suid and sgid away, from root's hands too. */
export function modeAfterChangeOwner(inode: Inode): number {
  return inode.kind === 'directory' ? inode.mode : withoutSetId(inode.mode);
}

/** What is written by others than root is trusted no longer. */
export function modeAfterWrite(who: Identity, inode: Inode): number {
  return who.uid === 0 ? inode.mode : withoutSetId(inode.mode);
}

/** Without group execute, sgid means mandatory locking and not a right: it stays. */
function withoutSetId(mode: number): number {
  const kept = mode & ~modeBits.setUid;
  return kept & modeBits.groupExecute ? kept & ~modeBits.setGid : kept;
}

function notPermitted(who: Identity, why: string): FsError {
  return new FsError('EPERM', { what: `operation not permitted for uid ${who.uid}: ${why}` });
}
