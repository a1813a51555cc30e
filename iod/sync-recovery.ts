/**
 * The recoveries of an iod, as its start and its contact with the mgr tell of them: one from each
 * start, and one from each loss of the mgr, until the mgr sends clients here again.
 */
import { type StartCause, startReasons } from '../shared/data-directory.ts';
import { Recovery, type RecoveryBegin } from '../shared/recovery.ts';
import type { RecoveryLog } from '../shared/recovery-log.ts';
import type { RecoveryCause, RecoveryOutcome } from '../shared/recovery-report.ts';
import type { Clock } from '../shared/runtime/runtime.ts';
import type { RecoveryState } from '../shared/wire/values.ts';
import type { Swapped } from './open-table.ts';

export interface SyncRecoveryOptions {
  readonly clock: Clock;
  readonly log: RecoveryLog;
  /** Name of the iod. */
  readonly daemon: string;
  readonly cause: StartCause;
  /** When this start began. */
  readonly begin: RecoveryBegin;
}

/** `connect`: the mgr is looked for. `confirm`: it has something left to do here. */
export type SyncPhase = 'join' | 'snapshot' | 'confirm' | 'announce';

export class SyncRecovery {
  readonly #options: SyncRecoveryOptions;
  #current: Recovery | undefined;
  /** It has been in touch with a mgr, and synced with it. */
  #hasSynced = false;

  constructor(options: SyncRecoveryOptions) {
    this.#options = options;
    const { clock, daemon, cause, begin } = options;
    const why = startReasons[cause];
    this.#current = new Recovery({ clock, daemon, cause, why, phase: 'boot', begin });
    // The system holds what a process that has died had written; a host that has died does not.
    if (cause === 'host-restart') this.#current.note('uncertain', 'writes without sync', null);
  }

  /** What an operator asks for while it runs. @param leftMs until this iod stops serving */
  state(leftMs: number): RecoveryState | undefined {
    if (this.#current === undefined) return undefined;
    const { cause, phase, elapsedMs } = this.#current;
    const isAlone = phase === 'connect';
    return {
      cause,
      phase,
      elapsedMs: Math.round(elapsedMs),
      done: 0,
      total: 0,
      missing: isAlone ? ['mgr'] : [],
      missingTotal: isAlone ? 1 : 0,
      leftMs: Math.round(leftMs),
    };
  }

  /** BOOT is over: the mgr is looked for. */
  booted(): void {
    this.#current?.enter('connect');
  }

  /** @param phase of a sync; the first one when a connection stands */
  enter(phase: SyncPhase): void {
    if (this.#current) this.#current.enter(phase);
    else this.#current = this.#begin('mgr-found', 'a mgr answers', phase);
  }

  /** The new table is in place. */
  swapped({ opens, closed, closedOf }: Swapped): void {
    this.#current?.note('restored', 'opens', opens);
    if (closed === 0) return;
    this.#current?.note(
      'dropped',
      'opens',
      closed,
      [...closedOf].map((session) => `session ${session}`),
    );
  }

  /** The connection to the mgr is lost, or none came about. */
  lost(why: string): void {
    if (this.#current === undefined) {
      if (this.#hasSynced) this.#current = this.#begin('mgr-lost', why, 'connect');
    } else if (this.#current.phase !== 'connect') {
      this.#current.restart('connect', why);
    }
  }

  /** There was no mgr in time: it serves, but every cap is stale (SCENARIOS 31). */
  servesWithoutState(): void {
    this.#current?.note('uncertain', 'opens', null);
    this.#end('provisional');
  }

  /** The mgr sends clients here. */
  announced(): void {
    this.#hasSynced = true;
    this.#end('recovered');
  }

  /** The iod stops. Resolves when the reports are written, as far as they can be. */
  async close(): Promise<void> {
    this.#end('interrupted');
    await this.#options.log.settled();
  }

  #begin(cause: RecoveryCause, why: string, phase: string): Recovery {
    const { clock, daemon } = this.#options;
    return new Recovery({ clock, daemon, cause, why, phase });
  }

  #end(outcome: RecoveryOutcome): void {
    if (this.#current === undefined) return;
    this.#options.log.add(this.#current.end(outcome));
    this.#current = undefined;
  }
}
