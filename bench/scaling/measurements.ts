/** The measurements behind the curves, each on a cluster of its own. */
import type { BenchCluster } from '../cluster.ts';
import { median } from '../peers/statistics.ts';
import { perSecond, type Worker } from '../processes.ts';
import type { Outcome } from '../tasks.ts';
import type { Point } from './curves.ts';
import { measureNames } from './name-space.ts';
import type { ScalingTask } from './scaling-tasks.ts';
import { connectWarm, usualIods, withCluster } from './with-cluster.ts';

export interface Extent {
  readonly iods: readonly number[];
  readonly streamBytes: number;
  readonly sessions: readonly number[];
  readonly calls: number;
  readonly opens: readonly number[];
  readonly entries: readonly number[];
  readonly names: readonly number[];
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export const fullExtent: Extent = {
  iods: [1, 2, 4, 8, 16],
  streamBytes: 256 * MiB,
  sessions: [1, 4, 16, 64, 256],
  calls: 10_000,
  opens: [10_000, 100_000, 1_000_000],
  entries: [1000, 10_000, 100_000, 1_000_000],
  names: [10_000, 100_000, 1_000_000, 10_000_000],
};

export const quickExtent: Extent = {
  iods: [1, 4],
  streamBytes: 64 * MiB,
  sessions: [1, 16],
  calls: 1000,
  opens: [1000, 5000],
  entries: [1000, 10_000],
  names: [10_000, 30_000],
};

export const measurements = {
  iods: measureIods,
  sessions: measureSessions,
  opens: measureOpens,
  entries: measureEntries,
  names: measureNames,
} as const;

const streams = 3;

async function measureIods(extent: Extent): Promise<Point[]> {
  const points: Point[] = [];
  for (const at of extent.iods) {
    await withCluster(at, 'client-process.ts', async (cluster, client: Worker) => {
      await client.perform({ kind: 'connect', url: cluster.url, tcp: false });
      const { rates, cpu } = await streamOften(cluster, client, extent.streamBytes);
      points.push(
        { curve: 'iods-write', at, value: median(rates.overwrite) / 1e6 },
        { curve: 'iods-read', at, value: median(rates.read) / 1e6 },
        { curve: 'iods-cpu', at, value: median(cpu) },
        { curve: 'iods-memory', at, value: cluster.residentMebibytes('iod', 'now') },
      );
    });
  }
  return points;
}

async function streamOften(cluster: BenchCluster, client: Worker, bytes: number) {
  const stream = async (direction: 'write' | 'overwrite' | 'read'): Promise<Outcome> =>
    client.perform({
      kind: 'stream',
      path: '/stream',
      direction,
      bytes,
      callBytes: MiB,
      way: 'calls',
    });
  const rates = { overwrite: [] as number[], read: [] as number[] };
  const cpu: number[] = [];
  await stream('write');
  await stream('read'); // Compiled and warm from here on.
  for (let round = 0; round < streams; round++) {
    for (const direction of ['overwrite', 'read'] as const) {
      const before = cluster.cpuUs();
      const outcome = await stream(direction);
      rates[direction].push(perSecond(outcome));
      const cpuUs = outcome.cpuUs + cluster.cpuUs() - before;
      cpu.push((cpuUs / 1e6) * (GiB / outcome.done));
    }
  }
  return { rates, cpu };
}

async function measureSessions({ sessions, calls }: Extent): Promise<Point[]> {
  return withSessions(async ({ cluster, measure, perform }) => {
    const points: Point[] = [];
    for (const at of sessions) {
      await perform({ kind: 'connect', url: cluster.url, sessions: at });
      const directory = `/sessions-${at}`;
      await perform({ kind: 'directory', directory });
      const files = { directory, from: 0, to: calls };
      points.push(
        ...(await measure('sessions-create', at, { kind: 'create', ...files })),
        ...(await measure('sessions-stat', at, { kind: 'stat', ...files })),
        { curve: 'sessions-memory', at, value: cluster.residentMebibytes('mgr', 'now') },
      );
    }
    return points;
  });
}

const openingSessions = 100;

async function measureOpens({ opens }: Extent): Promise<Point[]> {
  return withSessions(async ({ cluster, measure, perform }) => {
    const points: Point[] = [];
    await perform({ kind: 'connect', url: cluster.url, sessions: openingSessions });
    const directory = '/open';
    await perform({ kind: 'directory', directory });
    let from = 0;
    for (const at of opens) {
      points.push(
        ...(await measure('opens', at, { kind: 'open', directory, from, to: at })),
        { curve: 'opens-memory', at, value: cluster.residentMebibytes('mgr', 'now') },
        { curve: 'opens-memory-iod', at, value: cluster.residentMebibytes('iod', 'now') },
      );
      from = at;
    }
    return points;
  });
}

/** Longer lists than this one does not fetch at once. */
const listedMax = 100_000;

async function measureEntries({ entries, calls }: Extent): Promise<Point[]> {
  return withSessions(async ({ cluster, measure, perform }) => {
    const points: Point[] = [];
    const directory = '/entries';
    await perform({ kind: 'directory', directory });
    let from = 0;
    for (const at of entries) {
      const last = { directory, from: Math.max(at - calls, 0), to: at };
      points.push(
        ...(await measure('entries-create', at, { kind: 'create', directory, from, to: at })),
        { curve: 'entries-memory', at, value: cluster.residentMebibytes('mgr', 'now') },
        ...(await measure('entries-stat', at, { kind: 'stat', ...last })),
      );
      if (at <= listedMax) {
        const listed = await perform({ kind: 'list', directory });
        points.push({ curve: 'entries-list', at, value: perSecond(listed) });
      }
      from = at;
    }
    return points;
  });
}

interface Sessions {
  readonly cluster: BenchCluster;
  readonly perform: (task: ScalingTask) => Promise<Outcome>;
  /** Of each call its rate, and the processor time of all for it. */
  readonly measure: (
    curve: 'sessions-create' | 'sessions-stat' | 'opens' | 'entries-create' | 'entries-stat',
    at: number,
    task: ScalingTask,
  ) => Promise<Point[]>;
}

async function withSessions(run: (sessions: Sessions) => Promise<Point[]>): Promise<Point[]> {
  const program = 'scaling/sessions-process.ts';
  return withCluster(usualIods, program, async (cluster, holder: Worker<ScalingTask>) => {
    const perform: Sessions['perform'] = async (task) => holder.perform(task);
    const measure: Sessions['measure'] = async (curve, at, task) => {
      const before = cluster.cpuUs();
      const outcome = await perform(task);
      const cpuUs = outcome.cpuUs + cluster.cpuUs() - before;
      return [
        { curve, at, value: perSecond(outcome) },
        { curve: `${curve}-cpu`, at, value: cpuUs / outcome.done },
      ];
    };
    await connectWarm(cluster, holder);
    return run({ cluster, perform, measure });
  });
}
