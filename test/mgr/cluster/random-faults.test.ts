import test from 'ava';
import type { Handle, SessionId } from '../../../shared/units.ts';
import { localLength } from '../../../shared/stripe.ts';
import { SimRandom } from '../../sim/runtime/random.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

const seeds = Array.from({ length: 12 }, (_, at) => at + 1);
const handles = Array.from({ length: 20 }, (_, at) => at + 10);

/** Opens, closes, truncates and every kind of loss, at random; then all come back. */
class Turmoil {
  readonly cluster: ClusterWorld;
  /** The size to which each file was cut last. */
  readonly sizes = new Map<number, number>();
  readonly #random: SimRandom;

  constructor(seed: number) {
    this.cluster = new ClusterWorld({ iods: 3, seed });
    this.#random = new SimRandom(`turmoil ${seed}`);
  }

  async run(steps: number): Promise<void> {
    await this.cluster.serving();
    for (let step = 0; step < steps; step++) {
      await this.#step();
      await this.cluster.pass(this.#random.within([0, 30]));
    }
  }

  /** Everything runs again, and has time. */
  async settle(): Promise<void> {
    const { mgr, iods } = this.cluster;
    if (!mgr.alive) mgr.start();
    for (const { process } of iods) if (!process.alive) process.start();
    await this.cluster.pass(5000);
    await this.cluster.serving();
    const pending = (): number => iods.flatMap((_, at) => this.cluster.pending(at)).length;
    await this.cluster.until(() => pending() === 0);
    await this.cluster.pass(1000);
  }

  fileOf(handle: number) {
    return fileOn(handle, { base: handle % 3, pcount: 1 + (handle % 3), total: 3 });
  }

  async #step(): Promise<void> {
    const { mgr, iods, world } = this.cluster;
    const iod = iods[this.#below(iods.length)];
    if (!iod) throw new Error('there is an iod');
    switch (this.#below(12)) {
      case 0:
        if (iod.process.alive) iod.process.kill();
        break;
      case 1:
      case 2:
        if (!iod.process.alive) iod.process.start();
        break;
      case 3:
        world.network.cut('m', iod.process.host.name);
        break;
      case 4:
        if (mgr.alive && this.#below(3) === 0) mgr.kill();
        break;
      default:
        if (!mgr.alive) mgr.start();
        else await this.#change();
    }
  }

  async #change(): Promise<void> {
    await this.cluster.until(() => this.cluster.isUp);
    const handle = handles[this.#below(handles.length)] ?? 10;
    const session = 1 + this.#below(3);
    const file = this.fileOf(handle);
    if (this.#below(4) === 0) {
      const size = this.#below(100_000);
      this.sizes.set(handle, size);
      await this.cluster.putTruncate(file, size);
      this.cluster.begin(({ cluster }) => cluster.truncate(file, Infinity));
      return;
    }
    await this.cluster.commit(({ view, openTable }) => {
      view.putInode(file);
      const row = openTable.find(handle as Handle, session as SessionId);
      if (row === undefined || this.#below(2) === 0) {
        openTable.open(file, session as SessionId, 1 + this.#below(3), 7);
      } else {
        openTable.drop(handle as Handle, session as SessionId);
      }
    });
  }

  #below(count: number): number {
    return Math.floor(this.#random.fraction() * count);
  }
}

for (const seed of seeds) {
  test(`after any turmoil iods and mgr agree, and all that was pending is done (seed ${seed})`, async (t) => {
    const turmoil = new Turmoil(seed);
    const { cluster } = turmoil;
    await turmoil.run(150);
    await turmoil.settle();
    for (const [at, iod] of cluster.iods.entries()) {
      t.deepEqual(iod.opens(), cluster.opensOf(at), `opens at iod ${at}`);
    }
    for (const [handle, size] of turmoil.sizes) {
      const { layout } = turmoil.fileOf(handle);
      if (layout === undefined) continue;
      for (let column = 0; column < layout.pcount; column++) {
        const iod = cluster.iod((layout.base + column) % 3);
        t.is(iod.lengths.get(handle), localLength(layout, column, size), `${iod.name} ${handle}`);
      }
    }
  });
}
