import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Encoded } from '../../shared/rpc/service.ts';
import { noLayout } from '../../shared/stripe.ts';
import type { Handle } from '../../shared/units.ts';
import { type fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import { type Attr, noCap, rights } from '../../shared/wire/values.ts';
import type { ChangeCall } from '../exactly-once.ts';
import type { Lends } from '../lends.ts';
import { modeAfterWrite } from '../namespace/permission.ts';
import type { Inode } from '../store/rows.ts';
import { truncateFile } from './file-bytes.ts';
import { capOf } from './renew.ts';
import type { FileScope } from './file-scope.ts';
import { attrOf } from './name-context.ts';
import { type OpenedInode, openInode } from './open-file.ts';

type Open = typeof fileOps.open;
type Request = RequestOf<Open>;
type Reply = ReplyOf<Open>;
type Call = ChangeCall<Reply>;

/**
 * Opens, and creates or truncates if asked. A directory may be opened for reading: it is not
 * held, its cap is worth nothing, and it is not to be closed.
 * @throws FsError EINVAL (neither read nor write), EMFILE, and as `openInode`; EAGAIN when the
 *   path led elsewhere by the time that the truncation could begin
 */
export function open(scope: FileScope, call: Call, request: Request): Reply | Promise<Encoded> {
  if ((request.flags & (openFlags.read | openFlags.write)) === 0) {
    throw new FsError('EINVAL', { what: 'a file is opened to be read, written, or both' });
  }
  const opened = openInode(call, request);
  const { handle } = opened.inode;
  if (opened.created || !scope.sizes.mustAsk(handle)) {
    if (!opened.truncate) return grant(scope, call, request, opened);
    if (opened.inode.size === 0) return grant(scope, call, request, stamped(call, opened));
    if (opened.inode.place !== 'iods' && !scope.sizes.isBusy(handle)) {
      const inode = truncateFile(call, opened.inode, 0);
      return grant(scope, call, request, { ...opened, inode });
    }
  }
  return opened.truncate
    ? scope.sizes.inTurn(handle, () => openTruncating(scope, call, request, handle), call.context)
    : openAsking(scope, call, request, opened.inode);
}

/**
 * What its client has made in a directory that is lent to it, and has open.
 * @throws FsError EPERM: it is not lent to this session; and as `open`
 */
export function openNew(
  scope: FileScope,
  lends: Pick<Lends, 'requireLent' | 'asHolder'>,
  call: Call,
  request: Request,
): Reply | Promise<Encoded> {
  const { session } = call.who;
  const { directory, path } = request.at;
  if (path.includes('/')) throw new FsError('EINVAL', { what: 'a new file has a name, no path' });
  lends.requireLent(session, directory);
  return lends.asHolder(session, () => open(scope, call, request));
}

async function openAsking(
  scope: FileScope,
  call: Call,
  request: Request,
  { handle }: Inode,
): Promise<Encoded> {
  const inode = call.view.inode(handle);
  const asked = inode && (await scope.sizes.asked(attrOf(inode), call.context));
  return call.complete(() => {
    const opened = openInode(call, request);
    const attr = asked?.handle === opened.inode.handle ? asked : undefined;
    return grant(scope, call, request, opened, attr);
  });
}

/** The reply is stored with the truncation, and leaves when the iods have carried it out. */
async function openTruncating(
  scope: FileScope,
  call: Call,
  request: Request,
  handle: Handle,
): Promise<Encoded> {
  const reply = await call.complete(() => {
    const { inode, created } = openInode(call, request);
    if (inode.handle !== handle) {
      throw new FsError('EAGAIN', { id: 'WEFT_E_BUSY', what: 'the name leads elsewhere by now' });
    }
    const truncated = truncateFile(call, inode, 0);
    scope.sizes.truncated(handle);
    return grant(scope, call, request, { inode: truncated, created, truncate: false });
  });
  await scope.sizes.carryOut(handle, call.deadline);
  return reply;
}

/** A file without bytes has nothing to cut, but its times say that it was written. */
function stamped({ view, who, now }: Call, opened: OpenedInode): OpenedInode {
  const mode = modeAfterWrite(who, opened.inode);
  const inode = { ...opened.inode, mode, modified: now, changed: now };
  view.putInode(inode);
  return { ...opened, inode };
}

function grant(
  scope: FileScope,
  call: Call,
  request: Request,
  { inode, created }: OpenedInode,
  asked?: Attr,
): Reply {
  const { openTable } = scope;
  const { handle, layout } = inode;
  const { session } = call.who;
  const wanted =
    (request.flags & openFlags.read ? rights.read : 0) |
    (request.flags & openFlags.write ? rights.write : 0);
  const sizeExact = inode.place !== 'iods' || openTable.writersOf(handle) === 0;
  const attr = asked ?? attrOf(inode, sizeExact);
  const roomAtMgr = scope.small.roomOf(inode);
  const granted = { attr, created, roomAtMgr, lent: false };
  if (layout === undefined) return { ...granted, cap: noCap, layout: noLayout };
  requireRoom(scope, call, handle);
  if ((wanted & rights.write) !== 0) call.written = handle;
  const enter = () => openTable.open(inode, session, wanted, call.now.seconds);
  // Of a writer that a lost mgr has forgotten, the size that is stored would be believed.
  const row = (wanted & rights.write) !== 0 ? enter() : call.view.relaxed(enter);
  const mayWrite = created && inode.place === 'mgr' && (wanted & rights.write) !== 0;
  if (mayWrite && (request.flags & openFlags.lend) !== 0 && call.who.uid === 0) {
    // Nobody else knows of one that was made in a lent directory, nor has a right to anything of it.
    call.isAlone = request.handle !== undefined;
    const when = call.isAlone ? 'always' : 'if-room';
    call.made = { handle, kind: 'file', when, isStored: false };
  }
  return { ...granted, cap: capOf(scope, row), layout };
}

function requireRoom({ openTable }: FileScope, { who }: Call, handle: Handle): void {
  if (openTable.countOf(who.session) < limits.openFilesPerSessionMax) return;
  if (openTable.find(handle, who.session) !== undefined) return;
  throw new FsError('EMFILE', {
    what: `session ${who.session} has ${limits.openFilesPerSessionMax} files open`,
  });
}
