/** A cluster and its client, all of which can be sampled at once. */
import type { BenchCluster } from '../cluster.ts';
import { cpuUsOf, perSecond, sum, type Worker } from '../processes.ts';
import type { Outcome } from '../tasks.ts';
import type { Headline } from './headlines.ts';
import { InspectedProcess } from './inspected.ts';
import { type Profiled, type ProfiledProcess, type ProfiledRole, roles } from './report.ts';
import { type Kind, summarise } from './summary.ts';

interface Sampled {
  readonly role: ProfiledRole;
  readonly pid: number;
  readonly inspected: InspectedProcess;
}

const longestMax = 8;
const GiB = 1024 ** 3;

export class ProfiledCluster {
  readonly #worker: Worker;
  readonly #processes: readonly Sampled[];

  private constructor(worker: Worker, processes: readonly Sampled[]) {
    this.#worker = worker;
    this.#processes = processes;
  }

  /** @param log standard error of the worker; all must have been started to be inspected */
  static async of(cluster: BenchCluster, worker: Worker, log: string): Promise<ProfiledCluster> {
    const daemons = cluster.daemons.map(({ role, pid, log }) => {
      return { role: role === 'iod' ? ('iods' as const) : role, pid, log };
    });
    const processes = [{ role: 'client' as const, pid: worker.pid, log }, ...daemons].map(
      async ({ role, pid, log }) => ({ role, pid, inspected: await InspectedProcess.of(log) }),
    );
    return new ProfiledCluster(worker, await Promise.all(processes));
  }

  /**
   * @param measured for the figures
   * @param sampled the same, for the parts: samples cost the processes time of their own
   */
  async profile(measured: Headline, sampled: Headline): Promise<Profiled> {
    const { name, per, times } = measured;
    await this.#prepare(measured);
    const { outcomes, cpuUs } = await this.#perform(measured);
    await this.#prepare(sampled);
    await Promise.all(this.#processes.map(({ inspected }) => inspected.start()));
    await this.#perform(sampled);
    const profiles = await Promise.all(this.#processes.map(({ inspected }) => inspected.stop()));
    const done = sum(outcomes.map((outcome) => outcome.done));
    const rate = sum(outcomes.map(perSecond)) / times;
    const unit = per === 'GiB' ? GiB / 1000 : 1;
    const processOf = (role: ProfiledRole): ProfiledProcess => {
      const ofRole = <T>(all: readonly T[]): T[] =>
        all.filter((_, i) => this.#processes[i]?.role === role);
      const { busyUs, byKind, byFunction } = summarise(ofRole(profiles));
      const parts = Object.entries(byKind).map(([kind, us]) => [kind, rounded(us / busyUs)]);
      return {
        role,
        cpu: rounded((sum(ofRole(cpuUs)) * unit) / done),
        byKind: Object.fromEntries(parts) as Record<Kind, number>,
        longest: byFunction
          .slice(0, longestMax)
          .map(([where, us]) => [where, rounded(us / busyUs)] as const),
      };
    };
    const processes = roles.map(processOf);
    return { headline: name, per, perSecond: rounded(rate), processes };
  }

  async #prepare({ before }: Headline): Promise<void> {
    for (const one of before) await this.#worker.perform(one);
  }

  async #perform({ task, times }: Headline) {
    const cpuBefore = this.#processes.map(({ pid }) => cpuUsOf(pid));
    const outcomes: Outcome[] = [];
    for (let time = 0; time < times; time++) outcomes.push(await this.#worker.perform(task));
    const cpuUs = this.#processes.map(({ pid }, i) => cpuUsOf(pid) - (cpuBefore[i] ?? NaN));
    return { outcomes, cpuUs };
  }

  close(): void {
    for (const { inspected } of this.#processes) inspected.close();
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
