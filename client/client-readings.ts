/** The metrics of a client, read from its parts when somebody asks. */
import type { RequestMeter } from '../shared/metrics/request-meter.ts';
import type { MetricOf, Readings } from '../shared/metrics/readings.ts';
import { version } from '../shared/version.ts';
import { dataOps } from '../shared/wire/iod-ops.ts';
import type { FileSystem } from './file-system.ts';

/** @param meter of the session */
export function clientReadings(
  { session, iods }: Pick<FileSystem, 'session' | 'iods'>,
  meter: RequestMeter,
  role: 'client' | 'mount',
): Readings<MetricOf<'client'>> {
  const { generation, number } = session.epochs.newest;
  const links = [
    ['mgr', session.link] as const,
    ...[...iods.links].map(([iod, link]) => [session.nameOfIod(iod), link] as const),
  ];
  return {
    weftfs_build_info: [{ labels: { role, name: role, version }, value: 1 }],
    weftfs_generation: generation,
    weftfs_epoch_number: number,
    weftfs_client_call_duration_seconds: meter.durations(),
    weftfs_client_call_errors_total: meter.errors(),
    weftfs_client_calls_running: links.map(([peer, { running }]) => {
      return { labels: { peer }, value: running };
    }),
    weftfs_client_link_state: links.map(([peer, { isUp }]) => {
      return { labels: { peer }, value: isUp ? 1 : 0 };
    }),
    weftfs_client_read_bytes_total: meter.bytesOf(dataOps.read),
    weftfs_client_written_bytes_total: meter.bytesOf(dataOps.write),
  };
}
