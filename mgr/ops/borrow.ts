import { FsError } from '../../shared/errno.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import { anyLayout } from '../../shared/wire/values.ts';
import type { Lends } from '../lends.ts';
import { layoutOfNewFile, placeOfNewFile } from '../namespace/layout.ts';
import type { Retention } from '../retention.ts';
import type { Rights } from '../rights.ts';
import type { SessionCall } from '../session-call.ts';
import type { Inode } from '../store/rows.ts';
import type { FileScope } from './file-scope.ts';
import { attrOf, type NameContext } from './name-context.ts';

type Borrow = typeof fileOps.borrow;

export interface BorrowScope {
  readonly files: Pick<FileScope, 'small'>;
  readonly lends: Pick<Lends, 'lend'>;
  readonly rights: Pick<Rights, 'grant' | 'isOwnOf'>;
  readonly retention: Pick<Retention, 'secondsAt'>;
}

/**
 * A directory in which the caller makes changes is lent to it, if it knows all names in it, and nobody
 * else has cared for them lately.
 * @throws FsError ENOENT, ENOTDIR
 */
export function borrow(
  scope: BorrowScope,
  call: SessionCall,
  { directory: handle }: RequestOf<Borrow>,
): ReplyOf<Borrow> {
  const { lends, rights } = scope;
  const { view, who, now, context } = call;
  const inode = view.inode(handle);
  if (inode === undefined) throw new FsError('ENOENT');
  if (inode.kind !== 'directory') throw new FsError('ENOTDIR');
  const { connection } = context;
  const attr = rights.grant(connection, attrOf(inode));
  const isOwn = attr.right && rights.isOwnOf(connection, handle);
  const loan = { handle, kind: 'directory', when: 'if-room' } as const;
  const lent = isOwn && mayBeLent(scope, call, inode) && lends.lend(connection, who.session, loan);
  return { attr, lent, now, roomAtMgr: roomIn(scope, call, inode) };
}

/** Only to root. Where files remove themselves, the mgr is to know of them. */
export function mayBeLent(
  { retention }: Pick<BorrowScope, 'retention'>,
  { who }: NameContext,
  { handle }: Inode,
): boolean {
  return who.uid === 0 && retention.secondsAt(handle) === undefined;
}

/** Bytes that a new file in a directory may have here. */
export function roomIn(
  { files: { small } }: Pick<BorrowScope, 'files'>,
  { view, iodTotal, smallFileBytes }: NameContext,
  directory: Inode,
): number {
  const layout = layoutOfNewFile(view, directory, directory.handle, anyLayout, iodTotal);
  return small.roomOf({ place: placeOfNewFile(smallFileBytes), layout });
}
