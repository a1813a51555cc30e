/** What is wrong with a cluster, by what its mgr says of it. Pure. */
import { diskShares, type HealthCode, healthCatalogue } from './health-catalogue.ts';
import { limits } from './limits.ts';
import { version } from './version.ts';
import type { Member, MemberState } from './wire/values.ts';
import type { clusterOps } from './wire/cluster-ops.ts';
import type { ReplyOf } from './wire/op.ts';
import { counted, displayBytes, humanDuration, percent } from './figures.ts';

export interface Finding {
  readonly code: HealthCode;
  /** `mgr`, the name of an iod, or `clients`. */
  readonly subject: string;
  /** The particulars. */
  readonly detail: string;
}

export const verdicts = ['healthy', 'warnings', 'errors'] as const;
export type Verdict = (typeof verdicts)[number];

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.length === 0) return 'healthy';
  const isError = findings.some(({ code }) => healthCatalogue[code].severity === 'error');
  return isError ? 'errors' : 'warnings';
}

/** Errors first. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ code }: Finding): number => (healthCatalogue[code].severity === 'error' ? 0 : 1);
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

export function findingOf(code: HealthCode, subject: string, detail: string): Finding {
  return { code, subject, detail };
}

/** Longer than any iod that lives and is heard: each heartbeat is answered at once. */
export const silenceMs = 2 * limits.heartbeatIntervalMs;

export function findingsOfStatus(status: ReplyOf<typeof clusterOps.status>): readonly Finding[] {
  const { members, recovery, sessionsAway, reaping } = status;
  const found: Finding[] = [];
  if (status.state !== 'ACTIVE') {
    const { missingTotal = 0 } = recovery ?? {};
    const detail = `it waits for ${counted(missingTotal, 'session')}`;
    found.push(findingOf('WEFT_H_MGR_RECOVERING', 'mgr', detail));
  } else if (sessionsAway > 0) {
    const detail = `${counted(sessionsAway, 'session')} of ${status.sessions}`;
    found.push(findingOf('WEFT_H_SESSION_SILENT', 'clients', detail));
  }
  if (!status.hasRoom) found.push(findingOf('WEFT_H_MGR_DISK_RESERVE', 'mgr', 'nothing is kept'));
  found.push(...members.flatMap((member) => [...ofState(member), ...ofStore(member)]));
  if (reaping > 0 && members.some(({ state }) => state !== 'serving')) {
    const detail = `${counted(reaping, 'change')} to carry out`;
    found.push(findingOf('WEFT_H_REMOVALS_WAIT', 'mgr', detail));
  }
  if (status.version !== version) {
    const detail = `it is of ${status.version}, this is ${version}`;
    found.push(findingOf('WEFT_H_VERSION_DIFFERS', 'mgr', detail));
  }
  return found;
}

const stateCodes: Readonly<Record<Exclude<MemberState, 'serving'>, HealthCode>> = {
  absent: 'WEFT_H_IOD_ABSENT',
  syncing: 'WEFT_H_IOD_SYNCING',
  draining: 'WEFT_H_IOD_DRAINING',
  evicted: 'WEFT_H_IOD_EVICTED',
};

function ofState({ name, state, port, silentMs }: Member): readonly Finding[] {
  const silence = `silent for ${humanDuration(silentMs / 1000)}`;
  if (state === 'serving') {
    return silentMs < silenceMs ? [] : [findingOf('WEFT_H_IOD_SILENT', name, silence)];
  }
  if (state === 'absent' && port === 0) {
    return [findingOf('WEFT_H_IOD_NEVER_STARTED', name, 'the mgr has not heard of it')];
  }
  return [findingOf(stateCodes[state], name, state === 'absent' ? silence : state)];
}

/** As the iod said last, also of one that is away. */
function ofStore({ name, totalBytes, freeBytes, quarantined }: Member): readonly Finding[] {
  const found: Finding[] = [];
  const share = totalBytes === 0 ? 1 : freeBytes / totalBytes;
  if (share < diskShares.nearlyFull) {
    const code = share < diskShares.full ? 'WEFT_H_DISK_FULL' : 'WEFT_H_DISK_NEARLY_FULL';
    const detail = `${displayBytes(freeBytes)} of ${displayBytes(totalBytes)} is free, ${percent(freeBytes, totalBytes)}`;
    found.push(findingOf(code, name, detail));
  }
  if (quarantined > 0) {
    found.push(findingOf('WEFT_H_QUARANTINE', name, counted(quarantined, 'object')));
  }
  return found;
}
