/**
 * A recovery while it runs: a state machine tells it of phases and of what came back, and it keeps
 * the times. What it says in the end is a report.
 */
import { limits } from './limits.ts';
import type {
  RecoveryCause,
  RecoveryItem,
  RecoveryOutcome,
  RecoveryPhase,
  RecoveryReport,
} from './recovery-report.ts';
import type { Clock } from './runtime/runtime.ts';
import type { Timestamp } from './units.ts';

/** A report that no directory has given its number yet. */
export type UnnumberedReport = Omit<RecoveryReport, 'number'>;

export interface RecoveryBegin {
  readonly wall: Timestamp;
  /** By the monotonic clock. */
  readonly atMs: number;
}

export function beginNow(clock: Pick<Clock, 'now' | 'wall'>): RecoveryBegin {
  return { wall: clock.wall(), atMs: clock.now() };
}

export interface RecoveryOptions {
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  readonly daemon: string;
  readonly cause: RecoveryCause;
  /** The cause in words. */
  readonly why: string;
  /** Name of the phase that it begins with. */
  readonly phase: string;
  /** Now by default. */
  readonly begin?: RecoveryBegin;
}

type Kind = 'restored' | 'dropped' | 'uncertain';

export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #begin: RecoveryBegin;
  readonly #phases = new Map<string, RecoveryPhase>();
  readonly #restarts = new Map<string, number>();
  readonly #items: Record<Kind, RecoveryItem[]> = { restored: [], dropped: [], uncertain: [] };
  #phase: string;
  #enteredMs: number;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#begin = options.begin ?? beginNow(options.clock);
    this.#phase = options.phase;
    this.#enteredMs = this.#begin.atMs;
  }

  get cause(): RecoveryCause {
    return this.#options.cause;
  }

  get phase(): string {
    return this.#phase;
  }

  /** Since the recovery began. */
  get elapsedMs(): number {
    return this.#options.clock.now() - this.#begin.atMs;
  }

  /** The phase before has ended. */
  enter(phase: string): void {
    this.#leave();
    this.#phase = phase;
  }

  /** It begins again with `phase`. */
  restart(phase: string, why: string): void {
    const text = short(why);
    const hasRoom = this.#restarts.has(text) || this.#restarts.size < limits.recoveryItemsMax;
    const key = hasRoom ? text : 'other reasons';
    this.#restarts.set(key, (this.#restarts.get(key) ?? 0) + 1);
    this.enter(phase);
  }

  /** @param count `null`: nobody can know */
  note(kind: Kind, what: string, count: number | null, whose: Iterable<string> = []): void {
    const items = this.#items[kind];
    const at = items.findIndex((item) => item.what === what);
    const before = items[at] ?? { what, count: 0, for: [] };
    const names = [...before.for];
    for (const name of whose) {
      if (names.length >= limits.recoveryNamesMax) break;
      names.push(short(name));
    }
    const sum = before.count === null || count === null ? null : before.count + count;
    items[at < 0 ? items.length : at] = { what, count: sum, for: names };
  }

  /** The last phase has ended too. */
  end(outcome: RecoveryOutcome): UnnumberedReport {
    this.#leave();
    const { daemon, cause, why } = this.#options;
    const { restored, dropped, uncertain } = this.#items;
    return {
      daemon,
      cause,
      why: short(why),
      outcome,
      startedAt: this.#begin.wall,
      tookMs: rounded(this.elapsedMs),
      phases: [...this.#phases.values()],
      restarts: [...this.#restarts].map(([why, times]) => ({ why, times })),
      restored,
      dropped,
      uncertain,
    };
  }

  #leave(): void {
    const now = this.#options.clock.now();
    const { atMs, tookMs, times } = this.#phases.get(this.#phase) ?? {
      atMs: this.#enteredMs - this.#begin.atMs,
      tookMs: 0,
      times: 0,
    };
    this.#phases.set(this.#phase, {
      name: this.#phase,
      atMs: rounded(atMs),
      tookMs: rounded(tookMs + now - this.#enteredMs),
      times: times + 1,
    });
    this.#enteredMs = now;
  }
}

/** Tenths of milliseconds. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function short(text: string): string {
  const { recoveryTextMax } = limits;
  return text.length <= recoveryTextMax ? text : `${text.slice(0, recoveryTextMax - 1)}…`;
}
