import type { Encoded } from '../../shared/rpc/service.ts';
import type { Handle } from '../../shared/units.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import { type Written, writtenUpTo } from '../file-sizes.ts';
import { type FileScope, requireWriter } from './file-scope.ts';
import { attrOf } from './name-context.ts';

type Extend = typeof fileOps.extend;
type Request = RequestOf<Extend>;
type Call = ChangeCall<ReplyOf<Extend>>;

/**
 * The file is at least as long as the session has written it, durably, with all that was changed of
 * it before.
 * @throws FsError EBADF; EAGAIN when the iods must be asked and one cannot be
 */
export function extend(
  scope: FileScope,
  call: Call,
  request: Request,
): ReplyOf<Extend> | Promise<Encoded> {
  const { handle } = request;
  requireWriter(scope, handle, call.who.session);
  const isTrusted = scope.openTable.mayReportSize(handle, call.who.session);
  if (isTrusted && !scope.sizes.isBusy(handle)) return extendTo(scope, call, handle, request);
  return scope.sizes.inTurn(handle, () => extendInTurn(scope, call, request), call.context);
}

async function extendInTurn(scope: FileScope, call: Call, request: Request): Promise<Encoded> {
  const { handle } = request;
  const isTrusted = scope.openTable.mayReportSize(handle, call.who.session);
  const written = isTrusted ? request : writtenUpTo(request, await scope.sizes.exact(handle));
  return call.complete(() => {
    requireWriter(scope, handle, call.who.session);
    return extendTo(scope, call, handle, written);
  });
}

function extendTo(
  { openTable, sizes }: FileScope,
  call: Call,
  handle: Handle,
  written: Written,
): ReplyOf<Extend> {
  call.view.requireDisk();
  const inode = sizes.raise(handle, written, call.now);
  // The caller knows what it has written itself; of other writers nobody was asked.
  return { attr: attrOf(inode, openTable.writersOf(handle) === 1) };
}
