/** A cluster and a process that works on it, for as long as something is measured. */
import { BenchCluster } from '../cluster.ts';
import { Worker } from '../processes.ts';
import type { ScalingTask } from './scaling-tasks.ts';

export const usualIods = 4;
const warmFiles = 2000;

/** @param program beside the other processes of benchmarks */
export async function withCluster<T extends object, Found>(
  iods: number,
  program: string,
  measure: (cluster: BenchCluster, worker: Worker<T>) => Promise<Found>,
): Promise<Found> {
  const cluster = await BenchCluster.start(iods);
  const worker = new Worker<T>(program);
  try {
    return await measure(cluster, worker);
  } finally {
    await worker.end();
    await cluster.stop();
  }
}

/** One session, and nothing that is not compiled yet: that takes ten times as long. */
export async function connectWarm(
  { url }: BenchCluster,
  holder: Worker<ScalingTask>,
): Promise<void> {
  await holder.perform({ kind: 'connect', url, sessions: 1 });
  const directory = '/warm';
  await holder.perform({ kind: 'directory', directory });
  for (const kind of ['create', 'stat', 'stat'] as const) {
    await holder.perform({ kind, directory, from: 0, to: warmFiles });
  }
}
