/** What the parts of a benchmark work with, and how much of everything they do. */
import { setTimeout } from 'node:timers/promises';
import type { BenchCluster } from './cluster.ts';
import type { Loopback } from './machine.ts';
import { performAll, type Worker } from './processes.ts';
import type { Outcome, Task } from './tasks.ts';

export interface Sizes {
  /** Of the file that is streamed. */
  readonly streamBytes: number;
  readonly callBytes: readonly number[];
  /** For which all ways of streaming are measured. */
  readonly callBytesUsual: number;
  readonly randomFileBytes: number;
  readonly randomMs: number;
  /** Names for each client. */
  readonly names: number;
  /** With none, memory is measured only under load. */
  readonly treeFiles: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const full: Sizes = {
  streamBytes: 1024 * MiB,
  callBytes: [64 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB],
  callBytesUsual: MiB,
  randomFileBytes: 256 * MiB,
  randomMs: 3000,
  names: 20_000,
  treeFiles: 1_000_000,
};

export const quick: Sizes = {
  streamBytes: 128 * MiB,
  callBytes: [64 * KiB, MiB, 16 * MiB],
  callBytesUsual: MiB,
  randomFileBytes: 64 * MiB,
  randomMs: 500,
  names: 2000,
  treeFiles: 0,
};

export interface Bench {
  readonly cluster: BenchCluster;
  readonly workers: readonly Worker[];
  readonly loopback: Loopback;
  /** A directory of the local file system, on the disk of the iods. */
  readonly scratch: string;
  readonly sizes: Sizes;
  readonly bare: { readonly ms: number; readonly residentMebibytes: number };
}

/** What is measured waits until the daemons have done what they do behind earlier answers. */
const restMs = 100;
const restCpuUs = 20_000;
const restsMax = 300;

/** @returns with the processor time of the daemons on top of that of the clients */
export async function measured(
  { cluster, workers }: Bench,
  clients: number,
  taskOf: (client: number) => Task,
): Promise<Outcome> {
  let daemonsBefore = cluster.cpuUs();
  for (let rests = 0; rests < restsMax; rests++) {
    await setTimeout(restMs);
    const busyUs = cluster.cpuUs() - daemonsBefore;
    daemonsBefore += busyUs;
    if (!(busyUs > restCpuUs)) break;
  }
  const outcome = await performAll(workers.slice(0, clients), taskOf);
  return { ...outcome, cpuUs: outcome.cpuUs + cluster.cpuUs() - daemonsBefore };
}
