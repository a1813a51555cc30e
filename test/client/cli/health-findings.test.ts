import test from 'ava';
import type { ClusterLook } from '../../../client/cli/cluster-look.ts';
import { verdictOf } from '../../../shared/health-findings.ts';
import { findingsOf } from '../../../client/cli/health-findings.ts';
import type { ClusterStatus } from '../../../client/file-system.ts';
import { FsError } from '../../../shared/errno.ts';
import { type HealthCode, healthCatalogue } from '../../../shared/health-catalogue.ts';
import { limits } from '../../../shared/limits.ts';
import { version } from '../../../shared/version.ts';
import type { Member } from '../../../shared/wire/values.ts';
import { member, status } from '../cluster-samples.ts';

const iod = member(0);
const well = status({ version, members: [iod] });
const recovery = {
  cause: 'crash',
  phase: 'reclaim',
  elapsedMs: 1,
  done: 0,
  total: 2,
  missing: ['a', 'b'],
  missingTotal: 2,
  leftMs: 1,
};

const withStatus = (change: Partial<ClusterStatus>): ClusterLook => ({
  status: { ...well, ...change },
});
const withIod = (change: Partial<Member>): ClusterLook =>
  withStatus({ members: [{ ...iod, ...change }] });
const alone = (state: string, leftMs?: number): ClusterLook => ({
  status: undefined,
  error: new FsError('ETIMEDOUT', { id: 'WEFT_E_MGR_UNREACHABLE' }),
  iods: [
    {
      name: 'iod0',
      state,
      pid: state === 'STOPPED' ? null : 7,
      recovery: leftMs === undefined ? null : { ...recovery, leftMs },
    },
  ],
});

/** For each code what is found in looks that have it: all codes, the errors first. */
const sick: Readonly<
  Record<HealthCode, readonly (readonly [ClusterLook | FsError, ...HealthCode[]])[]>
> = {
  WEFT_H_CANNOT_ASK: [[new FsError('EKEYREJECTED', { id: 'WEFT_E_BAD_KEY' }), 'WEFT_H_CANNOT_ASK']],
  WEFT_H_MGR_UNREACHABLE: [
    [{ ...alone('SERVING'), iods: [] } as ClusterLook, 'WEFT_H_MGR_UNREACHABLE'],
  ],
  WEFT_H_MGR_RECOVERING: [
    [
      // Who is away then has been told of already.
      withStatus({ state: 'RECOVERING', recovery, sessionsAway: 2 }),
      'WEFT_H_MGR_RECOVERING',
    ],
  ],
  WEFT_H_MGR_DISK_RESERVE: [[withStatus({ hasRoom: false }), 'WEFT_H_MGR_DISK_RESERVE']],
  WEFT_H_IOD_ABSENT: [
    [withIod({ state: 'absent', silentMs: 9000 }), 'WEFT_H_IOD_ABSENT'],
    [alone('STOPPED'), 'WEFT_H_MGR_UNREACHABLE', 'WEFT_H_IOD_ABSENT'],
  ],
  WEFT_H_IOD_NEVER_STARTED: [[withIod({ state: 'absent', port: 0 }), 'WEFT_H_IOD_NEVER_STARTED']],
  WEFT_H_IOD_EVICTED: [[withIod({ state: 'evicted' }), 'WEFT_H_IOD_EVICTED']],
  WEFT_H_IOD_SYNCING: [
    [withIod({ state: 'syncing' }), 'WEFT_H_IOD_SYNCING'],
    [alone('SYNCING'), 'WEFT_H_MGR_UNREACHABLE', 'WEFT_H_IOD_SYNCING'],
  ],
  WEFT_H_IOD_DRAINING: [
    [withIod({ state: 'draining' }), 'WEFT_H_IOD_DRAINING'],
    [alone('DRAINING'), 'WEFT_H_MGR_UNREACHABLE', 'WEFT_H_IOD_DRAINING'],
  ],
  WEFT_H_IOD_SILENT: [
    [withIod({ silentMs: 2 * limits.heartbeatIntervalMs }), 'WEFT_H_IOD_SILENT'],
    [alone('SILENT'), 'WEFT_H_MGR_UNREACHABLE', 'WEFT_H_IOD_SILENT'],
  ],
  WEFT_H_IOD_ALONE: [[alone('SERVING', 9000), 'WEFT_H_MGR_UNREACHABLE', 'WEFT_H_IOD_ALONE']],
  WEFT_H_DISK_NEARLY_FULL: [[withIod({ freeBytes: 49 }), 'WEFT_H_DISK_NEARLY_FULL']],
  WEFT_H_DISK_FULL: [[withIod({ freeBytes: 9 }), 'WEFT_H_DISK_FULL']],
  WEFT_H_QUARANTINE: [[withIod({ quarantined: 1 }), 'WEFT_H_QUARANTINE']],
  WEFT_H_SESSION_SILENT: [[withStatus({ sessionsAway: 1 }), 'WEFT_H_SESSION_SILENT']],
  WEFT_H_REMOVALS_WAIT: [
    [
      withStatus({ reaping: 3, members: [{ ...iod, state: 'syncing' }] }),
      'WEFT_H_IOD_SYNCING',
      'WEFT_H_REMOVALS_WAIT',
    ],
  ],
  WEFT_H_VERSION_DIFFERS: [[withStatus({ version: '0.0.9' }), 'WEFT_H_VERSION_DIFFERS']],
};

for (const [code, looks] of Object.entries(sick)) {
  test(`${code} is found where it is the case, and nothing beside it`, (t) => {
    for (const [look, ...expected] of looks) {
      const findings = findingsOf(look);
      t.deepEqual(
        findings.map((finding) => finding.code),
        expected,
      );
      for (const { subject, detail } of findings) t.true(subject !== '' && detail !== '');
      t.is(
        verdictOf(findings),
        expected.some((one) => healthCatalogue[one].severity === 'error') ? 'errors' : 'warnings',
      );
    }
  });
}

const healthy: Readonly<Record<string, ClusterLook>> = {
  'all serve': withStatus({}),
  'a heartbeat is on its way': withIod({ silentMs: limits.heartbeatIntervalMs }),
  'removals are under way, and every iod serves': withStatus({ reaping: 10 }),
  'just enough of a disk is free': withIod({ freeBytes: 50 }),
  'an iod has not told of its disk yet': withIod({ totalBytes: 0, freeBytes: 0 }),
};
for (const [what, look] of Object.entries(healthy)) {
  test(`a cluster is healthy when ${what}`, (t) => {
    t.deepEqual(findingsOf(look), []);
    t.is(verdictOf([]), 'healthy');
  });
}

test('errors come first, and each iod is named', (t) => {
  const members = [
    { ...iod, quarantined: 2 },
    { ...iod, name: 'iod1', state: 'absent' as const, silentMs: 60_000 },
  ];
  t.deepEqual(findingsOf(withStatus({ members })), [
    { code: 'WEFT_H_IOD_ABSENT', subject: 'iod1', detail: 'silent for 1:00' },
    { code: 'WEFT_H_QUARANTINE', subject: 'iod0', detail: '2 objects' },
  ]);
});
