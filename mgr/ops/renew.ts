import { signCap } from '../../shared/auth.ts';
import { FsError } from '../../shared/errno.ts';
import type { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { Cap } from '../../shared/wire/values.ts';
import { rightsOf } from '../open-rows.ts';
import type { SessionCall } from '../session-call.ts';
import type { OpenRow } from '../store/rows.ts';
import type { FileScope } from './file-scope.ts';

type Renew = typeof fileOps.renew;

/**
 * With a new number: an iod that has not heard of our start yet may have been told of a close that
 * was lost, and believes no older one.
 * @throws FsError EBADF when the session does not have the file open
 */
export function renew(
  scope: FileScope,
  { view, who }: SessionCall,
  { handle }: RequestOf<Renew>,
): ReplyOf<Renew> {
  const row = view.relaxed(() => scope.openTable.renumber(handle, who.session));
  if (row !== undefined) return { cap: capOf(scope, row) };
  throw new FsError('EBADF', { what: `session ${who.session} does not have file ${handle} open` });
}

/** Of all that a session has open of a file. */
export function capOf({ secret, generation }: FileScope, row: OpenRow): Cap {
  const { session, handle, sequence } = row;
  return signCap(secret, { session, handle, rights: rightsOf(row), generation, sequence });
}
