import { FsError } from '../../../shared/errno.ts';
import type { nameOps } from '../../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../../shared/wire/op.ts';
import { resolve } from '../../namespace/path.ts';
import { requireAccess } from '../../namespace/permission.ts';
import type { Done, NameContext } from '../name-context.ts';

type Access = typeof nameOps.access;

/** Mask 0 asks whether it exists. @throws FsError EACCES, EINVAL, and as `resolve` */
export function access(context: NameContext, request: RequestOf<Access>): Done {
  if (request.mask > 7) throw new FsError('EINVAL', { what: `no access mask: ${request.mask}` });
  requireAccess(context.who, resolve(context, request.at, true), request.mask);
  return {};
}
