/** What befell the processes of a trace, done to those of a simulated cluster. */
import type { Actor, ScriptCut, ScriptEnd } from '../../shared/trace/script.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './runtime/process.ts';

/** A kill at a step is armed so long before it is due, and strikes anyway so long after. */
const aroundStepMs = 5;

export class ScriptedFaults {
  readonly #cluster: Cluster;
  readonly #clients: readonly SimProcess[];
  #isOver = false;

  constructor(cluster: Cluster, clients: readonly SimProcess[]) {
    this.#cluster = cluster;
    this.#clients = clients;
  }

  plan(faults: readonly (ScriptEnd | ScriptCut)[]): void {
    const { world } = this.#cluster;
    for (const fault of faults) {
      const early = fault.kind === 'kill' && fault.step !== undefined ? aroundStepMs : 0;
      world.after(Math.max(0, fault.atMs - early), () => {
        if (this.#isOver) return;
        if (fault.kind === 'cut') this.#cut(fault);
        else this.#end(fault);
      });
    }
  }

  /** What has not happened yet does not, and everything runs again. */
  end(): void {
    this.#isOver = true;
    this.#cluster.world.kills.disarm();
    for (const process of [...this.#cluster.daemons, ...this.#clients]) this.#start(process);
  }

  #cut({ between: [a, b] }: ScriptCut): void {
    const [one, other] = [this.#processOf(a), this.#processOf(b)];
    if (one && other) this.#cluster.world.network.cut(one.host.name, other.host.name);
  }

  #end({ kind, who, downMs, step }: ScriptEnd): void {
    const process = this.#processOf(who);
    if (process?.alive !== true) return;
    if (step !== undefined) this.#killAt(process, step, downMs);
    else if (kind === 'power') this.#cluster.cutPower(process.host);
    else if (kind === 'kill') process.kill();
    else this.#cluster.terminate(process);
    if (step === undefined) this.#startAfter(process, downMs);
  }

  /** At its next passing of the step; when it does not pass it soon, then where it is. */
  #killAt(process: SimProcess, step: NonNullable<ScriptEnd['step']>, downMs: number): void {
    const { world } = this.#cluster;
    const life = process.starts;
    world.killAt({ point: step, process: process.name, restartAfterMs: downMs });
    world.after(2 * aroundStepMs, () => {
      if (this.#isOver || process.starts !== life || !process.alive) return;
      world.kills.disarm();
      process.kill();
      this.#startAfter(process, downMs);
    });
  }

  #startAfter(process: SimProcess, downMs: number): void {
    this.#cluster.world.after(downMs, () => {
      if (!this.#isOver) this.#start(process);
    });
  }

  #start(process: SimProcess): void {
    if (!process.host.isUp) process.host.powerOn();
    if (!process.alive) process.start();
  }

  #processOf({ role, index }: Actor): SimProcess | undefined {
    if (role === 'mgr') return this.#cluster.mgr;
    return role === 'iod' ? this.#cluster.iods[index]?.process : this.#clients[index];
  }
}
