import { FsError } from '../../../shared/errno.ts';
import type { ByteString, Handle } from '../../../shared/units.ts';
import { type nameOps, renameFlags } from '../../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../../shared/wire/op.ts';
import { touchDirectory } from '../../namespace/entries.ts';
import { findEntry, type Found, inodeOf } from '../../namespace/path.ts';
import { planRename, type RenamePlan } from '../../namespace/rename-rules.ts';
import type { MetaView } from '../../store/batch.ts';
import type { Inode } from '../../store/rows.ts';
import { dropLink } from '../file-bytes.ts';
import type { Done, NameContext } from '../name-context.ts';

type Rename = typeof nameOps.rename;

/** @throws FsError as `planRename`, EINVAL for unknown flags, and as the walk */
export function rename(context: NameContext, request: RequestOf<Rename>): Done {
  const { flags } = request;
  if (flags > (renameFlags.noReplace | renameFlags.exchange)) {
    throw new FsError('EINVAL', { what: `unknown rename flags ${flags}` });
  }
  const wish = {
    noReplace: (flags & renameFlags.noReplace) !== 0,
    exchange: (flags & renameFlags.exchange) !== 0,
  };
  const from = findEntry(context, request.from);
  const to = findEntry(context, request.to);
  const plan = planRename(context, from, to, wish);
  if (plan === undefined) return {};
  if (wish.exchange) exchange(context, from, to, plan);
  else move(context, from, to, plan);
  return {};
}

/**
 * A name that stays keeps its cookie, and so does a file that stays in its directory: a listing
 * that goes on meanwhile neither misses it nor shows it twice.
 */
function move(context: NameContext, from: Found, to: Found, plan: RenamePlan): void {
  const { view, now } = context;
  const { source, target } = plan;
  const within = from.directory.handle === to.directory.handle;
  const cookie =
    cookieOf(view, to.directory.handle, to.name) ??
    (within ? cookieOf(view, from.directory.handle, from.name) : undefined) ??
    view.nextCookie();
  view.deleteDirent(from.directory.handle, from.name);
  touchDirectory(view, now, from.directory.handle, -subdirectories(source));
  if (target?.kind === 'directory') view.deleteInode(target.handle);
  else if (target !== undefined) dropLink(context, target);
  put(context, to, source, cookie);
  touchDirectory(view, now, to.directory.handle, subdirectories(source) - subdirectories(target));
}

function exchange(context: NameContext, from: Found, to: Found, plan: RenamePlan): void {
  const { view, now } = context;
  const { source, target } = plan;
  if (target === undefined) throw new FsError('ENOENT');
  const fromCookie = cookieOf(view, from.directory.handle, from.name);
  const toCookie = cookieOf(view, to.directory.handle, to.name);
  put(context, from, target, fromCookie ?? view.nextCookie());
  put(context, to, source, toCookie ?? view.nextCookie());
  const moved = subdirectories(source) - subdirectories(target);
  touchDirectory(view, now, from.directory.handle, -moved);
  touchDirectory(view, now, to.directory.handle, moved);
}

/** The name leads to `inode`, and `..` of a directory to where it is now. */
function put({ view, now }: NameContext, { directory, name }: Found, inode: Inode, cookie: number) {
  const parent = directory.handle;
  if (inode.kind === 'directory' && inode.parent !== parent) view.requireNothingMadeBelow();
  view.putDirent({ parent, name, handle: inode.handle, kind: inode.kind, cookie });
  view.putInode({
    ...inodeOf(view, inode.handle),
    changed: now,
    parent: inode.kind === 'directory' ? parent : undefined,
  });
}

function subdirectories(inode: Inode | undefined): number {
  return inode?.kind === 'directory' ? 1 : 0;
}

function cookieOf(view: MetaView, parent: Handle, name: ByteString): number | undefined {
  return view.dirent(parent, name)?.cookie;
}
