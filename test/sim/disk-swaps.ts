/**
 * Disks that are taken out of an iod: it comes back with an empty one, or with an old copy of its
 * own, and must not be let in (SCENARIOS 26, 27); then its own disk is put back.
 */
import type { Cluster, IodNode } from './cluster.ts';
import type { DiskImage } from './runtime/host-disk.ts';
import type { SimRandom } from './runtime/random.ts';

interface Copy {
  readonly image: DiskImage;
  /** The last start of the iod that it knows of. */
  readonly incarnation: number;
}

export interface DiskSwapsOptions {
  readonly cluster: Cluster;
  readonly random: SimRandom;
  /** Runs something after a while, unless the faults are over by then. */
  readonly later: (run: () => void) => void;
}

export class DiskSwaps {
  readonly #options: DiskSwapsOptions;
  readonly #copies = new Map<IodNode, Copy>();
  /** Their own disks, of the iods that have another one now. */
  readonly #away = new Map<IodNode, DiskImage>();

  constructor(options: DiskSwapsOptions) {
    this.#options = options;
  }

  strike(node: IodNode): void {
    const { random, later, cluster } = this.#options;
    const { host } = node;
    if (!host.isUp || this.isAway(node.index) || this.#known(node) === 0) return;
    cluster.cutPower(host);
    const own = host.disk.image();
    this.#away.set(node, own);
    const copy = this.#copies.get(node);
    this.#copies.set(node, { image: own, incarnation: incarnationOn(node) });
    host.disk.restore(copy && random.chance(0.5) ? this.#oldCopy(node, copy) : undefined);
    later(() => {
      turnOn(node);
    });
    later(() => {
      this.#putBack(node);
    });
  }

  /** All disks are where they belong. */
  end(): void {
    for (const node of this.#away.keys()) this.#putBack(node);
  }

  isAway(index: number): boolean {
    return [...this.#away.keys()].some((node) => node.index === index);
  }

  /** A copy of the last life that the mgr let in is taken for the disk itself. */
  #oldCopy(node: IodNode, { image, incarnation }: Copy): DiskImage | undefined {
    return incarnation < this.#known(node) ? image : undefined;
  }

  /** The last start that the mgr knows of; 0: it would let any disk in. */
  #known({ index }: IodNode): number {
    return this.#options.cluster.store?.members()[index]?.incarnation ?? 0;
  }

  #putBack(node: IodNode): void {
    const own = this.#away.get(node);
    if (own === undefined) return;
    this.#away.delete(node);
    const { host } = node;
    if (host.isUp) host.powerLoss();
    host.disk.restore(own);
    turnOn(node);
  }
}

function turnOn({ host }: IodNode): void {
  if (!host.isUp) host.powerOn();
  for (const one of host.processes) if (!one.alive) one.start();
}

function incarnationOn({ host }: IodNode): number {
  const text = host.disk.content('/data/weft.json')?.toString() ?? '{}';
  return (JSON.parse(text) as { incarnation?: number }).incarnation ?? Infinity;
}
