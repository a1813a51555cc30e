import { FsError } from '../../shared/errno.ts';
import type { SessionId } from '../../shared/units.ts';
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
  readonly files: Pick<FileScope, 'small' | 'sizes' | 'openTable'>;
  readonly lends: Pick<Lends, 'lend' | 'isUncertain'>;
  readonly rights: Pick<Rights, 'grant' | 'isOwnOf'>;
  readonly retention: Pick<Retention, 'secondsAt'>;
}

/**
 * A directory in which the caller makes changes is lent to it, if it knows all names in it, and nobody
 * else has cared for them lately; a file at the iods, if nobody else has it open either, so that its writes
 * need not have ended when it says so to who asked for them (decision 24).
 * @throws FsError ENOENT; ENOTDIR: it is neither
 */
export function borrow(
  scope: BorrowScope,
  call: SessionCall,
  { handle }: RequestOf<Borrow>,
): ReplyOf<Borrow> {
  const { view, now, context } = call;
  const inode = view.inode(handle);
  if (inode === undefined) throw new FsError('ENOENT');
  if (inode.kind === 'file') {
    const lent = mayBeWritten(scope, call, inode) && lend(scope, call, inode);
    return { attr: attrOf(inode, false), lent, now, roomAtMgr: 0 };
  }
  if (inode.kind !== 'directory') throw new FsError('ENOTDIR');
  const attr = scope.rights.grant(context.connection, attrOf(inode));
  const lent = attr.right && mayBeLent(scope, call, inode) && lend(scope, call, inode);
  return { attr, lent, now, roomAtMgr: roomIn(scope, call, inode) };
}

/** By its caller alone. */
function mayBeWritten(
  { lends, files: { openTable, sizes } }: BorrowScope,
  { who }: SessionCall,
  { handle, place }: Inode,
): boolean {
  // Whoever else wants to see it waits for this client: one who could claim to be anybody is let in.
  if (who.uid !== 0 && !who.trusted) return false;
  if (place !== 'iods' || lends.isUncertain || sizes.isBusy(handle)) return false;
  const [only, another] = openTable.opensOf(handle, 0 as SessionId);
  return only?.session === who.session && only.writers > 0 && another === undefined;
}

function lend(
  { lends, rights }: BorrowScope,
  { who, context: { connection } }: SessionCall,
  { handle, kind }: Inode,
): boolean {
  const loan = { handle, kind, when: 'if-room', isStored: true } as const;
  return rights.isOwnOf(connection, handle) && lends.lend(connection, who.session, loan);
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
  const layout = layoutOfNewFile(view, directory, directory.handle, anyLayout, { total: iodTotal });
  return small.roomOf({ place: placeOfNewFile(smallFileBytes), layout });
}
