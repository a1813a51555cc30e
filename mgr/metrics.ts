/** The metrics of a mgr, read from its parts when somebody asks. */
import { daemonReadings, oneOf, type DaemonFigures } from '../shared/metrics/daemon-readings.ts';
import type { MetricOf, Readings } from '../shared/metrics/readings.ts';
import { memberStates } from '../shared/wire/values.ts';
import type { ClusterPort } from './cluster-port.ts';
import type { Committer } from './committer.ts';
import type { ExactlyOnce } from './exactly-once.ts';
import type { FileSizes } from './file-sizes.ts';
import { mgrStates, type MgrLifecycle } from './lifecycle.ts';
import type { OpenTable } from './open-table.ts';
import type { Recoveries } from './recoveries.ts';
import type { Sessions } from './sessions.ts';
import type { MetaStore } from './store/meta-store.ts';

export interface MetricSources extends Pick<DaemonFigures, 'acceptor' | 'epochs' | 'meter'> {
  readonly lifecycle: MgrLifecycle;
  readonly store: Pick<MetaStore, 'fileCount' | 'hasRoom' | 'pendingCount'>;
  readonly openTable: OpenTable;
  readonly sessions: Sessions;
  readonly sizes: FileSizes;
  readonly committer: Committer;
  readonly once: ExactlyOnce;
  readonly cluster: ClusterPort;
  readonly recoveries: Recoveries;
}

export function readMgr(sources: MetricSources): Readings<MetricOf<'mgr'>> {
  const { acceptor, epochs, meter, lifecycle, recoveries, cluster } = sources;
  const { store, openTable, sessions, sizes, committer, once } = sources;
  return {
    ...daemonReadings({
      role: 'mgr',
      name: 'mgr',
      state: lifecycle.state,
      states: mgrStates,
      acceptor,
      epochs,
      meter,
      recovery: recoveries.state([]),
      recoveries: recoveries.log,
    }),
    ...iodReadings(cluster),
    weftfs_mgr_replayed_replies_total: once.replayCount,
    weftfs_mgr_files: store.fileCount(),
    weftfs_mgr_open_files: openTable.size,
    weftfs_mgr_sessions: sessions.count,
    weftfs_mgr_sessions_away: sessions.awayCount,
    weftfs_mgr_size_changes_queued: sizes.queuedCount,
    weftfs_mgr_commit_duration_seconds: committer.durations,
    weftfs_mgr_commit_changes: committer.changes,
    weftfs_mgr_commit_failures_total: committer.failureCount,
    weftfs_mgr_answers_held: committer.heldCount,
    weftfs_mgr_has_room: store.hasRoom ? 1 : 0,
    weftfs_mgr_pending_rows: store.pendingCount(),
  };
}

function iodReadings(cluster: ClusterPort) {
  const members = cluster.members();
  const each = (valueOf: (member: (typeof members)[number]) => number) =>
    members.map((member) => ({ labels: { iod: member.name }, value: valueOf(member) }));
  return {
    weftfs_mgr_iod_state: members.flatMap(({ name: iod, state: actual }) =>
      oneOf(memberStates, actual).map(([state, value]) => ({ labels: { iod, state }, value })),
    ),
    weftfs_mgr_iod_silent_seconds: each(({ silentMs }) => silentMs / 1000),
    weftfs_mgr_iod_capacity_bytes: each(({ totalBytes }) => totalBytes),
    weftfs_mgr_iod_free_bytes: each(({ freeBytes }) => freeBytes),
    weftfs_mgr_iod_quarantined_objects: each(({ quarantined }) => quarantined),
  };
}
