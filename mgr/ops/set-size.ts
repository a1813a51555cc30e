import { FsError } from '../../shared/errno.ts';
import type { Encoded } from '../../shared/rpc/service.ts';
import type { Handle } from '../../shared/units.ts';
import type { nameOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import type { Lends } from '../lends.ts';
import { resolve } from '../namespace/path.ts';
import type { Inode } from '../store/rows.ts';
import type { FileScope } from './file-scope.ts';
import { requireTruncate, setAttr } from './names/set-attr.ts';

type SetAttr = typeof nameOps.setAttr;
type Request = RequestOf<SetAttr>;
type Reply = ReplyOf<SetAttr>;
type Call = ChangeCall<Reply>;

/**
 * `setAttr`, which is on the disk after an fsync or a moment later, as on a local one; with a size it
 * is a truncation, which is durable, and which the iods carry out before the reply.
 * @throws FsError as `setAttr`; ETIMEDOUT when an iod was not reached in time: it will still be
 *   cut. EAGAIN when the path led elsewhere by the time that the truncation could begin
 */
export function setAttrWithSize(
  scope: FileScope,
  lends: Pick<Lends, 'requireKnown'>,
  call: Call,
  request: Request,
): Reply | Promise<Encoded> {
  const { sizes, small } = scope;
  if (request.size === undefined) {
    return withDoubt(
      scope,
      call,
      call.view.relaxed(() => setAttr(call, request)),
    );
  }
  const inode = resolve(call, request.at, request.follow);
  lends.requireKnown(inode);
  const { handle } = inode;
  if (small.fits(inode, request.size) && !sizes.isBusy(handle)) return setAttr(call, request);
  return sizes.inTurn(handle, () => truncate(scope, call, request, handle), call.context);
}

/** Of a file that is written the stored size is a part of the truth, and its only writer knows the rest. */
export function withDoubt(
  { openTable, sizes }: FileScope,
  { who }: Pick<Call, 'who'>,
  reply: Reply,
): Reply {
  const { attr } = reply;
  const { handle } = attr;
  if (!sizes.mustAsk(handle)) return reply;
  const isOnlyWriter = openTable.writersOf(handle) === 1 && !sizes.isBusy(handle);
  const sizeExact = isOnlyWriter && openTable.mayReportSize(handle, who.session);
  return { attr: { ...attr, sizeExact } };
}

/** The reply is stored with the change, and leaves when the iods have carried it out. */
async function truncate(
  scope: FileScope,
  call: Call,
  request: Request,
  handle: Handle,
): Promise<Encoded> {
  await makeFit(scope, call, request, handle);
  const reply = await call.complete(() => {
    requireLedTo(call, request, handle);
    const done = setAttr(call, request);
    scope.sizes.truncated(handle);
    return done;
  });
  await scope.sizes.carryOut(handle, call.deadline);
  return reply;
}

/** What would be too long for the mgr's store is cut or extended at the iods. */
async function makeFit(
  { small }: FileScope,
  call: Call,
  request: Request,
  handle: Handle,
): Promise<void> {
  const inode = requireLedTo(call, request, handle);
  if (inode.place === 'iods' || small.fits(inode, request.size ?? 0)) return;
  requireTruncate(call, request, inode);
  await small.moveOut(handle, call.deadline);
}

/** @throws FsError EAGAIN when the name leads elsewhere by now; and as `resolve` */
function requireLedTo(call: Call, { at, follow }: Request, handle: Handle): Inode {
  const inode = resolve(call, at, follow);
  if (inode.handle === handle) return inode;
  throw new FsError('EAGAIN', { id: 'WEFT_E_BUSY', what: 'the name leads elsewhere by now' });
}
