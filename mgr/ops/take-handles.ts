import { limits } from '../../shared/limits.ts';
import type { Context } from '../../shared/rpc/service.ts';
import type { nameOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import { type CallScope, requireRoot, sessionOf } from '../session-call.ts';

/** For what is made in lent directories. @throws FsError EPERM, ESTALE */
export function takeHandles(
  { view, sessions }: CallScope,
  context: Context,
): ReplyOf<typeof nameOps.takeHandles> {
  requireRoot(sessionOf(sessions, context));
  return { first: view.allocateHandles(), count: limits.handlesPerTake };
}
