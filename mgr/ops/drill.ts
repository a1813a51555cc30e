import { FsError } from '../../shared/errno.ts';
import type { Context } from '../../shared/rpc/service.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import type { Drills } from '../drills.ts';
import { requireWritable } from '../session-call.ts';
import type { MetaStore } from '../store/meta-store.ts';

export interface DrillScope {
  readonly drills: Drills;
  readonly store: Pick<MetaStore, 'members'>;
}

/** @throws FsError EROFS, EINVAL (no such iod) */
export function drill(
  { drills, store }: DrillScope,
  request: RequestOf<typeof clusterOps.drill>,
  context: Context,
): Record<string, never> {
  requireWritable(clusterOps.drill, request, context);
  const { iod, ...wish } = request;
  const member = store.members().find(({ index }) => index === iod);
  if (member === undefined) throw new FsError('EINVAL', { what: `there is no iod ${iod}` });
  drills.begin(member.name, wish);
  return {};
}
