/** Clocks of hosts, which start anywhere, drift and jump, and the Clock that a process sees. */
import assert from 'node:assert/strict';
import type { Clock, Timer } from '../../../shared/runtime/runtime.ts';
import type { Timestamp } from '../../../shared/units.ts';
import type { Incarnation } from './process.ts';
import type { Range, SimRandom } from './random.ts';
import type { Job, Timeline } from './timeline.ts';

/** 2030-01-01T00:00:00Z: where the wall clocks of an unskewed host begin. */
const wallEpochMs = 1_893_456_000_000;
const monotonicStartMs: Range = [0, 1_000_000];

/** The clock of one host. Monotonic times of two hosts cannot be compared, as in life. */
export class HostClock {
  readonly #timeline: Timeline;
  /** Where the present rate began: (virtual time, local time). */
  #baseMs = 0;
  #localMs: number;
  #rate = 1;
  #wallSkewMs = 0;

  constructor(timeline: Timeline, random: SimRandom) {
    this.#timeline = timeline;
    this.#localMs = Math.floor(random.within(monotonicStartMs));
  }

  /** Local monotonic milliseconds. */
  now(): number {
    return this.#localMs + (this.#timeline.nowMs - this.#baseMs) * this.#rate;
  }

  /** Virtual milliseconds in which `localMs` pass at the present rate. */
  virtual(localMs: number): number {
    return localMs / this.#rate;
  }

  wall(): Timestamp {
    const ms = wallEpochMs + this.#wallSkewMs + this.#timeline.nowMs;
    const seconds = Math.floor(ms / 1000);
    return { seconds, nanoseconds: Math.floor((ms - seconds * 1000) * 1e6) };
  }

  /** Wall time jumps, forth or back; monotonic time does not notice (SCENARIOS 230). */
  jumpWall(byMs: number): void {
    this.#wallSkewMs += byMs;
  }

  /** Local milliseconds that pass in a virtual one from now on, e.g. 1.0001. */
  setRate(rate: number): void {
    assert(rate > 0, 'a clock does not run backwards');
    this.#localMs = this.now();
    this.#baseMs = this.#timeline.nowMs;
    this.#rate = rate;
  }
}

export interface ProcessClockOptions {
  readonly timeline: Timeline;
  readonly owner: Incarnation;
  readonly host: HostClock;
  readonly random: SimRandom;
  /** How late timers come. */
  readonly timerLatenessMs: Range;
}

export class ProcessClock implements Clock {
  readonly #options: ProcessClockOptions;

  constructor(options: ProcessClockOptions) {
    this.#options = options;
  }

  now(): number {
    return this.#options.host.now();
  }

  wall(): Timestamp {
    return this.#options.host.wall();
  }

  timer(delayMs: number, run: () => void): Timer {
    if (!(delayMs >= 0 && delayMs < Infinity)) assert.fail(`a timer cannot wait for ${delayMs} ms`);
    const { random, timerLatenessMs } = this.#options;
    const timer = new SimTimer(this.now() + delayMs, run);
    this.#arm(timer, random.within(timerLatenessMs));
    return timer;
  }

  defer(run: () => void): void {
    const { timeline, owner } = this.#options;
    if (!owner.alive) return;
    timeline.defer(() => {
      owner.enter('deferred', '', run);
    });
  }

  #arm(timer: SimTimer, latenessMs: number): void {
    const { timeline, owner, host } = this.#options;
    if (!owner.alive) return;
    const delayMs = host.virtual(Math.max(0, timer.dueMs - this.now())) + latenessMs;
    timer.job = timeline.after(delayMs, () => {
      // Never early: the rate may have changed, and divisions round.
      if (this.now() < timer.dueMs) this.#arm(timer, 1e-3);
      else owner.enter('timer', '', timer.fire);
    });
  }
}

class SimTimer implements Timer {
  /** Local monotonic time. */
  readonly dueMs: number;
  job: Job | undefined;
  #run: (() => void) | undefined;

  constructor(dueMs: number, run: () => void) {
    this.dueMs = dueMs;
    this.#run = run;
  }

  cancel(): void {
    this.#run = undefined;
    if (this.job) this.job.cancelled = true;
  }

  readonly fire = (): void => {
    const run = this.#run;
    this.#run = undefined;
    run?.();
  };
}
