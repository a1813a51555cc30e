/** Somebody who evicts iods and admits them again, whatever goes wrong meanwhile (SCENARIOS 18). */
import { connect } from '../../client/connect.ts';
import { isFsError } from '../../shared/errno.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { IodIndex } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { type Cluster, clusterUrl, secret } from './cluster.ts';
import { ProcessEnded } from './runtime/failure.ts';
import type { SimProcess } from './runtime/process.ts';

export interface OperatorOptions {
  readonly cluster: Cluster;
  /** Runs something after a while, unless the faults are over by then. */
  readonly later: (run: () => void) => void;
}

export class Operator {
  readonly #options: OperatorOptions;
  #process: SimProcess | undefined;
  readonly #evicted = new Set<number>();
  #orders: Promise<void> = Promise.resolve();
  #left = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** Every order has been carried out. */
  get isIdle(): boolean {
    return this.#left === 0;
  }

  /** It is evicted, or will be by an order that has not been carried out yet. */
  concerns(index: number): boolean {
    return this.#evicted.has(index) || !this.isIdle;
  }

  evict(index: number): void {
    if (this.#evicted.has(index)) return;
    this.#evicted.add(index);
    this.#order(index, false);
    this.#options.later(() => {
      this.#admit(index);
    });
  }

  /** Everybody is a member again. */
  end(): void {
    for (const index of this.#evicted) this.#admit(index);
  }

  #admit(index: number): void {
    if (this.#evicted.delete(index)) this.#order(index, true);
  }

  #order(index: number, admit: boolean): void {
    this.#left++;
    this.#process ??= this.#options.cluster.client('operator', () => undefined);
    const process = this.#process;
    this.#orders = this.#orders.then(() => insist(process, index, admit));
    this.#orders = this.#orders.finally(() => {
      this.#left--;
    });
  }
}

/** Whoever comes to a kill point may die there, and begins anew. */
async function insist(process: SimProcess, index: number, admit: boolean): Promise<void> {
  for (;;) {
    if (!process.alive) process.start();
    try {
      await process.call((runtime) => carryOut(runtime, index, admit));
      return;
    } catch (error) {
      if (!(error instanceof ProcessEnded)) throw error;
    }
  }
}

/** Until it has been carried out: an operator does not give up. */
async function carryOut(runtime: Runtime, index: number, admit: boolean): Promise<void> {
  for (;;) {
    try {
      const options = { runtime, key: secret, name: 'operator', uid: 0, gid: 0 };
      const fs = await connect(clusterUrl, options);
      try {
        const deadline = runtime.clock.now() + 60_000;
        await fs.session.call(
          clusterOps.evictIod,
          { index: index as IodIndex, admit },
          { deadline },
        );
        return;
      } finally {
        await fs.close();
      }
    } catch (error) {
      if (!isFsError(error)) throw error;
    }
  }
}
