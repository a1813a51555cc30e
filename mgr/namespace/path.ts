/** From a place to what is there: the walk along a path, by the rules of POSIX and Linux. */
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { type ByteString, displayText, type Handle, rootHandle } from '../../shared/units.ts';
import type { Place } from '../../shared/wire/values.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode } from '../store/rows.ts';
import { may, requireAccess } from './permission.ts';
import type { Identity } from '../../shared/inherited.ts';

export interface Walker {
  readonly view: MetaView;
  readonly who: Identity;
}

/** Where a path ends, and what is there. */
export interface Found {
  /** Where the last step is taken. For `self` it may be of any kind, otherwise it is a directory. */
  readonly directory: Inode;
  /** `self`: an empty path, the place's handle itself; `root`: a path of slashes only. */
  readonly last: 'name' | 'dot' | 'dotdot' | 'root' | 'self';
  readonly name: ByteString;
  /** The path ended with a slash: only a directory will do. */
  readonly slash: boolean;
  readonly linksFollowed: number;
  /** Undefined when nothing has the last name. */
  readonly inode: Inode | undefined;
}

/**
 * Walks the whole path; a symlink in the last step is taken as it is, even before a slash.
 * @throws FsError ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EINVAL
 */
export function findEntry(walker: Walker, place: Place): Found {
  const start = walker.view.inode(place.directory);
  if (start === undefined) throw new FsError('ENOENT');
  return place.path === '' ? standingAt('self', start, 0) : walk(walker, start, place.path, 0);
}

/** Walks the whole path; a symlink in the last step is followed if wished or before a slash. */
export function find(walker: Walker, place: Place, follow: boolean): Found {
  let found = findEntry(walker, place);
  for (;;) {
    const { inode, slash } = found;
    if (inode?.kind !== 'symlink' || !(follow || slash) || found.last === 'self') return found;
    found = walkThrough(walker, found.directory, inode, slash ? '/' : '', found.linksFollowed);
  }
}

/** As `find`, of what exists. @throws FsError also ENOTDIR for a slash after something else */
export function resolve(walker: Walker, place: Place, follow: boolean): Inode {
  const { inode, slash } = find(walker, place, follow);
  if (inode === undefined) throw new FsError('ENOENT');
  if (slash && inode.kind !== 'directory') throw new FsError('ENOTDIR');
  return inode;
}

function walk(walker: Walker, start: Inode, path: ByteString, linksFollowed: number): Found {
  if (path.includes('\0')) throw new FsError('EINVAL', { what: 'a path holds no NUL byte' });
  let directory = path.startsWith('/') ? inodeOf(walker.view, rootHandle) : start;
  for (let at = skipSlashes(path, 0); at < path.length;) {
    const end = endOfName(path, at);
    const name = path.slice(at, end) as ByteString;
    requireSearchable(walker.who, directory, name);
    const last = lastOf(name);
    const inode = step(walker.view, directory, last, name);
    const next = skipSlashes(path, end);
    if (next === path.length) {
      return { directory, last, name, slash: next > end, linksFollowed, inode };
    }
    if (inode === undefined) throw new FsError('ENOENT');
    if (inode.kind === 'symlink') {
      return walkThrough(walker, directory, inode, `/${path.slice(next)}`, linksFollowed);
    }
    directory = inode;
    at = next;
  }
  return standingAt('root', directory, linksFollowed);
}

/** The path goes on through a symlink in `directory`, with `rest` after its target. */
function walkThrough(
  walker: Walker,
  directory: Inode,
  symlink: Inode,
  rest: string,
  linksFollowed: number,
): Found {
  if (linksFollowed === limits.symlinksFollowedMax) throw new FsError('ELOOP');
  return walk(walker, directory, `${symlink.target}${rest}` as ByteString, linksFollowed + 1);
}

function standingAt(last: 'root' | 'self', inode: Inode, linksFollowed: number): Found {
  return { directory: inode, last, name: '' as ByteString, slash: false, linksFollowed, inode };
}

function step(
  view: MetaView,
  directory: Inode,
  last: Found['last'],
  name: ByteString,
): Inode | undefined {
  if (last === 'dot') return directory;
  if (last === 'dotdot') return inodeOf(view, directory.parent ?? rootHandle);
  const dirent = view.dirent(directory.handle, name);
  return dirent && inodeOf(view, dirent.handle);
}

/** An inode that something in the store points to. @throws FsError WEFT_E_DATA_DAMAGED */
export function inodeOf(view: MetaView, handle: Handle): Inode {
  return present(handle, view.inode(handle));
}

/** As `inodeOf`, of what may be lent: see `MetaView.stored`. */
export function storedOf(view: MetaView, handle: Handle): Inode {
  return present(handle, view.stored(handle));
}

function present(handle: Handle, inode: Inode | undefined): Inode {
  if (inode !== undefined) return inode;
  throw new FsError('EIO', {
    id: 'WEFT_E_DATA_DAMAGED',
    what: `the name store has a name for inode ${handle}, but not the inode`,
  });
}

function requireSearchable(who: Identity, directory: Inode, name: ByteString): void {
  if (directory.kind !== 'directory') throw new FsError('ENOTDIR');
  requireAccess(who, directory, may.execute);
  if (name.length > limits.nameBytesMax) {
    throw new FsError('ENAMETOOLONG', {
      what: `name of ${name.length} bytes is longer than ${limits.nameBytesMax}: ${displayText(name)}`,
    });
  }
}

function lastOf(name: ByteString): Found['last'] {
  if (name === '.') return 'dot';
  return name === '..' ? 'dotdot' : 'name';
}

const slashCode = 0x2f;

function skipSlashes(path: string, from: number): number {
  let at = from;
  while (path.charCodeAt(at) === slashCode) at++;
  return at;
}

function endOfName(path: string, from: number): number {
  const at = path.indexOf('/', from);
  return at === -1 ? path.length : at;
}
