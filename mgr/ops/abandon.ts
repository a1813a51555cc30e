import type { Encoded } from '../../shared/rpc/service.ts';
import { fileOps, type sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { ChangeCall } from '../exactly-once.ts';
import type { ReplyCache } from '../reply-cache.ts';
import type { FinishAgain } from './finish-again.ts';

type Abandon = typeof sessionOps.abandon;
type Reply = ReplyOf<Abandon>;

/**
 * Ends what the caller has given up: it was made, and the answer leaves when all of it is done, but
 * for the truncation of an open, which is to be closed; or it never will be, because its slot belongs
 * to a later one, which is stored (SCENARIOS 118).
 * @throws FsError of the iods, while a truncation is not done
 */
export function abandon(
  { replies, finished }: { readonly replies: ReplyCache; readonly finished: FinishAgain },
  call: ChangeCall<Reply>,
  { sequence }: RequestOf<Abandon>,
): Reply | Promise<Encoded> {
  call.view.requireDisk();
  const row = replies.find(call.who.session, call.slot);
  if (row?.sequence !== sequence) return { made: undefined };
  const reply = { made: { op: row.op, reply: row.body } };
  const doing = row.op === fileOps.open.code ? undefined : finished(row, Infinity);
  if (doing === undefined) return reply;
  const stored = call.complete(() => reply);
  return doing.then(() => stored);
}
