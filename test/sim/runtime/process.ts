/**
 * Simulated processes: a function that gets a Runtime, and what a system can do to it. A dead
 * process runs nothing any more; a paused one runs everything later, in order.
 */
import assert from 'node:assert/strict';
import { isRecorded, type KillPoint } from '../../../shared/runtime/kill-points.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { recordKinds } from '../../../shared/trace/record.ts';
import { recordedLog } from '../../../shared/trace/recorded-log.ts';
import { ProcessClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import { ProcessEnded } from './failure.ts';
import type { Host } from './host.ts';
import type { Kernel } from './kernel.ts';
import { SimLogger } from './log.ts';
import { SimNet } from './net.ts';
import { simSharedFiles } from './shared-files.ts';
import type { Range } from './random.ts';

export type Main = (runtime: Runtime) => Promise<void> | void;
/** `assertion`: it found itself in the wrong and left. */
export type EndKind = 'kill' | 'power-loss' | 'assertion';

export interface ProcessOptions {
  readonly host: Host;
  /** What it runs; it lives on after `main` returned. */
  readonly main: Main;
  /** An AssertionError ends the process, as in real life, and not the run. */
  readonly exitOnAssertion?: boolean;
  /** Told each time it ends, e.g. to start it again. */
  readonly onEnd?: (how: EndKind, process: SimProcess) => void;
  /** Files it may have open; more is EMFILE. */
  readonly descriptorsMax?: number;
  /** How late its timers come. */
  readonly timerLatenessMs?: Range;
}

export class SimProcess {
  readonly name: string;
  readonly host: Host;
  readonly #kernel: Kernel;
  readonly #options: ProcessOptions;
  #incarnation: Incarnation | undefined;
  #starts = 0;

  constructor(kernel: Kernel, name: string, options: ProcessOptions) {
    this.#kernel = kernel;
    this.name = name;
    this.host = options.host;
    this.#options = options;
    this.host.processes.add(this);
  }

  get alive(): boolean {
    return this.#incarnation !== undefined;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  get exitsOnAssertion(): boolean {
    return this.#options.exitOnAssertion ?? false;
  }

  start(): void {
    assert(!this.#incarnation, `${this.name} runs`);
    assert(this.host.isUp, `host ${this.host.name} has no power`);
    this.#starts++;
    const incarnation = new Incarnation(this.#kernel, this, this.#options);
    this.#incarnation = incarnation;
    this.call(this.#options.main).catch((error: unknown) => {
      if (!(error instanceof ProcessEnded)) incarnation.enter('main', '', () => rethrow(error));
    });
  }

  /** `kill -9`. What it wrote to the disk stays; its peers get an end or a reset. */
  kill(): void {
    assert(this.#incarnation, `${this.name} does not run`);
    this.end('kill');
  }

  /** Kills it if it runs, and starts it. */
  restart(): void {
    if (this.alive) this.kill();
    this.start();
  }

  /** SIGSTOP: everything that comes waits for `resume`. */
  pause(): void {
    assert(this.#incarnation, `${this.name} does not run`);
    this.#kernel.note(this.name, 'paused');
    this.#incarnation.pause();
  }

  /** SIGCONT. Does nothing when it died meanwhile. */
  resume(): void {
    this.#kernel.note(this.name, 'resumed');
    this.#incarnation?.resume();
  }

  /** Runs `run` inside the process. @throws ProcessEnded when the process ends first */
  call<T>(run: (runtime: Runtime) => T | Promise<T>): Promise<T> {
    const incarnation = this.#incarnation;
    assert(incarnation, `${this.name} does not run`);
    return incarnation.call(run);
  }

  /** For the world: ends it however it is; fine when it does not run. */
  end(how: EndKind): void {
    const incarnation = this.#incarnation;
    if (!incarnation) return;
    this.#incarnation = undefined;
    this.#kernel.note(this.name, `ended by ${how}`);
    incarnation.end();
    this.#options.onEnd?.(how, this);
  }
}

/** One life of a process, from a start to its end. */
export class Incarnation {
  readonly process: SimProcess;
  readonly host: Host;
  readonly runtime: Runtime;
  readonly #kernel: Kernel;
  readonly #disk: SimDisk;
  readonly #held: HeldEvent[] = [];
  readonly #calls = new Set<(reason: Error) => void>();
  #alive = true;
  #paused = false;

  constructor(kernel: Kernel, process: SimProcess, options: ProcessOptions) {
    const { timeline, network } = kernel;
    this.#kernel = kernel;
    this.process = process;
    this.host = process.host;
    const random = kernel.random.fork(`process ${process.name} ${process.starts}`);
    this.#disk = new SimDisk(this.host.disk, this, options.descriptorsMax ?? 1024);
    const recorder = kernel.rings.begin(process);
    const clock = new ProcessClock({
      timeline,
      owner: this,
      host: this.host.clock,
      random: random.fork('timers'),
      timerLatenessMs: options.timerLatenessMs ?? [0, 1],
    });
    this.runtime = {
      clock,
      random: random.fork('random'),
      net: new SimNet({ network, timeline, owner: this }),
      disk: this.#disk,
      sharedFiles: simSharedFiles(this.#disk),
      log: recordedLog(new SimLogger(kernel.log, this), recorder, clock),
      recorder,
      keepTrace: () => () => undefined,
      killPoint: (point: KillPoint) => {
        if (isRecorded(point)) recorder.record(recordKinds.step, clock.now(), recorder.text(point));
        if (this.#alive) kernel.pass(this, point);
        if (!this.#alive) throw new ProcessEnded(this.name);
      },
    };
  }

  get name(): string {
    return this.process.name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  nowMs(): number {
    return this.#kernel.timeline.nowMs;
  }

  /** The one way into a process: now, after a pause, or never when it is dead. */
  enter(what: string, detail: string | number, run: () => void): void {
    if (!this.#alive) return;
    if (this.#paused || this.#held.length > 0) this.#held.push({ what, detail, run });
    else this.#kernel.execute(this, what, detail, run);
  }

  call<T>(run: (runtime: Runtime) => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#calls.add(reject);
      const settle = async (): Promise<void> => {
        try {
          resolve(await run(this.runtime));
        } catch (error) {
          reject(error);
        } finally {
          this.#calls.delete(reject);
        }
      };
      this.#kernel.timeline.after(0, () => this.enter('called', '', () => void settle()));
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#kernel.timeline.after(0, this.#drain);
  }

  end(): void {
    this.#kernel.rings.end(this.runtime.recorder);
    this.#alive = false;
    this.#held.length = 0;
    this.#disk.processEnded();
    this.#kernel.network.processEnded(this);
    for (const reject of this.#calls) reject(new ProcessEnded(this.name));
  }

  /** One event at a time, so that each has its promises settled before the next. */
  readonly #drain = (): void => {
    if (this.#paused || !this.#alive) return;
    const next = this.#held.shift();
    if (!next) return;
    this.#kernel.execute(this, next.what, next.detail, next.run);
    if (this.#held.length > 0) this.#kernel.timeline.after(0, this.#drain);
  };
}

interface HeldEvent {
  readonly what: string;
  readonly detail: string | number;
  readonly run: () => void;
}

function rethrow(error: unknown): never {
  throw error;
}
