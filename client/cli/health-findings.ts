/** What is wrong with a cluster, from one look at it, with or without its mgr. Pure. */
import { isFsError, type FsError } from '../../shared/errno.ts';
import type { HealthCode } from '../../shared/health-catalogue.ts';
import { humanDuration } from '../../shared/figures.ts';
import {
  bySeverity,
  type Finding,
  findingOf,
  findingsOfStatus,
} from '../../shared/health-findings.ts';
import type { ClusterLook } from './cluster-look.ts';
import type { LonelyIod } from './lonely-status.ts';

/** @param look or why nothing could be asked. @returns errors first */
export function findingsOf(look: ClusterLook | FsError): readonly Finding[] {
  const found = isFsError(look)
    ? [findingOf('WEFT_H_CANNOT_ASK', 'mgr', textOf(look))]
    : look.status === undefined
      ? [
          findingOf('WEFT_H_MGR_UNREACHABLE', 'mgr', textOf(look.error)),
          ...look.iods.flatMap(ofLonelyIod),
        ]
      : findingsOfStatus(look.status);
  return bySeverity(found);
}

function textOf({ what, message }: FsError): string {
  return what ?? message;
}

const lonelyCodes: Readonly<Record<string, HealthCode>> = {
  STOPPED: 'WEFT_H_IOD_ABSENT',
  SILENT: 'WEFT_H_IOD_SILENT',
  SERVING: 'WEFT_H_IOD_ALONE',
  DRAINING: 'WEFT_H_IOD_DRAINING',
};

/** An iod of this host, asked without the mgr. Every other state is one before it serves. */
function ofLonelyIod({ name, state, pid, recovery }: LonelyIod): readonly Finding[] {
  const code = lonelyCodes[state] ?? 'WEFT_H_IOD_SYNCING';
  const process = pid === null ? 'no process of it runs' : `process ${pid}`;
  const { leftMs } = recovery ?? {};
  const lease = leftMs === undefined ? '' : `, for ${humanDuration(leftMs / 1000)} more`;
  return [findingOf(code, name, `${process}${lease}`)];
}
