import type { Encoded } from '../../shared/rpc/service.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import { rights } from '../../shared/wire/values.ts';
import type { ChangeCall } from '../exactly-once.ts';
import { type Written, writtenUpTo } from '../file-sizes.ts';
import type { FileScope } from './file-scope.ts';
import { requireWriter } from './file-scope.ts';
import type { Done } from './name-context.ts';
import { release } from './release.ts';

type Close = typeof fileOps.close;
type Request = RequestOf<Close>;
type Call = ChangeCall<Done>;

/**
 * One open less; what was written through it counts from now on, also after a crash.
 * @throws FsError EBADF; EAGAIN when the iods must be asked and one cannot be
 */
export function close(scope: FileScope, call: Call, request: Request): Done | Promise<Encoded> {
  const { handle, size, modified, mayHaveHoles } = request;
  if (size === undefined || (request.rights & rights.write) === 0) {
    return closeWith(scope, call, request);
  }
  const written = { size, modified, mayHaveHoles };
  requireWriter(scope, handle, call.who.session);
  const isTrusted = scope.openTable.mayReportSize(handle, call.who.session);
  if (isTrusted && !scope.sizes.isBusy(handle)) {
    return closeWith(scope, call, request, written);
  }
  return scope.sizes.inTurn(handle, () => closeInTurn(scope, call, request, written), call.context);
}

async function closeInTurn(
  scope: FileScope,
  call: Call,
  request: Request,
  reported: Written,
): Promise<Encoded> {
  const { handle } = request;
  const isTrusted = scope.openTable.mayReportSize(handle, call.who.session);
  const written = isTrusted ? reported : writtenUpTo(reported, await scope.sizes.exact(handle));
  return call.complete(() => closeWith(scope, call, request, written));
}

/**
 * Nobody waits for the disk: should the close be lost with the host, its client says so (lost-opens.ts),
 * and the iods know what was written. Of a writer who has nothing to tell they know too much: a time
 * may have been set, and made durable, since it wrote. Unless they are not asked, since the bytes are here.
 * @param written how far the session has written it
 */
export function closeWith(
  { openTable, sizes }: FileScope,
  { view, who, now }: Pick<Call, 'view' | 'who' | 'now'>,
  { handle, rights: given }: Pick<Request, 'handle' | 'rights'>,
  written?: Written,
): Done {
  const giveBack = (): void => {
    openTable.close(handle, who.session, given);
    if (written !== undefined) sizes.raise(handle, written, now);
  };
  const mayHaveWritten = (given & rights.write) !== 0 && view.inode(handle)?.place === 'iods';
  if (mayHaveWritten && written === undefined) giveBack();
  else view.relaxed(giveBack);
  release(view, openTable, handle);
  return {};
}
