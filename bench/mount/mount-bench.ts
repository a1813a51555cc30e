/** What the parts of the mount's benchmark work with: the same done through it and beside it. */
import { setTimeout } from 'node:timers/promises';
import type { BenchCluster } from '../cluster.ts';
import { cpuUsOf, performAll, perSecond, type Worker } from '../processes.ts';
import type { Limit } from '../rows.ts';
import type { Outcome } from '../tasks.ts';
import type { Reference } from './references.ts';
import type { UserTask } from './user-tasks.ts';

export interface MountSizes {
  /** Of the file that is streamed. */
  readonly streamBytes: number;
  /** Calls of each user on names. */
  readonly calls: number;
  /** Of the tree that is unpacked and cloned. */
  readonly treeFiles: number;
}

const MiB = 1024 * 1024;

export const fullSizes: MountSizes = { streamBytes: 256 * MiB, calls: 2000, treeFiles: 10_000 };
export const quickSizes: MountSizes = { streamBytes: 64 * MiB, calls: 300, treeFiles: 500 };

export interface MountBench {
  readonly cluster: BenchCluster;
  /** Of the process that serves the mount. */
  readonly mountPid: number;
  readonly users: readonly Worker<UserTask>[];
  /** A client of the library. */
  readonly client: Worker;
  readonly mounted: string;
  readonly local: Reference;
  /** Beside the local disk. */
  readonly others: readonly Reference[];
  readonly sizes: MountSizes;
}

export interface Measured {
  /** Calls or bytes a second through the mount. */
  readonly here: number;
  /** The same on the local disk, and on the others. */
  readonly there: readonly Limit[];
  /** Processor time of all processes for a call or byte through the mount, microseconds. */
  readonly cpuUs: number;
}

const restMs = 200;

/** The references first, then the mount. */
export async function measureAll(
  bench: MountBench,
  users: number,
  taskIn: (directory: string, user: number) => UserTask,
  prepare: (directory: string) => void = () => undefined,
): Promise<Measured> {
  const crew = bench.users.slice(0, users);
  const there: Limit[] = [];
  for (const { name, directory } of [bench.local, ...bench.others]) {
    prepare(directory);
    const outcome = await performAll(crew, (user) => taskIn(directory, user));
    there.push({ name, value: perSecond(outcome) });
    await setTimeout(restMs);
  }
  prepare(bench.mounted);
  const { outcome, cpuUs } = await withCpu(bench, () =>
    performAll(crew, (user) => taskIn(bench.mounted, user)),
  );
  return { here: perSecond(outcome), there, cpuUs: cpuUs / outcome.done };
}

/** @returns with the time of the mount and of the daemons on top of that of the users */
export async function withCpu(
  { cluster, mountPid }: MountBench,
  perform: () => Promise<Outcome>,
): Promise<{ readonly outcome: Outcome; readonly cpuUs: number }> {
  const before = cluster.cpuUs() + cpuUsOf(mountPid);
  const outcome = await perform();
  const servers = cluster.cpuUs() + cpuUsOf(mountPid) - before;
  return { outcome, cpuUs: outcome.cpuUs + servers };
}
