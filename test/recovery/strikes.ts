/** What befalls a cluster of real processes at random, all from a seed; and how it is put right. */
import { setTimeout as pause } from 'node:timers/promises';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import type { SimRandom } from '../sim/runtime/random.ts';
import type { TestCluster } from '../system/cluster-fixture.ts';
import type { Daemon, Role } from '../system/daemon.ts';
import type { FaultProxy, Rules } from './fault-proxy.ts';
import type { Writer, Writers } from './writers.ts';

export interface StrikeOptions {
  readonly cluster: TestCluster;
  readonly writers: Writers;
  readonly random: SimRandom;
  readonly sessionLeaseMs: number;
  /** Starts a writer. */
  readonly addWriter: (killPoint?: string) => Promise<Writer>;
  /** Hears of each strike: on whom, and in what phase. */
  readonly tell: (whom: string, what: string) => void;
}

/** Well within the lease of a session, so that no client may lose anything by it. */
const pauseMs = [10, 4000] as const;

export class Strikes {
  readonly #options: StrikeOptions;
  /** Daemons that die by themselves at a named step. */
  readonly #armed = new Map<Daemon, string>();
  /** Killed by a strike that will start them again, so that no other one does. */
  readonly #away = new Set<Daemon>();
  readonly #joining: Promise<Writer>[] = [];
  #isOver = false;

  constructor(options: StrikeOptions) {
    this.#options = options;
  }

  /** One, or two at once. Who was stopped runs when it returns; who was killed may still start. */
  async next(): Promise<void> {
    const { random } = this.#options;
    await this.revive();
    const strikes = [this.#strike()];
    if (random.chance(0.25)) strikes.push(this.#strike());
    await Promise.all(strikes);
  }

  /** Starts who has died. @throws Error when nobody killed it */
  async revive(): Promise<void> {
    for (const daemon of this.#options.cluster.daemons) {
      if (daemon.isRunning) continue;
      const point = this.#armed.get(daemon);
      if (point === undefined) {
        throw new Error(`${daemon.name} died by itself:\n${await daemon.logTail()}`);
      }
      this.#armed.delete(daemon);
      this.#options.tell(`kill ${daemon.spec.role}`, point);
      await daemon.launch();
    }
  }

  /** Puts all right: nobody is away, nothing is on its way to die. */
  async end(): Promise<void> {
    this.#isOver = true;
    for (const proxy of this.#options.cluster.routes.all) proxy.set({});
    await this.revive();
    for (const daemon of this.#armed.keys()) {
      await daemon.kill();
      await daemon.launch();
    }
    this.#armed.clear();
    await Promise.all(this.#joining);
  }

  #strike(): Promise<void> {
    const { random, cluster } = this.#options;
    const choice = random.fraction();
    const daemon = random.chance(0.4) ? cluster.mgr : random.pick(cluster.iods);
    if (choice < 0.4) return this.#killDaemon(daemon);
    if (choice < 0.55) return this.#stopDaemon(daemon);
    if (choice < 0.7) return this.#disturbClient();
    return this.#disturbNetwork(random.pick(cluster.routes.all));
  }

  async #killDaemon(daemon: Daemon): Promise<void> {
    const { random, tell } = this.#options;
    const { role } = daemon.spec;
    if (this.#away.has(daemon) || !daemon.isRunning) return;
    this.#away.add(daemon);
    this.#armed.delete(daemon);
    const exit = daemon.kill();
    tell(`kill ${role}`, await phaseOf(daemon));
    await exit;
    await pause(random.within([0, 1000]));
    const killPoint = random.chance(0.5) ? this.#pointOf(role) : undefined;
    if (killPoint !== undefined) this.#armed.set(daemon, killPoint.split(':')[0] ?? '');
    await daemon.launch({ killPoint });
    this.#away.delete(daemon);
  }

  async #stopDaemon(daemon: Daemon): Promise<void> {
    const { random, tell } = this.#options;
    daemon.signal('SIGSTOP');
    tell(`stop ${daemon.spec.role}`, await phaseOf(daemon));
    await pause(random.within(pauseMs));
    daemon.signal('SIGCONT');
  }

  async #disturbClient(): Promise<void> {
    const { random, writers, tell, sessionLeaseMs } = this.#options;
    const victim = random.pick(writers.running);
    const choice = random.fraction();
    if (choice < 0.3) {
      victim.child.kill('SIGSTOP');
      tell('stop client', 'within its lease');
      await pause(random.within(pauseMs));
      victim.child.kill('SIGCONT');
      return;
    }
    const killPoint = random.chance(0.5) ? this.#pointOf('client') : undefined;
    this.#addWriter(killPoint);
    // Somebody must be left to work.
    if (writers.running.length < 2) return;
    victim.mayEnd = true;
    if (choice < 0.4) {
      victim.child.kill('SIGSTOP');
      tell('stop client', 'beyond its lease');
      await pause(sessionLeaseMs * 1.5);
      victim.child.kill('SIGCONT');
    } else {
      tell('kill client', 'at work');
      await victim.kill();
    }
  }

  async #disturbNetwork(proxy: FaultProxy): Promise<void> {
    const { random, tell } = this.#options;
    const name = random.pick(Object.keys(weathers));
    tell('network', name);
    weathers[name]?.(proxy, random);
    await pause(random.within(pauseMs));
    proxy.set({});
  }

  /** Nobody waits for it before the end: it may need a daemon that comes back later. */
  #addWriter(killPoint: string | undefined): void {
    const { addWriter, tell } = this.#options;
    const joining = addWriter(killPoint);
    this.#joining.push(joining);
    const told = joining.then(async ({ ended }) => {
      if (killPoint === undefined) return;
      await ended;
      if (!this.#isOver) tell('kill client', killPoint.split(':')[0] ?? '');
    });
    // Heard at the end.
    told.catch(() => undefined);
  }

  /** One of the role's steps, at one of its first passings. */
  #pointOf(role: Role | 'client'): string {
    const { random } = this.#options;
    const points = killPoints.filter((point) => point.startsWith(`${role}.`));
    return `${random.pick(points)}:${1 + random.below(5)}`;
  }
}

const freeze = { kind: 'freeze' } as const;
const oneWay: readonly Partial<Rules>[] = [{ toServer: freeze }, { toClient: freeze }];

const weathers: Readonly<Record<string, (proxy: FaultProxy, random: SimRandom) => void>> = {
  'half-open': (proxy) => proxy.setStanding({ toServer: freeze, toClient: freeze }),
  'one way only': (proxy, random) => proxy.setStanding(random.pick(oneWay)),
  partition: (proxy) => proxy.set({ toServer: freeze, toClient: freeze }),
  reset: (proxy) => proxy.cut('reset'),
  end: (proxy) => proxy.cut('end'),
  'cut at a byte'(proxy, random) {
    const rule = { kind: 'cut', after: random.below(100_000), how: 'reset' } as const;
    proxy.set(random.chance(0.5) ? { toServer: rule } : { toClient: rule });
  },
  delay(proxy, random) {
    const rule = { kind: 'delay', ms: random.below(50) } as const;
    proxy.set({ toServer: rule, toClient: rule });
  },
};

/** As its log tells it. */
async function phaseOf(daemon: Daemon): Promise<string> {
  const log = await daemon.logText();
  const states = [...log.matchAll(/"to":"([A-Z]+)"/g)];
  return (states.at(-1)?.[1] ?? 'BOOT').toLowerCase();
}
