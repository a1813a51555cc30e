/** The metrics of a mount, read from its parts when somebody asks. */
import type { MetricOf, Readings } from '../../shared/metrics/readings.ts';
import { RequestMeter } from '../../shared/metrics/request-meter.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { clientReadings } from '../client-readings.ts';
import type { FileSystem } from '../file-system.ts';
import { operationOf } from './protocol.ts';
import type { FuseSession } from './session.ts';
import type { Volume } from './volume.ts';

export interface MountMeters {
  /** Requests of the kernel. */
  readonly operations: RequestMeter;
  /** Calls of the library. */
  readonly calls: RequestMeter;
}

export function mountMeters({ clock }: Pick<Runtime, 'clock'>): MountMeters {
  return {
    operations: new RequestMeter(clock, (code) => operationOf(code) ?? 'unknown'),
    calls: new RequestMeter(clock),
  };
}

export interface MountSources {
  readonly fileSystem: Pick<FileSystem, 'session' | 'iods'>;
  readonly kernel: Pick<FuseSession, 'inFlight' | 'waits'>;
  readonly volume: Pick<Volume, 'nodes' | 'files' | 'kernel'>;
  readonly meters: MountMeters;
}

export function readMount(sources: MountSources): Readings<MetricOf<'mount'>> {
  const { fileSystem, kernel, volume, meters } = sources;
  const { nodes, files } = volume;
  const { cached, told, revoked } = volume.kernel;
  const oldestMs = Math.max(0, ...[...kernel.waits()].map(({ forMs }) => forMs));
  return {
    ...clientReadings(fileSystem, meters.calls, 'mount'),
    weftfs_mount_operation_duration_seconds: meters.operations.durations(),
    weftfs_mount_operation_errors_total: meters.operations.errors(),
    weftfs_mount_operations_running: kernel.inFlight,
    weftfs_mount_oldest_operation_seconds: oldestMs / 1000,
    weftfs_mount_nodes: nodes.size,
    weftfs_mount_open_files: files.size,
    weftfs_mount_kernel_cached: ofEach(cached),
    weftfs_mount_kernel_told_total: ofEach(told),
    weftfs_mount_kernel_revoked_total: ofEach(revoked),
  };
}

function ofEach(figures: KernelCacheFigures) {
  return Object.entries(figures).map(([what, value]) => ({ labels: { what }, value }));
}

type KernelCacheFigures = Volume['kernel']['told'];
