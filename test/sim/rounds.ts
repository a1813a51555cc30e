/**
 * Every daemon and every client comes to an end in turn, by SIGTERM or SIGKILL, and starts again,
 * so that every step of every protocol is passed again and again. No chance is involved. The
 * rounds get longer: what takes long, such as the end of a lease, has its time too.
 */
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './runtime/process.ts';

const firstMs = 150;
const growth = 1.15;
const longestMs = 60_000;
const restartMs = 60;

export class Rounds {
  readonly #cluster: Cluster;
  readonly #turns: readonly (() => void)[];
  #next = 0;
  #betweenMs = firstMs;
  #isOver = false;

  constructor(cluster: Cluster, clients: readonly SimProcess[]) {
    this.#cluster = cluster;
    const kill = (process: SimProcess) => (): void => {
      if (process.alive) process.kill();
      this.#restart(process);
    };
    const terminate = (process: SimProcess) => (): void => {
      cluster.terminate(process);
      this.#restart(process);
    };
    const iods = cluster.iods.map(({ process }) => process);
    this.#turns = [
      ...iods.map(terminate),
      terminate(cluster.mgr),
      ...clients.map(kill),
      ...iods.map(kill),
      kill(cluster.mgr),
    ];
    this.#later(firstMs, this.#turn);
  }

  end(): void {
    this.#isOver = true;
  }

  readonly #turn = (): void => {
    this.#turns[this.#next++ % this.#turns.length]?.();
    this.#betweenMs = Math.min(this.#betweenMs * growth, longestMs);
    this.#later(this.#betweenMs, this.#turn);
  };

  /** Starts it when it has ended. */
  #restart(process: SimProcess): void {
    this.#later(restartMs, () => {
      if (process.alive) this.#restart(process);
      else if (process.host.isUp) process.start();
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#cluster.world.after(delayMs, () => {
      if (!this.#isOver) run();
    });
  }
}
