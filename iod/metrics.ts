/** The metrics of an iod, read from its parts when somebody asks. */
import { daemonReadings, type DaemonFigures } from '../shared/metrics/daemon-readings.ts';
import type { MetricOf, Readings } from '../shared/metrics/readings.ts';
import type { RequestMeter } from '../shared/metrics/request-meter.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { Access } from './access.ts';
import type { Lease } from './lease.ts';
import { iodStates, type IodState } from './lifecycle.ts';
import type { OpenTable } from './open-table.ts';
import type { FileObjectStore } from './storage/file-object-store.ts';

export interface MetricSources extends Omit<DaemonFigures, 'role' | 'states'> {
  readonly state: IodState;
  readonly meter: RequestMeter;
  /** As it was read last. */
  readonly space: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly quarantined: number;
  };
  readonly table: Pick<OpenTable, 'size'>;
  readonly store: Pick<FileObjectStore, 'descriptorCount'>;
  readonly access: Pick<Access, 'refusedCount'>;
  readonly lease: Pick<Lease, 'leftMs'>;
  /** Connections to a mgr that stood. */
  readonly mgrConnections: number;
  readonly protocolErrors: number;
  readonly losses: number;
}

export function readIod(sources: MetricSources): Readings<MetricOf<'iod'>> {
  const { meter, space, table, store, access, lease } = sources;
  return {
    ...daemonReadings({ ...sources, role: 'iod', states: iodStates }),
    weftfs_iod_read_bytes_total: meter.bytesOf(dataOps.read),
    weftfs_iod_written_bytes_total: meter.bytesOf(dataOps.write),
    weftfs_iod_disk_capacity_bytes: space.totalBytes,
    weftfs_iod_disk_free_bytes: space.freeBytes,
    weftfs_iod_quarantined_objects: space.quarantined,
    weftfs_iod_open_entries: table.size,
    weftfs_iod_descriptors: store.descriptorCount,
    weftfs_iod_refused_caps_total: access.refusedCount,
    weftfs_iod_protocol_errors_total: sources.protocolErrors,
    weftfs_iod_losses_total: sources.losses,
    weftfs_iod_lease_left_seconds: lease.leftMs / 1000,
    weftfs_iod_mgr_connections_total: sources.mgrConnections,
  };
}
