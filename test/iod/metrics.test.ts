import test from 'ava';
import { readIod } from '../../iod/metrics.ts';
import { FsError } from '../../shared/errno.ts';
import { RequestMeter } from '../../shared/metrics/request-meter.ts';
import { metricTable } from '../../shared/metrics/table.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';

function meterOfSomeWork(): RequestMeter {
  const meter = new RequestMeter({ now: () => 5 });
  meter.answered(dataOps.read, 0, undefined, 1000);
  meter.answered(dataOps.write, 0, undefined, 30);
  meter.answered(dataOps.write, 0, new FsError('ENOSPC'), 500);
  return meter;
}

const shown = readIod({
  name: 'iod3',
  state: 'DRAINING',
  epochs: { newest: { generation: 4, number: 9 } },
  acceptor: {
    acceptedPeers: 11,
    connectionCount: 2,
    refusedPeers: 3,
    load: () => ({ requestsRunning: 6, sendQueueBytes: 77 }),
  },
  meter: meterOfSomeWork(),
  recovery: {
    cause: 'mgr-lost',
    phase: 'connect',
    elapsedMs: 1500,
    done: 0,
    total: 0,
    missing: ['mgr'],
    missingTotal: 1,
    leftMs: 100,
  },
  recoveries: {
    latest: {
      number: 8,
      daemon: 'iod3',
      cause: 'crash',
      why: 'it was killed',
      outcome: 'recovered',
      startedAt: { seconds: 1, nanoseconds: 0 },
      tookMs: 250,
      phases: [
        { name: 'boot', atMs: 0, tookMs: 50, times: 1 },
        { name: 'snapshot', atMs: 50, tookMs: 200, times: 1 },
      ],
      restarts: [],
      restored: [],
      dropped: [],
      uncertain: [],
    },
  },
  space: { totalBytes: 100, freeBytes: 40, quarantined: 1 },
  table: { size: 12 },
  store: { descriptorCount: 13 },
  access: { refusedCount: 14 },
  lease: { leftMs: 2500 },
  mgrConnections: 15,
  protocolErrors: 16,
  losses: 17,
});

test('every metric of an iod is shown, and nothing else', (t) => {
  const expected = Object.entries(metricTable).filter(([, { roles }]) =>
    roles.some((role) => role === 'iod'),
  );
  t.deepEqual(Object.keys(shown).toSorted(), expected.map(([name]) => name).toSorted());
});

test('each shows what its part says, in base units', (t) => {
  t.like(shown, {
    weftfs_generation: 4,
    weftfs_epoch_number: 9,
    weftfs_connections: 2,
    weftfs_connections_accepted_total: 11,
    weftfs_refused_peers_total: 3,
    weftfs_requests_running: 6,
    weftfs_send_queue_bytes: 77,
    weftfs_iod_read_bytes_total: 1000,
    weftfs_iod_written_bytes_total: 30,
    weftfs_iod_disk_capacity_bytes: 100,
    weftfs_iod_disk_free_bytes: 40,
    weftfs_iod_quarantined_objects: 1,
    weftfs_iod_open_entries: 12,
    weftfs_iod_descriptors: 13,
    weftfs_iod_refused_caps_total: 14,
    weftfs_iod_lease_left_seconds: 2.5,
    weftfs_iod_mgr_connections_total: 15,
    weftfs_iod_protocol_errors_total: 16,
    weftfs_iod_losses_total: 17,
    weftfs_recovery_elapsed_seconds: 1.5,
    weftfs_recoveries_total: 8,
  });
  t.deepEqual(shown.weftfs_recovery_running, [{ labels: { phase: 'connect' }, value: 1 }]);
  t.deepEqual(shown.weftfs_last_recovery_duration_seconds, [
    { labels: { cause: 'crash', outcome: 'recovered' }, value: 0.25 },
  ]);
  t.deepEqual(shown.weftfs_last_recovery_phase_duration_seconds, [
    { labels: { phase: 'boot' }, value: 0.05 },
    { labels: { phase: 'snapshot' }, value: 0.2 },
  ]);
  t.deepEqual(
    shown.weftfs_state.map(({ labels, value }) => [labels.state, value]),
    [
      ['BOOT', 0],
      ['SYNCING', 0],
      ['SERVING', 0],
      ['DRAINING', 1],
      ['STOPPED', 0],
    ],
  );
});
