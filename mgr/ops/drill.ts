import { FsError } from '../../shared/errno.ts';
import type { Context } from '../../shared/rpc/service.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { controlOps } from '../../shared/wire/iod-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import type { ClusterPort } from '../cluster-port.ts';
import type { Drills } from '../drills.ts';
import { requireWritable } from '../session-call.ts';
import type { MetaStore } from '../store/meta-store.ts';

export interface DrillScope {
  readonly drills: Drills;
  readonly store: Pick<MetaStore, 'members'>;
  readonly cluster: Pick<ClusterPort, 'ask'>;
}

/** @throws FsError EROFS, EINVAL (no such iod), EHOSTUNREACH (one whose answers cannot be slow) */
export async function drill(
  { drills, store, cluster }: DrillScope,
  request: RequestOf<typeof clusterOps.drill>,
  context: Context,
): Promise<Record<string, never>> {
  requireWritable(clusterOps.drill, request, context);
  const { iod, ...wish } = request;
  const member = store.members().find(({ index }) => index === iod);
  if (member === undefined) throw new FsError('EINVAL', { what: `there is no iod ${iod}` });
  const { fault, delayMs, seconds } = wish;
  if (fault !== 'slow-answers') drills.begin(member.name, { ...wish, fault });
  else await cluster.ask(iod, controlOps.answerLate, { delayMs, seconds }, context.deadline);
  return {};
}
