/** One run: from a seed to a verdict. The same options give the same trace, event by event. */
import { connect } from '../../client/connect.ts';
import type { LogLevel, Runtime } from '../../shared/runtime/runtime.ts';
import type { ScriptRequest, TraceScript } from '../../shared/trace/script.ts';
import {
  compareTree,
  Deadlines,
  leftAtIods,
  leftAtMgr,
  opensOf,
  requireGenerationsGrow,
  requireListensLast,
  requireNoOrphanObjects,
  sessionsAtMgr,
} from './checkers.ts';
import { Cluster, clusterUrl, type IodNode, type Sabotage, secret } from './cluster.ts';
import { type FaultKind, Faults } from './faults.ts';
import { ReferenceModel } from './reference-model.ts';
import { Rounds } from './rounds.ts';
import type { PlannedKill } from './runtime/kill-plan.ts';
import type { SimProcess } from './runtime/process.ts';
import type { SimRandom } from './runtime/random.ts';
import type { Trace } from './runtime/trace.ts';
import { ScriptedClient } from './scripted-client.ts';
import { ScriptedFaults } from './scripted-faults.ts';
import type { WorkloadOptions } from './lane.ts';
import { Client, pause } from './workload.ts';

export interface RunOptions {
  readonly seed: number;
  /** Calls of all clients together. */
  readonly steps: number;
  readonly iods?: number;
  readonly clients?: number;
  readonly faults?: readonly FaultKind[];
  /** Kills at named steps, one after another, beside those of `faults`. */
  readonly kills?: readonly PlannedKill[];
  readonly sessionLeaseMs?: number;
  /** Bytes that a file may have at the mgr: 0 when not given. */
  readonly smallFileBytes?: number;
  /** Calls may fail, though not wrongly; by default when there are faults or kills. */
  readonly mayFail?: boolean;
  /** All daemons and clients are stopped or killed in turn, all the time. */
  readonly rounds?: boolean;
  readonly keepTrace?: boolean;
  readonly logLevel?: LogLevel | 'none';
  /** What the flight recorder of each process holds. */
  readonly recordsKept?: number;
  /** Instead of steps by chance: the number of `steps` is that of its requests then. */
  readonly script?: TraceScript;
  readonly sabotage?: Sabotage;
}

export interface Verdict {
  /** `undefined`: everything was as it must be. */
  readonly failure: Error | undefined;
  readonly trace: Trace;
  /** The rings of all processes, as files would have them. */
  readonly images: readonly Uint8Array[];
  readonly virtualMs: number;
  readonly faults: number;
}

/** In which all that was left by dead clients must have gone: leases and windows, and some more. */
const cleanUpMs = 300_000;
const pollMs = 500;
/** Between two calls of a client when only planned kills are waited for. */
const waitingMs = 500;
const stepsAfterKill = 20;
const neighbourDelayMs = 1000;

export async function runOnce(options: RunOptions): Promise<Verdict> {
  const run = new Run(options);
  let failure: Error | undefined;
  try {
    await run.go();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { world } = run.cluster;
  const { trace, nowMs: virtualMs } = world;
  return { failure, trace, images: world.rings.images(), virtualMs, faults: run.faults.count };
}

class Run {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly #model: ReferenceModel;
  readonly #deadlines: Deadlines;
  readonly #clients: readonly SimProcess[];
  readonly #places: SimRandom;
  readonly #rounds: Rounds | undefined;
  readonly #script: TraceScript | undefined;
  readonly #scriptedFaults: ScriptedFaults;
  /** At the mgr, as `leftAtMgr` and the store have it. */
  readonly #left: () => string;
  readonly #sessions: () => ReadonlySet<number>;
  #stepsLeft: number;
  #isOver = false;
  /** Planned kills that have happened. */
  #struck = 0;
  #working: number;

  constructor(options: RunOptions) {
    const { seed, steps, iods = 3, clients = 3, faults = [], kills = [] } = options;
    const { keepTrace, logLevel, recordsKept, sabotage, sessionLeaseMs, mayFail, script } = options;
    const { smallFileBytes = 0 } = options;
    this.#script = script;
    this.cluster = new Cluster({
      seed,
      iods,
      sessionLeaseMs,
      smallFileBytes,
      recordsKept,
      logLevel,
      onPowerLoss: (who) => {
        this.#model.powerLost(who);
      },
      onModesLost: (files) => {
        for (const { handle, mode } of files) this.#model.names.mayHaveMode(handle, mode);
      },
      ...(keepTrace !== undefined && { keepTrace }),
      ...(sabotage && { sabotage }),
    });
    const { world, mgrDisk } = this.cluster;
    this.#left = mgrDisk.remembered(() => leftAtMgr(this.cluster));
    this.#sessions = mgrDisk.remembered(() => sessionsAtMgr(this.cluster));
    if (kills.length > 0) world.killAt(...kills);
    this.#model = new ReferenceModel(() => world.nowMs, smallFileBytes);
    this.#deadlines = new Deadlines(world);
    this.#places = world.random.fork('places');
    this.#stepsLeft = steps;
    this.#working = clients;
    this.#clients = Array.from({ length: clients }, (_, i) =>
      this.#makeClient(clientName(i), {
        iods,
        smallFileBytes,
        hasFaults: mayFail ?? faults.length + kills.length > 0,
      }),
    );
    if (options.rounds === true) this.#rounds = new Rounds(this.cluster, this.#clients);
    this.#scriptedFaults = new ScriptedFaults(this.cluster, this.#clients);
    this.#scriptedFaults.plan(script?.faults ?? []);
    this.faults = new Faults({
      cluster: this.cluster,
      clients: this.#clients,
      model: this.#model,
      deadlines: this.#deadlines,
      random: world.random.fork('faults'),
      kinds: new Set(faults),
    });
  }

  /** @throws SimulationFailure, or what a checker throws */
  async go(): Promise<void> {
    const { world } = this.cluster;
    await this.#until(() => this.#stepsLeft <= 0 && this.#hasStruck());
    this.#isOver = true;
    this.#rounds?.end();
    this.#scriptedFaults.end();
    this.faults.end();
    await this.#until(() => this.#working === 0 && this.faults.isPutRight);
    await this.#until(() => this.#isQuiet());
    const files = await world.complete(
      this.cluster.client('checker', () => undefined).call((runtime) => this.#compare(runtime)),
    );
    await this.#until(() => this.#left() === '');
    await this.#untilIodsForget();
    requireNoOrphanObjects(this.cluster, files);
    requireGenerationsGrow(this.cluster);
  }

  #makeClient(
    name: string,
    given: Pick<WorkloadOptions, 'iods' | 'smallFileBytes' | 'hasFaults'>,
  ): SimProcess {
    const { world } = this.cluster;
    const options: WorkloadOptions = {
      random: world.random.fork(name),
      model: this.#model,
      now: () => world.nowMs,
      ...given,
      thinkMs: () => (this.#stepsLeft > 0 ? 0 : waitingMs),
      opensOf: (session) => opensOf(this.cluster, session),
      watch: (what, deadlineMs, call) => this.#deadlines.watch(process, what, deadlineMs, call),
    };
    const client = this.#script
      ? new ScriptedClient(name, requestsOf(this.#script, name), options)
      : new Client(name, options);
    let hasBegun = false;
    let hasEnded = false;
    const neighbour = this.#neighbour();
    const process: SimProcess = this.cluster.client(
      name,
      async (runtime) => {
        // By then the mgr knows where on this host the iod is. Only once: many do not live so long.
        const isFirst = !hasBegun;
        hasBegun = true;
        if (neighbour && isFirst) await pause(runtime, neighbourDelayMs);
        await client.run(runtime, () => this.#stepsLeft-- > 0 || !this.#isOver);
        if (!hasEnded) this.#working--;
        hasEnded = true;
      },
      () => {
        client.died();
      },
      neighbour?.host,
    );
    return process;
  }

  /** Most are on the host of an iod, whose files it reads itself (decision 17). */
  #neighbour(): IodNode | undefined {
    const random = this.#places;
    return random.chance(0.7) ? random.pick(this.cluster.iods) : undefined;
  }

  /** Lets the world go on, with the checks that hold at every moment. */
  async #until(isDone: () => boolean): Promise<void> {
    const { world } = this.cluster;
    await world.run({
      until: () => {
        requireListensLast(this.cluster);
        this.#settleSessions();
        return isDone();
      },
    });
  }

  /** A session that the mgr has forgotten can do nothing any more. */
  #settleSessions(): void {
    if (this.cluster.store !== undefined && !this.#model.isSettled) {
      this.#model.sessionsLeft(this.#sessions());
    }
  }

  /** All planned kills have happened, and the clients have been at work since. */
  #hasStruck(): boolean {
    if (this.#rounds === undefined) return true;
    const { kills } = this.cluster.world;
    if (kills.struck === this.#struck) return kills.pending === 0;
    this.#struck = kills.struck;
    this.#stepsLeft = Math.max(this.#stepsLeft, stepsAfterKill);
    return false;
  }

  #isQuiet(): boolean {
    return this.#model.isSettled && this.#left() === '';
  }

  async #compare(runtime: Runtime): Promise<Set<number>> {
    const fs = await connect(clusterUrl, { runtime, key: secret, name: 'checker', uid: 0, gid: 0 });
    try {
      return await compareTree(fs, this.#model, () => this.cluster.world.nowMs);
    } finally {
      await fs.close();
    }
  }

  /** I3: in bounded time. */
  async #untilIodsForget(): Promise<void> {
    const { world } = this.cluster;
    const asker = this.cluster.client('asker', () => undefined);
    const end = world.nowMs + cleanUpMs;
    for (let asked = 1; ; asked++) {
      const left = await world.complete(
        asker.call((runtime) => leftAtIods(this.cluster, runtime, asked)),
      );
      if (left === '') return;
      if (world.nowMs > end) throw new Error(`I3: when all clients have gone there are ${left}`);
      await world.run({ untilMs: world.nowMs + pollMs });
    }
  }
}

function requestsOf({ requests }: TraceScript, name: string): ScriptRequest[] {
  return requests.filter(({ client }) => clientName(client) === name);
}

function clientName(index: number): string {
  return `client${index}`;
}

/** Does again what a trace tells of, in a cluster that may have a defect. */
export function replay(
  script: TraceScript,
  options: { readonly seed: number; readonly sabotage?: Sabotage },
): Promise<Verdict> {
  const { iods, clients, requests, faults } = script;
  return runOnce({
    ...options,
    script,
    iods: Math.max(1, iods),
    clients,
    steps: requests.length,
    mayFail: faults.length > 0,
  });
}
