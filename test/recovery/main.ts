/**
 * Real processes under random faults for as long as it is told to, in rounds: writers work while
 * daemons, clients and connections fail; then all is put right, and judged by the ledger. Started
 * by `npm run soak -- --minutes M [--seed N]`.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { alignRows } from '../../client/cli/columns.ts';
import { SimRandom } from '../sim/runtime/random.ts';
import { type Owner, TestCluster } from '../system/cluster-fixture.ts';
import type { Daemon } from '../system/daemon.ts';
import { shortLimits } from './short-limits.ts';
import { Strikes } from './strikes.ts';
import { judge } from './verdict.ts';
import { Writers } from './writers.ts';

const roundMs = 30_000;
const writersAtOnce = 3;
/** Longer than any fault that a client must outlive. */
const sessionLeaseMs = 10_000;
/** Nobody may be without progress for so long once all is right again. */
const stuckMs = 120_000;
const limits = { ...shortLimits, sessionLeaseMs, reclaimWindowMs: 1.5 * sessionLeaseMs };

const options = new Command('recovery')
  .description('Real processes under random faults, and a ledger of what was acknowledged.')
  .option('--minutes <m>', 'for how long', positive, 10)
  .option('--seed <n>', 'of the choice of faults', positive, Math.ceil(performance.timeOrigin))
  .parse()
  .opts<{ readonly minutes: number; readonly seed: number }>();

interface Usage {
  readonly name: string;
  readonly residentMiB: number;
  readonly descriptors: number;
}

class Soak {
  readonly #random = new SimRandom(String(options.seed));
  readonly #strikes = new Map<string, Map<string, number>>();
  readonly #cluster: TestCluster;
  readonly #owner: Owner;
  #steps = 0;
  #longestPauseMs = 0;
  #lost = 0;
  #leaked = 0;
  #first: readonly Usage[] = [];
  #last: readonly Usage[] = [];

  constructor(cluster: TestCluster, owner: Owner) {
    this.#cluster = cluster;
    this.#owner = owner;
  }

  /** @returns whether nothing was lost or leaked @throws Error when somebody failed or is stuck */
  async run(): Promise<boolean> {
    const end = performance.now() + options.minutes * 60_000;
    while (performance.now() < end && this.#lost + this.#leaked === 0) {
      await this.#round(Math.min(end, performance.now() + roundMs));
      this.#last = await Promise.all(this.#cluster.daemons.map(usageOf));
      if (this.#first.length === 0) this.#first = this.#last;
    }
    return this.#lost + this.#leaked === 0;
  }

  print(): void {
    const strikes = byName(this.#strikes).flatMap(([whom, phases]) => [
      [whom, String(sum(phases)), ''],
      ...byName(phases).map(([phase, times]) => ['', String(times), phase]),
    ]);
    console.log(alignRows([['what', 'times', 'phase'], ...strikes], ['left', 'right']).join('\n'));
    const memory = this.#last.map(({ name, residentMiB, descriptors }, i) => [
      name,
      `resident ${this.#first[i]?.residentMiB} -> ${residentMiB} MiB`,
      `descriptors ${this.#first[i]?.descriptors} -> ${descriptors}`,
    ]);
    console.log(`\n${alignRows(memory).join('\n')}`);
    console.log(
      `\nseed ${options.seed}: ${this.#steps} steps acknowledged, longest pause ` +
        `${(this.#longestPauseMs / 1000).toFixed(1)} s, lost ${this.#lost}, leaked ${this.#leaked}`,
    );
  }

  async #round(end: number): Promise<void> {
    const cluster = this.#cluster;
    const writers = new Writers(this.#owner);
    const addWriter = (killPoint?: string) => writers.add({ url: cluster.url, limits, killPoint });
    const strikes = new Strikes({
      cluster,
      writers,
      random: this.#random,
      sessionLeaseMs,
      addWriter,
      tell: (whom, what) => this.#count(whom, what),
    });
    await Promise.all(Array.from({ length: writersAtOnce }, () => addWriter()));
    await notStuck(writers.progress(1));
    while (performance.now() < end) {
      await Promise.race([strikes.next(), writers.failed()]);
      await pause(this.#random.within([0, 1500]));
    }
    await notStuck(Promise.race([strikes.end(), writers.failed()]));
    await notStuck(writers.progress(3));
    await notStuck(writers.stop());
    this.#steps += writers.ledger.acknowledgements;
    this.#longestPauseMs = Math.max(this.#longestPauseMs, writers.longestPauseMs);
    const { lost, leaked } = await judge(cluster, writers.ledger);
    this.#lost += lost.length;
    this.#leaked += leaked.length;
    for (const text of [...lost, ...leaked]) console.log(text);
    if (lost.length + leaked.length === 0) await removeAll(cluster);
  }

  #count(whom: string, what: string): void {
    const phases = this.#strikes.get(whom) ?? new Map<string, number>();
    this.#strikes.set(whom, phases.set(what, (phases.get(what) ?? 0) + 1));
  }
}

function byName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => a.localeCompare(b));
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}

async function notStuck(work: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const late = pause(stuckMs, undefined, { signal }).then(() => {
    throw new Error(`no progress for ${stuckMs / 1000} s`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    late.catch(() => undefined);
    stop.abort();
  }
}

async function removeAll(cluster: TestCluster): Promise<void> {
  const fs = await cluster.connect();
  for (const { name } of await fs.readdir('/')) await fs.rm(`/${name}`, { recursive: true });
  await fs.close();
}

async function usageOf({ name, pid }: Daemon): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN);
  const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
  return { name, residentMiB: Math.round(residentKiB / 1024), descriptors };
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('it is no number above 0.');
}

const undo: (() => unknown)[] = [];
const owner = {
  passed: false,
  teardown: (work: () => unknown) => void undo.push(work),
  log: (...values: unknown[]) => console.log(...values),
} as Pick<Owner, 'teardown' | 'log'> & { passed: boolean };
try {
  const wish = { iods: 3, proxied: true, limits, sessionLeaseMs };
  const soak = new Soak(await TestCluster.start(owner, wish), owner);
  try {
    owner.passed = await soak.run();
  } finally {
    soak.print();
  }
} catch (error: unknown) {
  console.log(error);
} finally {
  for (const work of undo.toReversed()) await work();
}
process.exit(owner.passed ? 0 : 1);
