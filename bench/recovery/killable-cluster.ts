/** A cluster whose daemons are killed and started again, and who looks whether all is well. */
import { setTimeout } from 'node:timers/promises';
import type { ConnectedFileSystem } from '../../client/index.ts';
import { builtClient } from '../built.ts';
import { BenchCluster } from '../cluster.ts';
import { RestartableDaemon, type Start } from './daemon.ts';
import { Holder } from './holder.ts';

const rounds = 3;

export class KillableCluster {
  readonly #cluster: BenchCluster;
  readonly #operator: ConnectedFileSystem;
  readonly #daemons: readonly RestartableDaemon[];
  readonly #holders: Holder[] = [];

  private constructor(cluster: BenchCluster, operator: ConnectedFileSystem) {
    this.#cluster = cluster;
    this.#operator = operator;
    this.#daemons = cluster.daemons.map((daemon) => new RestartableDaemon(daemon));
  }

  static async start(iods: number): Promise<KillableCluster> {
    const cluster = await BenchCluster.start(iods);
    try {
      const { connect } = await builtClient();
      return new KillableCluster(cluster, await connect(cluster.url));
    } catch (error: unknown) {
      await cluster.stop();
      throw error;
    }
  }

  get url(): string {
    return this.#cluster.url;
  }

  daemon(name: string): RestartableDaemon {
    const found = this.#daemons.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the cluster has no ${name}`);
    return found;
  }

  /** A process of clients; it ends with the cluster. */
  holder(): Holder {
    const holder = new Holder();
    this.#holders.push(holder);
    return holder;
  }

  weft(...words: readonly string[]): Promise<string> {
    return this.#cluster.weft(...words);
  }

  /** @returns the median of some restarts */
  async restarts(target: RestartableDaemon, how: 'SIGKILL' | 'SIGTERM'): Promise<Start> {
    const starts: Start[] = [];
    for (let round = 0; round < rounds; round++) {
      await target.end(how);
      starts.push(await target.start());
      await this.untilActive();
    }
    const [median] = starts.toSorted((a, b) => a.ms - b.ms).slice(rounds >> 1);
    if (median === undefined) throw new Error('no rounds');
    return median;
  }

  /** @returns when all iods served and all sessions were back, milliseconds of the epoch */
  async untilActive(): Promise<number> {
    for (;;) {
      const { state, members } = await this.#operator.status();
      const all = members.every((member) => member.state === 'serving');
      if (state === 'ACTIVE' && all) return performance.timeOrigin + performance.now();
      await setTimeout(5);
    }
  }

  /** Kills and starts the mgr. @returns from its port to the last session, and its processor time */
  async backAfter(
    mgr: RestartableDaemon,
  ): Promise<{ readonly ms: number; readonly cpuMs: number }> {
    await mgr.end('SIGKILL');
    const { readyAt, cpuMs } = await mgr.start();
    return { ms: (await this.untilActive()) - readyAt, cpuMs: mgr.cpuMs - cpuMs };
  }

  async stop(): Promise<void> {
    await Promise.allSettled([
      this.#operator.close(),
      ...this.#holders.map((holder) => holder.end()),
    ]);
    await this.#cluster.stop();
  }
}
