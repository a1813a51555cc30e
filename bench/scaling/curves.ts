/** What is measured against what, and what a scaling report holds. Pure. */
import type { Report } from '../peers/report.ts';

const inDirectory = 'files in a directory';
const inAll = 'files in all';

export const curves = {
  'iods-read': { title: 'streaming reads', unit: 'MB/s', by: 'iods' },
  'iods-write': { title: 'streaming overwrites', unit: 'MB/s', by: 'iods' },
  'iods-cpu': { title: 'processor time of both', unit: 's/GiB', by: 'iods' },
  'iods-memory': { title: 'memory of an iod', unit: 'MiB', by: 'iods' },
  'sessions-create': { title: 'creates of all, 128 in flight', unit: '/s', by: 'sessions' },
  'sessions-create-cpu': { title: 'processor time of a create', unit: 'us', by: 'sessions' },
  'sessions-stat': { title: 'stats of all, 128 in flight', unit: '/s', by: 'sessions' },
  'sessions-stat-cpu': { title: 'processor time of a stat', unit: 'us', by: 'sessions' },
  'sessions-memory': { title: 'memory of the mgr', unit: 'MiB', by: 'sessions' },
  opens: { title: 'opens of new files, 128 in flight', unit: '/s', by: 'files open' },
  'opens-cpu': { title: 'processor time of an open', unit: 'us', by: 'files open' },
  'opens-memory': { title: 'memory of the mgr', unit: 'MiB', by: 'files open' },
  'opens-memory-iod': { title: 'memory of an iod', unit: 'MiB', by: 'files open' },
  'entries-create': { title: 'creates, 128 in flight', unit: '/s', by: inDirectory },
  'entries-create-cpu': { title: 'processor time of a create', unit: 'us', by: inDirectory },
  'entries-stat': { title: 'stats, 128 in flight', unit: '/s', by: inDirectory },
  'entries-stat-cpu': { title: 'processor time of a stat', unit: 'us', by: inDirectory },
  'entries-list': { title: 'listed with attributes', unit: '/s', by: inDirectory },
  'entries-memory': { title: 'memory of the mgr', unit: 'MiB', by: inDirectory },
  'names-create': { title: 'creates, 128 in flight', unit: '/s', by: inAll },
  'names-create-cpu': { title: "the mgr's processor time of a create", unit: 'us', by: inAll },
  'names-stat': { title: 'stats from all over the tree', unit: '/s', by: inAll },
  'names-stat-cpu': { title: "the mgr's processor time of one", unit: 'us', by: inAll },
  'names-stat-again': { title: 'the same stats again', unit: '/s', by: inAll },
  'names-stat-again-cpu': { title: "the mgr's processor time of one", unit: 'us', by: inAll },
  'names-memory': { title: 'memory of the mgr', unit: 'MiB', by: inAll },
  'names-disk': { title: "bytes of a file on the mgr's disk", unit: 'B', by: inAll },
  'names-start': { title: 'start of the mgr', unit: 'ms', by: inAll },
} as const;

export type CurveName = keyof typeof curves;

export interface Point {
  readonly curve: CurveName;
  /** How many of what the curve is drawn by. */
  readonly at: number;
  readonly value: number;
}

export interface ScalingReport extends Pick<Report, 'schema' | 'isQuick' | 'machine'> {
  readonly points: readonly Point[];
}
