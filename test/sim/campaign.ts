/** Thousands of seeds, in batches, on several cores; those that fail are kept for every day. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { keepFailedSeeds, smallFileBytesOf } from './failed-seeds.ts';
import type { SeedRun } from './failed-seeds.ts';
import type { SeedRange } from './seed-range.ts';
import { programWords } from '../../scripts/project.ts';

export interface CampaignOptions extends Omit<SeedRun, 'seed'> {
  readonly seeds: SeedRange;
  /** Processes at a time. */
  readonly jobs: number;
}

/** Of seeds at the most: a process that begins takes as long as some of them. */
const batchMax = 200;
const program = programWords('test/sim/main.ts');

/** Prints what fails, and how far it is. @returns how many failed */
export async function runCampaign({ seeds, jobs, ...run }: CampaignOptions): Promise<number> {
  const [first, last] = seeds;
  const batch = Math.min(batchMax, Math.ceil((last - first + 1) / jobs));
  const failed: number[] = [];
  let next = first;
  const work = async (): Promise<void> => {
    while (next <= last) {
      const from = next;
      next += batch;
      const to = Math.min(from + batch - 1, last);
      failed.push(...(await runBatch(from, to, run)));
      console.log(`seeds ${from} to ${to}: done, ${failed.length} failed so far`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  keepFailedSeeds(failed.map((seed) => ({ seed, ...run, smallFileBytes: smallFileBytesOf(seed) })));
  return failed.length;
}

async function runBatch(
  from: number,
  to: number,
  { steps, iods, clients, faults }: Omit<SeedRun, 'seed'>,
): Promise<number[]> {
  const options = {
    seeds: `${from}..${to}`,
    steps: String(steps),
    iods: String(iods),
    clients: String(clients),
    faults: faults.join(',') || 'none',
  };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [...program, '--keep-going', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed: number[] = [];
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, seed, verdict] = /^seed (\d+): (passed|FAILED)/u.exec(line) ?? [];
    if (verdict !== undefined) seen++;
    if (verdict === 'FAILED') failed.push(Number(seed));
    if (verdict !== 'passed') console.log(line);
  }
  if (child.exitCode === null) await once(child, 'exit');
  if (seen !== to - from + 1) throw new Error(`seeds ${from} to ${to} ended after ${seen}`);
  return failed;
}
