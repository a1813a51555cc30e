/** How every test of recovery begins and ends: a cluster, writers at work, and the verdict. */
import type { ExecutionContext } from 'ava';
import { type ClusterWish, TestCluster } from '../system/cluster-fixture.ts';
import type { Daemon, Limits } from '../system/daemon.ts';
import { judge } from './verdict.ts';
import { type Writer, Writers } from './writers.ts';

/** What a test must see done before it goes on: so many steps of each lane of each writer. */
const stepsAtLeast = 6;

export class Scene {
  readonly cluster: TestCluster;
  readonly writers: Writers;
  readonly #t: ExecutionContext;
  readonly #limits: Limits | undefined;

  /** The writers are at work when it returns. */
  static async begin(t: ExecutionContext, wish: ClusterWish = {}, writers = 2): Promise<Scene> {
    const scene = new Scene(t, await TestCluster.start(t, wish), wish.limits);
    await Promise.all(Array.from({ length: writers }, () => scene.addWriter()));
    await scene.goesOn();
    return scene;
  }

  private constructor(t: ExecutionContext, cluster: TestCluster, limits: Limits | undefined) {
    this.#t = t;
    this.#limits = limits;
    this.cluster = cluster;
    this.writers = new Writers(t);
  }

  addWriter(killPoint?: string): Promise<Writer> {
    return this.writers.add({ url: this.cluster.url, limits: this.#limits, killPoint });
  }

  /** All writers make progress in all that they do. @throws Error when one has failed */
  goesOn(): Promise<void> {
    return this.writers.progress(stepsAtLeast);
  }

  /** Waits for what a writer that failed would let us wait for in vain. */
  orFailure<T>(what: Promise<T>): Promise<T> {
    return Promise.race([what, this.writers.failed()]);
  }

  async restart(daemon: Daemon, killPoint?: string): Promise<void> {
    await daemon.kill();
    await this.orFailure(daemon.start({ killPoint }));
  }

  async end(): Promise<void> {
    const { cluster, writers } = this;
    await this.goesOn();
    await writers.stop();
    this.#t.deepEqual(await judge(cluster, writers.ledger), { lost: [], leaked: [] });
    const pause = writers.longestPauseMs.toFixed();
    this.#t.log(`${writers.ledger.acknowledgements} steps, longest pause ${pause} ms`);
  }
}
