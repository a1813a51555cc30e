/**
 * Every metric that a daemon shows, defined once: from here come what `/metrics` says,
 * docs/METRICS.md, the dashboard and the panels on it. Names and units by the conventions of
 * Prometheus: base units, and `_total` for what only grows. No label tells of a file, a user, a
 * key or an address of a client.
 */
export type MetricRole = 'mgr' | 'iod';

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Of the value, and in the name where it has one. `state`: 1 for what is the case, else 0. */
  readonly unit: 'seconds' | 'bytes' | 'count' | 'state';
  readonly help: string;
  readonly labels: readonly string[];
  /** Which daemons show it. */
  readonly roles: readonly MetricRole[];
  /** Upper bounds of a histogram's buckets, rising. */
  readonly buckets?: readonly number[];
  /** The part of documentation and dashboard that it stands in. */
  readonly group: MetricGroup;
}

export const metricGroups = [
  'Daemon',
  'Requests',
  'Files and sessions',
  'Commits',
  'Iods as the mgr sees them',
  'Bytes and disk of an iod',
  'Recovery',
] as const;
export type MetricGroup = (typeof metricGroups)[number];

const both = ['mgr', 'iod'] as const;
const mgr = ['mgr'] as const;
const iod = ['iod'] as const;
const none = [] as const;

/** From a tenth of a millisecond, which a read out of memory takes, to the longest wait of a call. */
const latencies = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
] as const;

export const metricTable = {
  weftfs_build_info: {
    type: 'gauge',
    unit: 'state',
    help: 'Always 1; which daemon this is, and its version.',
    labels: ['role', 'name', 'version'],
    roles: both,
    group: 'Daemon',
  },
  weftfs_state: {
    type: 'gauge',
    unit: 'state',
    help: 'State of this daemon: 1 for the one it is in, 0 for all others.',
    labels: ['state'],
    roles: both,
    group: 'Daemon',
  },
  weftfs_generation: {
    type: 'gauge',
    unit: 'count',
    help: 'Newest generation of the mgr that this daemon knows; each start of a mgr raises it.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },
  weftfs_epoch_number: {
    type: 'gauge',
    unit: 'count',
    help: 'Changes of the membership within the generation, as far as this daemon knows.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },
  weftfs_connections: {
    type: 'gauge',
    unit: 'count',
    help: 'Connections that others have made to this daemon.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },
  weftfs_connections_accepted_total: {
    type: 'counter',
    unit: 'count',
    help: 'Peers that proved themselves; a rise without new clients is reconnecting.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },
  weftfs_refused_peers_total: {
    type: 'counter',
    unit: 'count',
    help: 'Connections turned away: noise, a wrong key, no proof in time, one too many.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },
  weftfs_send_queue_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Bytes that wait to be taken by peers, over all connections.',
    labels: none,
    roles: both,
    group: 'Daemon',
  },

  weftfs_request_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'From a request to its answer, commit and disk included. outcome: ok, error (an errno for the caller), retry (asked to try again).',
    labels: ['op', 'outcome'],
    roles: both,
    buckets: latencies,
    group: 'Requests',
  },
  weftfs_request_errors_total: {
    type: 'counter',
    unit: 'count',
    help: 'Requests answered with an errno. Many, such as ENOENT, are what a program asked for; EIO is not.',
    labels: ['op', 'errno'],
    roles: both,
    group: 'Requests',
  },
  weftfs_requests_running: {
    type: 'gauge',
    unit: 'count',
    help: 'Requests that have no answer yet.',
    labels: none,
    roles: both,
    group: 'Requests',
  },
  weftfs_mgr_replayed_replies_total: {
    type: 'counter',
    unit: 'count',
    help: 'Mutations that came again, after a lost connection, and got their first reply.',
    labels: none,
    roles: mgr,
    group: 'Requests',
  },

  weftfs_mgr_files: {
    type: 'gauge',
    unit: 'count',
    help: 'Files in the file system.',
    labels: none,
    roles: mgr,
    group: 'Files and sessions',
  },
  weftfs_mgr_open_files: {
    type: 'gauge',
    unit: 'count',
    help: 'Opens in force: pairs of a session and a file.',
    labels: none,
    roles: mgr,
    group: 'Files and sessions',
  },
  weftfs_mgr_sessions: {
    type: 'gauge',
    unit: 'count',
    help: 'Sessions of clients, with those that are away.',
    labels: none,
    roles: mgr,
    group: 'Files and sessions',
  },
  weftfs_mgr_sessions_away: {
    type: 'gauge',
    unit: 'count',
    help: 'Sessions without a connection; they end with their lease.',
    labels: none,
    roles: mgr,
    group: 'Files and sessions',
  },
  weftfs_mgr_size_changes_queued: {
    type: 'gauge',
    unit: 'count',
    help: 'Changes of the size of a file that wait for an earlier one of it.',
    labels: none,
    roles: mgr,
    group: 'Files and sessions',
  },

  weftfs_mgr_commit_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'How long a commit of the name store takes, its sync included. The mgr does nothing else meanwhile.',
    labels: none,
    roles: mgr,
    buckets: latencies,
    group: 'Commits',
  },
  weftfs_mgr_commit_changes: {
    type: 'histogram',
    unit: 'count',
    help: 'Rows that a commit changes: more of them at once is load, not trouble.',
    labels: none,
    roles: mgr,
    buckets: [1, 4, 16, 64, 256, 1024, 4096],
    group: 'Commits',
  },
  weftfs_mgr_commit_failures_total: {
    type: 'counter',
    unit: 'count',
    help: 'Commits that the disk refused: nothing of them has happened.',
    labels: none,
    roles: mgr,
    group: 'Commits',
  },
  weftfs_mgr_answers_held: {
    type: 'gauge',
    unit: 'count',
    help: 'Answers that wait for the commit of their tick.',
    labels: none,
    roles: mgr,
    group: 'Commits',
  },
  weftfs_mgr_has_room: {
    type: 'gauge',
    unit: 'state',
    help: '0 when the disk of the mgr is full: nothing new is made, all else goes on.',
    labels: none,
    roles: mgr,
    group: 'Commits',
  },
  weftfs_mgr_pending_rows: {
    type: 'gauge',
    unit: 'count',
    help: 'Removals and truncations that an iod has yet to carry out.',
    labels: none,
    roles: mgr,
    group: 'Commits',
  },

  weftfs_mgr_iod_state: {
    type: 'gauge',
    unit: 'state',
    help: 'State of each iod: 1 for the one it is in, 0 for all others.',
    labels: ['iod', 'state'],
    roles: mgr,
    group: 'Iods as the mgr sees them',
  },
  weftfs_mgr_iod_silent_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Since the mgr heard of the iod.',
    labels: ['iod'],
    roles: mgr,
    group: 'Iods as the mgr sees them',
  },
  weftfs_mgr_iod_capacity_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Size of the disk of the iod, as it last said; 0 before.',
    labels: ['iod'],
    roles: mgr,
    group: 'Iods as the mgr sees them',
  },
  weftfs_mgr_iod_free_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'What is free of it.',
    labels: ['iod'],
    roles: mgr,
    group: 'Iods as the mgr sees them',
  },
  weftfs_mgr_iod_quarantined_objects: {
    type: 'gauge',
    unit: 'count',
    help: 'Objects that the iod has set aside: weft fsck tells of them.',
    labels: ['iod'],
    roles: mgr,
    group: 'Iods as the mgr sees them',
  },

  weftfs_iod_read_bytes_total: {
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes of objects sent to clients.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_written_bytes_total: {
    type: 'counter',
    unit: 'bytes',
    help: 'Bytes of clients stored in objects.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_disk_capacity_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'Size of the disk.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_disk_free_bytes: {
    type: 'gauge',
    unit: 'bytes',
    help: 'What is free of it.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_quarantined_objects: {
    type: 'gauge',
    unit: 'count',
    help: 'Objects set aside: weft fsck tells of them.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_open_entries: {
    type: 'gauge',
    unit: 'count',
    help: 'Rights to files that this iod knows: its open table.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_descriptors: {
    type: 'gauge',
    unit: 'count',
    help: 'Objects that are open on the disk.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_refused_caps_total: {
    type: 'counter',
    unit: 'count',
    help: 'Requests without a right to the file, or with one that was taken back.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_protocol_errors_total: {
    type: 'counter',
    unit: 'count',
    help: 'Connections closed because the peer broke the protocol.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },
  weftfs_iod_losses_total: {
    type: 'counter',
    unit: 'count',
    help: 'Times that this disk may have lost writes that were acknowledged but not synced.',
    labels: none,
    roles: iod,
    group: 'Bytes and disk of an iod',
  },

  weftfs_recovery_running: {
    type: 'gauge',
    unit: 'state',
    help: '1 for the phase of the recovery that runs; nothing when none does.',
    labels: ['phase'],
    roles: both,
    group: 'Recovery',
  },
  weftfs_recovery_elapsed_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Since the recovery that runs began; 0 when none does.',
    labels: none,
    roles: both,
    group: 'Recovery',
  },
  weftfs_recoveries_total: {
    type: 'counter',
    unit: 'count',
    help: 'Recoveries that have ended, since the data directory was made: weft recovery list.',
    labels: none,
    roles: both,
    group: 'Recovery',
  },
  weftfs_last_recovery_duration_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'How long the last recovery took.',
    labels: ['cause', 'outcome'],
    roles: both,
    group: 'Recovery',
  },
  weftfs_last_recovery_phase_duration_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'How long each of its phases took.',
    labels: ['phase'],
    roles: both,
    group: 'Recovery',
  },
  weftfs_iod_lease_left_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'How long this iod may serve without a word from the mgr.',
    labels: none,
    roles: iod,
    group: 'Recovery',
  },
  weftfs_iod_mgr_connections_total: {
    type: 'counter',
    unit: 'count',
    help: 'Times that this iod connected to a mgr; beyond the first it had lost it.',
    labels: none,
    roles: iod,
    group: 'Recovery',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricTable;
