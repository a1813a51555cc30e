/** What there is to say of a metric, and the parts of documentation and board that metrics stand in. */

/** A mount is a client that serves its kernel; a client is any program with the library. */
export type MetricRole = 'mgr' | 'iod' | 'mount' | 'client';

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Of the value, and in the name where it has one. `state`: 1 for what is the case, else 0. */
  readonly unit: 'seconds' | 'bytes' | 'count' | 'state';
  readonly help: string;
  readonly labels: readonly string[];
  /** Which processes show it. */
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
  'What a mount or a program asks for',
  'Requests of the kernel to a mount',
] as const;
export type MetricGroup = (typeof metricGroups)[number];

/** From a tenth of a millisecond, which a read out of memory takes, to the longest wait of a call. */
export const latencies = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
] as const;
