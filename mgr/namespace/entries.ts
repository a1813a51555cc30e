/** Changes of a directory: a name comes, a name goes, and what that does to link counts and times. */
import {
  type ByteString,
  compareTimestamps,
  type Handle,
  type Timestamp,
} from '../../shared/units.ts';
import { FsError } from '../../shared/errno.ts';
import type { BytesPlace, InodeKind } from '../../shared/wire/values.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode } from '../store/rows.ts';
import { inodeOf } from './path.ts';
import { type Identity, inherited } from '../../shared/inherited.ts';

/** What an inode is made of, beside what it gets from its directory, its maker and the clock. */
export interface NewInode {
  readonly handle: Handle;
  readonly kind: InodeKind;
  readonly mode: number;
  readonly device?: number;
  readonly layout?: Inode['layout'];
  readonly place?: BytesPlace;
  readonly target?: ByteString;
}

/** That the caller was given the handle for something new. @throws FsError EINVAL */
export function requireFree(view: MetaView, handle: Handle): void {
  if (view.isHandleFree(handle)) return;
  throw new FsError('EINVAL', { what: `handle ${handle} was given to nobody, or is in use` });
}

/** Makes an inode and its first name. The caller has checked that it may, and that there is room. */
export function addNew(
  view: MetaView,
  who: Identity,
  now: Timestamp,
  directory: Inode,
  name: ByteString,
  wanted: NewInode,
): Inode {
  const { handle, kind, target } = wanted;
  const { gid, mode } = inherited(who, directory, kind, wanted.mode);
  const inode: Inode = {
    handle,
    kind,
    mode,
    links: kind === 'directory' ? 2 : 1,
    uid: who.uid,
    gid,
    device: wanted.device ?? 0,
    size: target === undefined ? 0 : target.length,
    accessed: now,
    modified: now,
    changed: now,
    born: now,
    layout: wanted.layout,
    place: wanted.place ?? 'iods',
    mayHaveHoles: false,
    target,
    parent: kind === 'directory' ? directory.handle : undefined,
    defaults: undefined,
  };
  view.addInode(inode);
  addName(view, now, directory.handle, name, inode, view.nextCookie());
  return inode;
}

/** The name leads to `inode` from now on; a directory brings its `..` as one more link. */
export function addName(
  view: MetaView,
  now: Timestamp,
  parent: Handle,
  name: ByteString,
  { handle, kind }: Inode,
  cookie: number,
): void {
  view.putDirent({ parent, name, handle, kind, cookie });
  touchDirectory(view, now, parent, kind === 'directory' ? 1 : 0);
}

/** The name is gone; what it led to is the caller's. */
export function removeName(
  view: MetaView,
  now: Timestamp,
  parent: Handle,
  name: ByteString,
  kind: InodeKind,
): void {
  view.deleteDirent(parent, name);
  touchDirectory(view, now, parent, kind === 'directory' ? -1 : 0);
}

/** The entries of a directory changed, and the number of its subdirectories by `linksAdded`. */
export function touchDirectory(
  view: MetaView,
  now: Timestamp,
  handle: Handle,
  linksAdded: number,
): void {
  const directory = inodeOf(view, handle);
  // Of all entries that come and go in a tick the first has said it already.
  const isTold =
    compareTimestamps(directory.modified, now) === 0 &&
    compareTimestamps(directory.changed, now) === 0;
  if (linksAdded === 0 && isTold) return;
  view.putInode({
    ...directory,
    links: directory.links + linksAdded,
    modified: now,
    changed: now,
  });
}
