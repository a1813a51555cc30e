import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Encoded } from '../../shared/rpc/service.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import { inodeOf } from '../namespace/path.ts';
import { type FileScope, requireWriter } from './file-scope.ts';

type Reserve = typeof fileOps.reserve;
type Request = RequestOf<Reserve>;
type Call = ChangeCall<ReplyOf<Reserve>>;

/**
 * The next `length` bytes at the end of the file belong to the caller: nobody else appends there. They
 * are to be written at the iods.
 * @throws FsError EBADF, EFBIG; EAGAIN when an iod cannot be asked where the end is
 */
export function reserve(scope: FileScope, call: Call, request: Request): Promise<Encoded> {
  requireWriter(scope, request.handle, call.who.session);
  const { handle } = request;
  return scope.sizes.inTurn(handle, () => reserveInTurn(scope, call, request), call.context);
}

async function reserveInTurn(scope: FileScope, call: Call, request: Request): Promise<Encoded> {
  const { handle, length } = request;
  await scope.small.moveOut(handle, call.deadline);
  const asked = await scope.sizes.exact(handle);
  return call.complete(() => {
    requireWriter(scope, handle, call.who.session);
    const offset = Math.max(inodeOf(call.view, handle).size, asked.size);
    if (length > limits.fileBytesMax - offset) {
      throw new FsError('EFBIG', { what: `${length} bytes more than ${offset} are too many` });
    }
    const written = { size: offset + length, modified: call.now, mayHaveHoles: false };
    scope.sizes.raise(handle, written, call.now);
    return { offset };
  });
}
