import { FsError } from '../../shared/errno.ts';
import type { Context } from '../../shared/rpc/service.ts';
import { pageOfWaits } from '../../shared/rpc/waits.ts';
import type { IodIndex, SessionId } from '../../shared/units.ts';
import { clientOps } from '../../shared/wire/client-ops.ts';
import type { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import type { WaitPage } from '../../shared/wire/values.ts';
import type { ServiceParts } from '../service.ts';

type Request = RequestOf<typeof clusterOps.waits>;

/** Before the asker's patience ends. */
const answerMs = 100;

/**
 * What waits here, or in another process, which is asked.
 * @throws FsError EHOSTUNREACH (it is away), ETIMEDOUT (it does not answer), ENOSYS (a client that
 *   is too old to tell), ESTALE (no such session)
 */
export async function waitsIn(
  { cluster, calls, waits }: Pick<ServiceParts, 'cluster' | 'calls' | 'waits'>,
  { in: where, number, handle }: Request,
  context: Pick<Context, 'deadline'>,
): Promise<WaitPage> {
  if (where === 'mgr') return pageOfWaits(waits(), handle);
  // Whoever asks shall hear which process does not answer.
  const deadline = context.deadline - answerMs;
  if (where === 'iod')
    return cluster.ask(number as IodIndex, iodOps.ownWaits, { handle }, deadline);
  const { connection, name } = calls.sessions.get(number as SessionId);
  if (connection) return connection.call(clientOps.clientWaits, { handle }, { deadline });
  throw new FsError('EHOSTUNREACH', { what: `client ${name} is away` });
}
