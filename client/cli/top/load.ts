/** What a daemon did between two looks at its metrics. Pure. */
import { labelOf, type Samples, sumOf } from './samples.ts';

export interface Look {
  readonly atMs: number;
  readonly samples: Samples;
}

export interface Load {
  readonly state: string;
  readonly requestsPerSecond: number;
  /** From a request to its answer, on average; `null` when there were none. */
  readonly meanMs: number | null;
  readonly running: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  /** Of one processor. */
  readonly processorShare: number;
  readonly residentBytes: number;
  readonly connections: number;
}

const duration = 'weftfs_request_duration_seconds';

export function loadBetween(before: Look, now: Look): Load {
  const seconds = Math.max(1e-3, (now.atMs - before.atMs) / 1000);
  // A daemon that has started anew counts from nothing.
  const grown = (name: string): number => {
    const [was, is] = [sumOf(before.samples, name), sumOf(now.samples, name)];
    return is >= was ? is - was : is;
  };
  const requests = grown(`${duration}_count`);
  return {
    state: labelOf(now.samples, 'weftfs_state', 'state') ?? '?',
    requestsPerSecond: requests / seconds,
    meanMs: requests === 0 ? null : (grown(`${duration}_sum`) / requests) * 1000,
    running: sumOf(now.samples, 'weftfs_requests_running'),
    readBytesPerSecond: grown('weftfs_iod_read_bytes_total') / seconds,
    writtenBytesPerSecond: grown('weftfs_iod_written_bytes_total') / seconds,
    processorShare: grown('process_cpu_seconds_total') / seconds,
    residentBytes: sumOf(now.samples, 'process_resident_memory_bytes'),
    connections: sumOf(now.samples, 'weftfs_connections'),
  };
}
