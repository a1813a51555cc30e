/** What goes wrong in a run, and when: all from the seed. Everything is put right at the end. */
import { killPoints } from '../../shared/runtime/kill-points.ts';
import type { Host } from './runtime/host.ts';
import type { Deadlines } from './checkers.ts';
import type { Cluster, IodNode } from './cluster.ts';
import type { ReferenceModel } from './reference-model.ts';
import { DiskSwaps } from './disk-swaps.ts';
import { Operator } from './operator.ts';
import { defaultConditions, type PathConditions } from './runtime/pipe.ts';
import type { SimProcess } from './runtime/process.ts';
import type { Range, SimRandom } from './runtime/random.ts';

export const faultKinds = [
  'iod',
  'mgr',
  'client',
  'net',
  'disk',
  'power',
  'clock',
  'swap',
  'evict',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions {
  readonly cluster: Cluster;
  readonly clients: readonly SimProcess[];
  readonly model: ReferenceModel;
  readonly deadlines: Deadlines;
  readonly random: SimRandom;
  readonly kinds: ReadonlySet<FaultKind>;
}

/** Some runs have little trouble, some have much. */
const betweenMaxMs: Range = [20, 1000];
const downMs: Range = [5, 5000];
const pauseMs: Range = [10, 12_000];
const partitionMs: Range = [10, 15_000];
const delayMs: Range = [0.1, 200];
/** Ten years. */
const wallJumpMs = 315_360_000_000;
/** Leases have room for more. */
const clockRate: Range = [0.98, 1.02];

export class Faults {
  readonly #options: FaultOptions;
  /** The network at its best in this run. */
  readonly #weather: PathConditions = defaultConditions;
  readonly #betweenMs: Range;
  readonly #swaps: DiskSwaps;
  readonly #operator: Operator;
  #isOver = false;
  /** All that was taken away is back: nothing of the faults is left to do. */
  get isPutRight(): boolean {
    return this.#operator.isIdle;
  }

  /** How many have struck. */
  count = 0;

  constructor(options: FaultOptions) {
    this.#options = options;
    const { cluster, random } = options;
    const later = (run: () => void): void => {
      this.#later(downMs, run);
    };
    this.#swaps = new DiskSwaps({ cluster, random, later });
    this.#operator = new Operator({ cluster, later });
    this.#betweenMs = [10, options.random.within(betweenMaxMs)];
    if (options.kinds.size === 0) return;
    this.#weather = weatherOf(options);
    options.cluster.world.network.set(this.#weather);
    this.#planKills();
    this.#next();
  }

  /** No fault from now on, and everything runs again. */
  end(): void {
    const { cluster } = this.#options;
    const { world } = cluster;
    this.#isOver = true;
    world.kills.disarm();
    world.network.heal();
    world.network.set(defaultConditions);
    this.#swaps.end();
    this.#operator.end();
    for (const { host } of cluster.iods) host.disk.mend();
    for (const { host } of [...cluster.daemons, ...this.#options.clients]) {
      if (!host.isUp) host.powerOn();
    }
    for (const process of this.#processes) {
      this.#options.deadlines.resumed(process);
      process.resume();
      if (!process.alive) process.start();
    }
  }

  get #processes(): readonly SimProcess[] {
    return [...this.#options.cluster.daemons, ...this.#options.clients];
  }

  /** A few of the kills strike at named steps, one after another or on their own. */
  #planKills(): void {
    const { cluster, random, kinds } = this.#options;
    const roles = [...kinds].filter(
      (kind) => kind === 'iod' || kind === 'mgr' || kind === 'client',
    );
    const points = killPoints.filter((point) => roles.some((role) => point.startsWith(role)));
    if (points.length === 0) return;
    for (let i = random.below(4); i > 0; i--) {
      const series = Array.from({ length: 1 + random.below(2) }, () => ({
        point: random.pick(points),
        passing: 1 + random.below(12),
        restartAfterMs: random.within(downMs),
      }));
      cluster.world.killAt(...series);
    }
  }

  #next(): void {
    const { cluster, random } = this.#options;
    cluster.world.after(random.within(this.#betweenMs), () => {
      if (this.#isOver) return;
      this.#strike();
      if (random.chance(0.2)) this.#strike();
      this.#next();
    });
  }

  #strike(): void {
    const { random, kinds, cluster } = this.#options;
    const kind = random.pick([...kinds]);
    this.count++;
    switch (kind) {
      case 'iod':
        this.#disturb(random.pick(cluster.iods).process);
        break;
      case 'mgr':
        this.#disturb(cluster.mgr);
        break;
      case 'client':
        this.#disturb(random.pick(this.#options.clients));
        break;
      case 'net':
        this.#disturbNetwork();
        break;
      case 'disk':
        this.#disturbDisk(random.pick(cluster.iods));
        break;
      case 'power':
        this.#cutPower();
        break;
      case 'clock':
        this.#disturbClock(random.pick(this.#processes).host);
        break;
      case 'swap':
        this.#swap(random.pick(cluster.iods));
        break;
      case 'evict':
        this.#evict(random.pick(cluster.iods));
        break;
    }
  }

  #disturb(process: SimProcess): void {
    const { random, cluster } = this.#options;
    if (!process.alive) return;
    const choice = random.fraction();
    if (choice < 0.4) {
      process.kill();
      this.#startLater(process);
    } else if (choice < 0.7) {
      // Clients have no good order: SIGTERM ends them.
      cluster.terminate(process);
      if (random.chance(0.3)) this.#killInDrain(process);
    } else {
      process.pause();
      this.#options.deadlines.paused(process);
      this.#later(pauseMs, () => {
        this.#options.deadlines.resumed(process);
        process.resume();
      });
    }
  }

  #startLater(process: SimProcess): void {
    this.#later(downMs, () => {
      if (!process.alive && process.host.isUp) process.start();
    });
  }

  /** SIGKILL for one that stops too slowly (SCENARIOS 103). */
  #killInDrain(process: SimProcess): void {
    const life = process.starts;
    this.#later([0, 20], () => {
      if (!process.alive || process.starts !== life) return;
      process.kill();
      this.#startLater(process);
    });
  }

  /** Whoever evicts an iod has given its bytes up: then any disk may take its place. */
  #evict({ index }: IodNode): void {
    if (!this.#swaps.isAway(index)) this.#operator.evict(index);
  }

  #swap(node: IodNode): void {
    if (!this.#operator.concerns(node.index)) this.#swaps.strike(node);
  }

  /** Wall clocks jump, monotonic ones drift (SCENARIOS 230-232). */
  #disturbClock({ clock }: Host): void {
    const { random } = this.#options;
    if (random.chance(0.5)) clock.jumpWall(random.within([-wallJumpMs, wallJumpMs]));
    else clock.setRate(random.within(clockRate));
  }

  #disturbNetwork(): void {
    const { random, cluster } = this.#options;
    const { network } = cluster.world;
    const names = random.shuffle([...new Set(this.#processes.map(({ host }) => host.name))]);
    const [a = '', b = '', ...rest] = names;
    const choice = random.below(5);
    if (choice === 0) network.cut(a, b);
    else if (choice === 1) network.partition(a, b);
    else if (choice === 2) network.partition(a, [b, ...rest]);
    else if (choice === 3) network.block(a, b);
    else network.set({ latencyMs: [0.1, random.within(delayMs)] }, { from: a, to: b });
    this.#later(partitionMs, () => {
      network.heal(a, [b, ...rest]);
      network.set(this.#weather, { from: a, to: b });
    });
  }

  #disturbDisk({ host }: IodNode): void {
    const { random } = this.#options;
    const { disk } = host;
    const choice = random.below(4);
    if (choice === 0) disk.fail({ errno: 'EIO', from: 1 + random.below(10) });
    else if (choice === 1) disk.fail({ errno: 'ENOSPC', operation: 'write', times: 3 });
    else if (choice === 2) disk.fail({ errno: 'EIO', operation: 'read' });
    else disk.hang();
    this.#later(downMs, () => {
      disk.mend();
    });
  }

  #cutPower(): void {
    const { random, cluster } = this.#options;
    const process = random.pick(cluster.daemons);
    const { host } = process;
    if (!host.isUp) return;
    cluster.cutPower(host);
    this.#later(downMs, () => {
      if (!host.isUp) host.powerOn();
      for (const one of host.processes) if (!one.alive) one.start();
    });
  }

  #later(range: Range, run: () => void): void {
    const { cluster, random } = this.#options;
    cluster.world.after(random.within(range), () => {
      if (!this.#isOver) run();
    });
  }
}

function weatherOf({ random, kinds }: FaultOptions): PathConditions {
  if (!kinds.has('net') || random.chance(0.3)) return defaultConditions;
  return {
    ...defaultConditions,
    lossProbability: random.within([0, 0.05]),
    fragmentProbability: random.within([0, 0.2]),
    stragglerProbability: random.within([0, 0.5]),
  };
}
