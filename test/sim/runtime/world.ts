/**
 * A world of hosts, processes and one network in virtual time, all from one seed:
 *
 *     const world = new World({ seed: 1 });
 *     const mgr = world.process('mgr', { host: world.host('a'), main: (runtime) => ... });
 *     world.after(500, () => mgr.kill());
 *     await world.run({ until: () => done });
 *
 * Anything a process throws or rejects fails the run with seed, time and the last events.
 */
import assert, { AssertionError } from 'node:assert/strict';
import { isSentPoint, type KillPoint } from '../../../shared/runtime/kill-points.ts';
import type { LogLevel } from '../../../shared/runtime/runtime.ts';
import { SimulationFailure } from './failure.ts';
import { Host } from './host.ts';
import type { Kernel } from './kernel.ts';
import { KillPlan, type PlannedKill } from './kill-plan.ts';
import { LogBook } from './log.ts';
import { Network } from './network.ts';
import { type Incarnation, type ProcessOptions, SimProcess } from './process.ts';
import { SimRandom } from './random.ts';
import { Rings } from './rings.ts';
import { runsFor, watchRejections } from './rejections.ts';
import { type Job, Timeline } from './timeline.ts';
import { Trace } from './trace.ts';
import { promisesSettled } from './turns-of-the-loop.ts';

export interface WorldOptions {
  readonly seed: number;
  /** For failure reports; the environment's GIT_COMMIT when not given. */
  readonly commit?: string;
  /** Lines up to this level are kept and traced. */
  readonly logLevel?: LogLevel | 'none';
  /** Keep every event, to find where two runs part. */
  readonly keepTrace?: boolean;
  /** What the flight recorder of each process holds. */
  readonly recordsKept?: number | undefined;
}

/** When to stop: at whichever comes first. */
export interface RunLimits {
  /** Virtual time since the world began. Time passes until then even when nothing happens. */
  readonly untilMs?: number;
  /** Asked after each step. It is a failure when the run ends for another reason. */
  readonly until?: () => boolean;
  /** Steps from now on. */
  readonly steps?: number;
}

/** How long `until` may take in virtual time when no `untilMs` is given. */
const patienceMs = 3_600_000;
const tailEvents = 50;

export class World implements Kernel {
  readonly seed: number;
  readonly timeline = new Timeline();
  readonly random: SimRandom;
  readonly network: Network;
  readonly log: LogBook;
  readonly rings: Rings;
  readonly trace: Trace;
  readonly kills = new KillPlan();
  readonly #commit: string | undefined;
  readonly #hosts = new Map<string, Host>();
  readonly #processes = new Map<string, SimProcess>();
  #current: Incarnation | undefined;
  #failure: SimulationFailure | undefined;
  #steps = 0;
  #running = false;

  constructor(options: WorldOptions) {
    const { seed, commit, logLevel = 'info', keepTrace = false, recordsKept = 512 } = options;
    this.rings = new Rings(recordsKept);
    this.seed = seed;
    this.#commit = commit ?? process.env['GIT_COMMIT'];
    this.random = new SimRandom(`seed ${seed}`);
    this.trace = new Trace({ tailEvents, keepAll: keepTrace });
    this.network = new Network(this.timeline, this.random.fork('network'));
    this.log = new LogBook(logLevel, (line, text) => {
      this.trace.record(line.atMs, line.process, `log ${line.level}`, text);
    });
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.timeline.nowMs;
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The host of this name, made at its first mention. */
  host(name: string): Host {
    let host = this.#hosts.get(name);
    if (!host) {
      const number = this.#hosts.size + 1;
      host = new Host(this, name, `10.0.${number >> 8}.${number & 255}`);
      this.#hosts.set(name, host);
      this.network.add(host);
    }
    return host;
  }

  /** Makes a process and starts it. */
  process(name: string, options: ProcessOptions): SimProcess {
    assert(!this.#processes.has(name), `there is a process ${name}`);
    const made = new SimProcess(this, name, options);
    this.#processes.set(name, made);
    made.start();
    return made;
  }

  /** Does something to the world later: a fault, a restart, a check. */
  after(delayMs: number, run: () => void): Job {
    return this.timeline.after(delayMs, run);
  }

  /** Plans kills at kill points, one after another; call it again for kills beside them. */
  killAt(...kills: readonly PlannedKill[]): void {
    this.kills.add(kills);
  }

  /**
   * Lets things happen.
   * @throws SimulationFailure when a process or check failed, or `until` did not come true
   */
  async run({ untilMs, until, steps = Infinity }: RunLimits): Promise<void> {
    assert(!this.#running, 'the world runs already');
    this.#running = true;
    const endMs = untilMs ?? (until ? this.nowMs + patienceMs : Infinity);
    const lastStep = this.#steps + steps;
    const unwatch = watchRejections();
    try {
      while (!this.#isOver(until) && this.#steps < lastStep) {
        const job = this.timeline.next(endMs);
        if (!job) {
          if (untilMs !== undefined) this.timeline.advanceTo(untilMs);
          break;
        }
        this.#step(job);
        await promisesSettled();
        this.#current = undefined;
        runsFor(undefined);
      }
      this.#checkEnd(until);
    } finally {
      unwatch();
      this.#running = false;
    }
    if (this.#failure) throw this.#failure;
  }

  /** Runs until `promise` has settled. @returns what it gave @throws what it was rejected with */
  async complete<T>(promise: Promise<T>, limits: Omit<RunLimits, 'until'> = {}): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await promisesSettled();
    await this.run({ ...limits, until: () => settled });
    return promise;
  }

  /** Ends the run with this failure: for checkers. The first one counts. */
  fail(cause: unknown): void {
    this.#blame(undefined, cause);
  }

  // ------------------------------------------------------------- Kernel

  note(who: string, what: string): void {
    this.trace.record(this.nowMs, who, what, '');
  }

  execute(owner: Incarnation, what: string, detail: string | number, run: () => void): void {
    this.#current = owner;
    this.trace.record(this.nowMs, owner.name, what, detail);
    try {
      run();
    } catch (error) {
      this.#blame(owner, error);
    }
  }

  pass(owner: Incarnation, point: KillPoint): void {
    this.trace.record(this.nowMs, owner.name, 'passes', point);
    for (const kill of this.kills.pass(owner.name, point)) {
      const strike = (): void => {
        this.#strike(kill, owner.name);
      };
      if (isSentPoint(point)) this.timeline.defer(strike);
      else strike();
    }
  }

  /** A promise of the process whose job ran last was rejected, and nobody cared. */
  rejected(reason: unknown): void {
    this.#blame(this.#current, reason);
  }

  // ------------------------------------------------------------- inner parts

  #step(job: Job): void {
    this.#steps++;
    runsFor(this);
    try {
      job.run();
    } catch (error) {
      this.#blame(undefined, error);
    }
  }

  #isOver(until: (() => boolean) | undefined): boolean {
    if (this.#failure) return true;
    try {
      return until?.() ?? false;
    } catch (error) {
      this.#blame(undefined, error);
      return true;
    }
  }

  #checkEnd(until: (() => boolean) | undefined): void {
    if (until && !this.#isOver(until))
      this.#blame(undefined, new Error('`until` did not come true'));
  }

  #blame(owner: Incarnation | undefined, cause: unknown): void {
    if (owner && !owner.alive) return;
    if (cause instanceof AssertionError && owner?.process.exitsOnAssertion) {
      this.trace.record(this.nowMs, owner.name, 'assertion failed', cause.message);
      owner.process.end('assertion');
      return;
    }
    this.#failure ??= new SimulationFailure(cause, {
      seed: this.seed,
      commit: this.#commit,
      steps: this.#steps,
      atMs: this.nowMs,
      process: owner?.name,
      tail: this.trace.tail(),
    });
  }

  #strike({ victims, powerLoss, restartAfterMs }: PlannedKill, passer: string): void {
    const processes = (victims ?? [passer]).map((name) => {
      const victim = this.#processes.get(name);
      assert(victim, `no process ${name} to kill`);
      return victim;
    });
    const hosts = new Set(powerLoss ? processes.map(({ host }) => host) : []);
    for (const host of hosts) if (host.isUp) host.powerLoss();
    for (const victim of processes) if (victim.alive) victim.kill();
    if (restartAfterMs === undefined) return;
    this.after(restartAfterMs, () => {
      for (const host of hosts) if (!host.isUp) host.powerOn();
      for (const victim of processes) if (!victim.alive && victim.host.isUp) victim.start();
    });
  }
}
