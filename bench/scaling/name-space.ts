/** What more files in the whole name space cost, in directories of one size. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { perSecond, type Worker } from '../processes.ts';
import { RestartableDaemon } from '../recovery/daemon.ts';
import type { Point } from './curves.ts';
import type { ScalingTask } from './scaling-tasks.ts';
import { connectWarm, usualIods, withCluster } from './with-cluster.ts';

export interface NameSpaces {
  /** Files, from few to many. */
  readonly names: readonly number[];
  /** Of each kind, at each size. */
  readonly calls: number;
}

const directory = '/names';
const perDirectory = 10_000;

/**
 * A tree that only grows: its last creates are measured; then files from all over it are looked at,
 * once, when most are not in the memory of the mgr, and once more.
 */
export async function measureNames({ names, calls }: NameSpaces): Promise<Point[]> {
  return withCluster(usualIods, 'scaling/sessions-process.ts', async (cluster, holder) => {
    const record = cluster.daemons.find(({ role }) => role === 'mgr');
    if (record === undefined) throw new Error('a cluster without a mgr');
    const mgr = new RestartableDaemon(record);
    const store = join(cluster.directory, record.name);
    const empty = bytesBelow(store);
    await connectWarm(cluster, holder);
    await holder.perform({ kind: 'directory', directory });
    const points: Point[] = [];
    let made = 0;
    for (const at of names) {
      await makeDirectories(holder, made, at);
      const last = Math.max(made, at - calls);
      await holder.perform({ kind: 'create', directory, perDirectory, from: made, to: last });
      const all = { directory, perDirectory, to: at };
      const spread = { kind: 'stat', ...all, from: 0, step: Math.ceil(at / calls) } as const;
      for (const [curve, task] of [
        ['names-create', { kind: 'create', ...all, from: last }],
        ['names-stat', spread],
        ['names-stat-again', spread],
      ] as const) {
        const before = mgr.cpuMs;
        const outcome = await holder.perform(task);
        const mgrUs = ((mgr.cpuMs - before) * 1000) / outcome.done;
        points.push(
          { curve, at, value: perSecond(outcome) },
          { curve: `${curve}-cpu`, at, value: mgrUs },
        );
      }
      points.push({ curve: 'names-memory', at, value: mgr.residentMebibytes() });
      await mgr.end('SIGTERM');
      const bytes = bytesBelow(store) - empty;
      const { ms } = await mgr.start();
      points.push(
        { curve: 'names-disk', at, value: bytes / at },
        { curve: 'names-start', at, value: ms },
      );
      made = at;
    }
    return points;
  });
}

async function makeDirectories(
  holder: Worker<ScalingTask>,
  made: number,
  at: number,
): Promise<void> {
  const first = Math.ceil(made / perDirectory);
  for (let number = first; number < at / perDirectory; number++) {
    await holder.perform({ kind: 'directory', directory: `${directory}/${number}` });
  }
}

function bytesBelow(path: string): number {
  let bytes = 0;
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
