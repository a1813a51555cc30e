import test from 'ava';
import { mountMeters, readMount } from '../../../client/fuse/metrics.ts';
import { operations } from '../../../client/fuse/protocol.ts';
import { FsError } from '../../../shared/errno.ts';
import { metricTable } from '../../../shared/metrics/table.ts';
import type { MetricSpec } from '../../../shared/metrics/metric-spec.ts';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import { dataOps } from '../../../shared/wire/iod-ops.ts';

const meters = mountMeters({ clock: { now: () => 30 } as Clock });
meters.operations.answered(operations.read, 10, undefined, 0);
meters.operations.answered(operations.lookup, 10, new FsError('ENOENT'), 0);
meters.calls.answered(dataOps.read, 20, undefined, 4096);
meters.calls.answered(dataOps.write, 20, new FsError('ETIMEDOUT'), 4096);

const shown = readMount({
  fileSystem: {
    session: {
      epochs: { newest: { generation: 3, number: 5 } },
      link: { isUp: true, running: 2 },
      nameOfIod: (iod: number) => `disk${iod}`,
    },
    iods: { links: [[4, { isUp: false, running: 7 }]] },
  } as unknown as Parameters<typeof readMount>[0]['fileSystem'],
  kernel: {
    inFlight: 2,
    waits: () => [
      { kind: 'kernel', peer: 'a', forMs: 1500 },
      { kind: 'kernel', peer: 'b', forMs: 20 },
    ],
  },
  volume: {
    nodes: { size: 11 },
    files: { size: 12 },
    kernel: {
      cached: { attributes: 1, names: 2 },
      told: { attributes: 3, names: 4 },
      revoked: { attributes: 5, names: 6 },
    },
  } as unknown as Parameters<typeof readMount>[0]['volume'],
  meters,
});

test('a mount shows all of its metrics, and no others', (t) => {
  const all = Object.entries(metricTable) as [string, MetricSpec][];
  const own = all.flatMap(([name, { roles }]) => (roles.includes('mount') ? [name] : []));
  t.deepEqual(Object.keys(shown).toSorted(), own.toSorted());
});

/** What samples are of. */
const of = (samples: readonly { readonly labels: Readonly<Record<string, string>> }[]) =>
  samples.map(({ labels }) => `${labels['op']} ${labels['outcome'] ?? labels['errno']}`);

test('requests of the kernel and calls of daemons are counted apart, by name', (t) => {
  t.deepEqual(of(shown.weftfs_mount_operation_duration_seconds), ['lookup error', 'read ok']);
  t.deepEqual(of(shown.weftfs_mount_operation_errors_total), ['lookup ENOENT']);
  t.deepEqual(of(shown.weftfs_client_call_duration_seconds), ['read ok', 'write error']);
  t.deepEqual(of(shown.weftfs_client_call_errors_total), ['write ETIMEDOUT']);
  t.is(shown.weftfs_mount_operation_duration_seconds[1]?.value.sum, 0.02);
  t.is(shown.weftfs_client_read_bytes_total, 4096);
  t.is(shown.weftfs_client_written_bytes_total, 0, 'what failed has moved nothing that counts');
});

test('what it is like at this moment: links, who waits for how long, what the kernel may keep', (t) => {
  t.deepEqual(shown.weftfs_client_link_state, [
    { labels: { peer: 'mgr' }, value: 1 },
    { labels: { peer: 'disk4' }, value: 0 },
  ]);
  t.deepEqual(
    shown.weftfs_client_calls_running.map(({ value }) => value),
    [2, 7],
  );
  t.is(shown.weftfs_mount_operations_running, 2);
  t.is(shown.weftfs_mount_oldest_operation_seconds, 1.5);
  t.is(shown.weftfs_mount_nodes, 11);
  t.is(shown.weftfs_mount_open_files, 12);
  const figures = [
    shown.weftfs_mount_kernel_cached,
    shown.weftfs_mount_kernel_told_total,
    shown.weftfs_mount_kernel_revoked_total,
  ];
  t.deepEqual(
    figures.map((samples) => samples.map(({ labels, value }) => `${labels.what} ${value}`)),
    [
      ['attributes 1', 'names 2'],
      ['attributes 3', 'names 4'],
      ['attributes 5', 'names 6'],
    ],
  );
});
