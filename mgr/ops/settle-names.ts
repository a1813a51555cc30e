import { FsError } from '../../shared/errno.ts';
import { modeBits } from '../../shared/inherited.ts';
import { type ByteString, compareTimestamps, type Timestamp } from '../../shared/units.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import { anyLayout } from '../../shared/wire/values.ts';
import type { ChangeCall } from '../exactly-once.ts';
import type { Lends } from '../lends.ts';
import { requireFree } from '../namespace/entries.ts';
import { layoutOfNewFile } from '../namespace/layout.ts';
import { inodeOf } from '../namespace/path.ts';
import { requireEmpty } from '../namespace/rename-rules.ts';
import type { Rights } from '../rights.ts';
import type { MetaStore } from '../store/meta-store.ts';
import type { Inode } from '../store/rows.ts';
import { dropLink } from './file-bytes.ts';
import { attrOf } from './name-context.ts';

type SettleNames = typeof fileOps.settleNames;
type Request = RequestOf<SettleNames>;
type Reply = ReplyOf<SettleNames>;
type Made = Request['made'][number];

export interface NamesScope {
  readonly lends: Lends;
  readonly rights: Rights;
  readonly store: Pick<MetaStore, 'hasRoom'>;
}

/**
 * What was taken away and made in a lent directory is so here, in one change. Room is what is kept for such a time
 * when the disk is full: whoever has made it was told so long since.
 * @throws FsError EPERM: the directory, or one that was taken away, is not lent to the session; EEXIST,
 *   EINVAL, ENOTEMPTY, EFBIG (not even one stripe)
 */
export function settleNames(scope: NamesScope, call: ChangeCall<Reply>, request: Request): Reply {
  const { lends, rights, store } = scope;
  const { view, who, context } = call;
  const { directory: handle, made, back } = request;
  lends.requireLent(who.session, handle);
  // Nobody else has a right to anything that is new.
  call.isAlone = request.removed.length === 0;
  call.isTold = true;
  return lends.asHolder(who.session, () => {
    const directory = inodeOf(view, handle);
    const gone = request.removed.filter((name) => remove(lends, call, directory, name));
    const contents = contentsOf(request);
    const inodes = made.map((one, i) => make(call, directory, one, contents[i] ?? noBytes));
    const subdirectories = inodes.filter(({ kind }) => kind === 'directory').length;
    const links = directory.links + subdirectories - gone.length;
    const settled = { ...directory, links, ...attributesOf(call.now, request) };
    view.putInode(settled);
    for (const { kind, handle: one } of inodes) {
      if (kind !== 'directory') continue;
      lends.lend(context.connection, who.session, {
        handle: one,
        kind,
        when: 'always',
        isStored: true,
      });
    }
    if (back) lends.settle(handle);
    const granted = inodes.map((inode) => rights.grant(context.connection, attrOf(inode)));
    return {
      attr: attrOf(settled),
      rights: Uint8Array.from(granted, ({ right }) => Number(right)),
      isFull: !store.hasRoom,
    };
  });
}

/** @returns whether it was a directory */
function remove(
  lends: Pick<Lends, 'requireLent' | 'settle'>,
  call: ChangeCall<Reply>,
  directory: Inode,
  name: ByteString,
): boolean {
  const { view, who } = call;
  const dirent = view.dirent(directory.handle, name);
  if (dirent === undefined) return false;
  const inode = inodeOf(view, dirent.handle);
  const isDirectory = inode.kind === 'directory';
  if (isDirectory) {
    // Of any other its client does not know that there is nothing in it.
    lends.requireLent(who.session, inode.handle);
    requireEmpty(view, inode);
  }
  // What was done to it goes with it.
  lends.settle(inode.handle);
  view.deleteDirent(directory.handle, name);
  if (isDirectory) view.deleteInode(inode.handle);
  else dropLink(call, inode);
  return isDirectory;
}

/** What belongs to each in turn. @throws FsError EINVAL: there is more of it, or less */
function contentsOf({ made, contents }: Request): readonly Uint8Array[] {
  let end = 0;
  const parts = made.map(({ length }) => contents.subarray(end, (end += length)));
  if (end === contents.length) return parts;
  throw new FsError('EINVAL', { what: `${contents.length} bytes where ${end} were made` });
}

const noBytes = Buffer.alloc(0);

function make(
  { view, now, iodTotal }: ChangeCall<Reply>,
  directory: Inode,
  { handle, name, kind, born, ...wanted }: Made,
  content: Uint8Array,
): Inode {
  requireName(name);
  requireFree(view, handle);
  if (view.dirent(directory.handle, name) !== undefined) throw new FsError('EEXIST');
  const isFile = kind === 'file';
  if (!isFile && kind !== 'symlink' && kind !== 'directory') {
    throw new FsError('EINVAL', { what: `a ${kind} is made by the mgr` });
  }
  const inode: Inode = {
    handle,
    kind,
    links: kind === 'directory' ? 2 : 1,
    device: 0,
    size: content.length,
    ...attributesOf(now, wanted),
    born: notAfter(now, born),
    layout: isFile
      ? layoutOfNewFile(view, directory, handle, anyLayout, { total: iodTotal })
      : undefined,
    place: isFile ? 'mgr' : 'iods',
    mayHaveHoles: false,
    target: kind === 'symlink' ? targetOf(content) : undefined,
    parent: kind === 'directory' ? directory.handle : undefined,
    defaults: undefined,
  };
  // Whoever has made it was told of another bound, if there is another one by now.
  if (isFile && content.length > (inode.layout?.ssize ?? 0)) throw new FsError('EFBIG');
  view.addInode(inode);
  if (isFile && content.length > 0) view.putContents(handle, content);
  view.putDirent({ parent: directory.handle, name, handle, kind, cookie: view.nextCookie() });
  return inode;
}

/** No time lies ahead of ours. */
function attributesOf(
  now: Timestamp,
  {
    mode,
    uid,
    gid,
    accessed,
    modified,
    changed,
  }: Omit<Made, 'handle' | 'name' | 'kind' | 'born' | 'length'>,
) {
  return {
    mode: mode & modeBits.all,
    uid,
    gid,
    accessed,
    modified,
    changed: notAfter(now, changed),
  };
}

function notAfter(now: Timestamp, time: Timestamp): Timestamp {
  return compareTimestamps(time, now) > 0 ? now : time;
}

function requireName(name: ByteString): void {
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/u.test(name);
  if (!isName) throw new FsError('EINVAL', { what: 'this is the name of nothing' });
}

function targetOf(content: Uint8Array): ByteString {
  const target = Buffer.from(content).toString('latin1') as ByteString;
  if (target === '' || target.includes('\0'))
    throw new FsError('EINVAL', { what: 'no such target' });
  return target;
}
