/**
 * The recoveries of the cluster as the mgr sees them: its own start, until whoever does not come
 * back is cleaned up; sessions that are lost later; iods that were away. Each ends in a report.
 */
import { startReasons, type StartCause } from '../shared/data-directory.ts';
import { limits } from '../shared/limits.ts';
import { Recovery, type RecoveryBegin, type RecoveryOptions } from '../shared/recovery.ts';
import type { RecoveryLog } from '../shared/recovery-log.ts';
import type { RecoveryOutcome } from '../shared/recovery-report.ts';
import type { Clock } from '../shared/runtime/runtime.ts';
import type { MemberState, RecoveryState } from '../shared/wire/values.ts';
import type { ClusterEvents } from './cluster-events.ts';
import type { OpenTable } from './open-table.ts';
import type { Session, Sessions } from './sessions.ts';

export interface RecoveriesOptions {
  readonly clock: Clock;
  readonly log: RecoveryLog;
  readonly cause: StartCause;
  /** When this start began. */
  readonly begin: RecoveryBegin;
  readonly openTable: Pick<OpenTable, 'countOf' | 'filesOf' | 'isWriter'>;
  readonly sessions: Pick<Sessions, 'missing' | 'reclaimLeftMs'>;
  /** Hears of each when it begins, and when it has ended. */
  readonly events?: Pick<ClusterEvents, 'recoveryBegan' | 'recoveryEnded'>;
}

const daemon = 'mgr';

export class Recoveries {
  readonly log: RecoveryLog;
  readonly #options: RecoveriesOptions;
  /** Of sessions: the start, or one that some have been lost since. */
  #current: Recovery | undefined;
  /** Those of before the start, while they may come back. */
  #loaded: readonly Session[] | undefined;
  /** Lost, and not cleaned up yet. */
  readonly #leaving = new Set<Session>();
  #lostTotal = 0;
  readonly #iods = new Map<string, Recovery>();
  /** Iods that have served since this start, by their last state. */
  readonly #states = new Map<string, MemberState>();

  constructor(options: RecoveriesOptions) {
    this.#options = options;
    this.log = options.log;
    const { cause, begin } = options;
    const why = startReasons[cause];
    this.#current = this.#begin({ cause, why, phase: 'load', begin });
  }

  /** All that is durable is back in memory. @param pending changes that iods have not heard of */
  loaded(sessions: readonly Session[], orphans: number, pending: number): void {
    this.#loaded = sessions;
    const current = this.#current;
    if (pending > 0) current?.note('restored', 'changes for iods', pending);
    if (orphans > 0) current?.note('dropped', 'files without name or holder', orphans);
    current?.enter('listen');
  }

  /** From now on sessions may come back. */
  listening(): void {
    this.#current?.enter('reclaim');
  }

  /** Those in `missing` have not come back in time; all others have, or have ended. */
  reclaimed(missing: ReadonlySet<Session>): void {
    const back = (this.#loaded ?? []).filter((session) => !missing.has(session));
    this.#loaded = undefined;
    if (back.length > 0) {
      const { openTable } = this.#options;
      const opens = back.reduce((sum, { session }) => sum + openTable.countOf(session), 0);
      this.#current?.note('restored', 'sessions', back.length, back.map(nameOf));
      this.#current?.note('restored', 'opens', opens);
    }
    this.#current?.enter('clean-up');
    if (missing.size === 0) this.#endIfClean();
  }

  /** The client was away for too long: what it had goes to others. */
  lost(session: Session): void {
    const { openTable } = this.#options;
    this.#current ??= this.#begin({
      cause: 'sessions-lost',
      why: 'their clients were away for longer than their lease',
      phase: 'clean-up',
    });
    const whose = [nameOf(session)];
    this.#current.note('dropped', 'sessions', 1, whose);
    const opens = openTable.countOf(session.session);
    if (opens > 0) this.#current.note('dropped', 'opens', opens, whose);
    const written = this.#writtenBy(session);
    if (written > 0) this.#current.note('uncertain', 'files being written', written, whose);
    this.#leaving.add(session);
    this.#lostTotal++;
  }

  /** Nothing is left of it. */
  cleanedUp(session: Session): void {
    this.#leaving.delete(session);
    this.#endIfClean();
  }

  /** An iod has moved. */
  moved(iod: string, state: MemberState): void {
    const before = this.#states.get(iod);
    const recovery = this.#iods.get(iod);
    if (state === 'serving') this.#endOf(iod, 'recovered');
    else if (state === 'evicted') this.#endOf(iod, 'interrupted');
    else if (recovery && recovery.phase !== state) recovery.enter(state);
    else if (!recovery && before !== undefined && before !== 'evicted' && state !== 'draining') {
      this.#iods.set(iod, this.#lostIod(iod, before, state));
    }
    if (state === 'serving' || before !== undefined) this.#states.set(iod, state);
  }

  /** The recovery that concerns everybody. @param away names of the iods that do not serve */
  state(away: readonly string[]): RecoveryState | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const { cause, phase, elapsedMs } = current;
    const { missing, reclaimLeftMs } = this.#options.sessions;
    const isOpen = this.#loaded !== undefined;
    const total = this.#loaded?.length ?? this.#lostTotal;
    const left = isOpen ? missing.size : this.#leaving.size;
    const names = isOpen ? [...firstOf(missing)].map(nameOf) : away;
    return {
      cause,
      phase,
      elapsedMs: Math.round(elapsedMs),
      done: Math.max(0, total - left),
      total,
      missing: names.slice(0, limits.recoveryNamesMax).map(shortName),
      missingTotal: isOpen ? missing.size : away.length,
      leftMs: isOpen ? reclaimLeftMs : undefined,
    };
  }

  /** The mgr stops. */
  close(): void {
    this.#end('interrupted');
    for (const iod of this.#iods.keys()) this.#endOf(iod, 'interrupted');
  }

  #lostIod(iod: string, before: MemberState, phase: MemberState): Recovery {
    const why = before === 'draining' ? `${iod} was stopped in order` : `${iod} was lost`;
    return this.#begin({ cause: 'iod-lost', why, phase });
  }

  #begin(recovery: Omit<RecoveryOptions, 'clock' | 'daemon'>): Recovery {
    const { clock, events } = this.#options;
    events?.recoveryBegan(daemon, recovery.why);
    return new Recovery({ clock, daemon, ...recovery });
  }

  #report(recovery: Recovery, outcome: RecoveryOutcome): void {
    const report = this.log.add(recovery.end(outcome));
    this.#options.events?.recoveryEnded(report);
  }

  #endOf(iod: string, outcome: RecoveryOutcome): void {
    const recovery = this.#iods.get(iod);
    this.#iods.delete(iod);
    if (recovery) this.#report(recovery, outcome);
  }

  #endIfClean(): void {
    if (this.#loaded === undefined && this.#leaving.size === 0) this.#end('recovered');
  }

  #end(outcome: RecoveryOutcome): void {
    if (this.#current) this.#report(this.#current, outcome);
    this.#current = undefined;
    this.#lostTotal = 0;
  }

  #writtenBy({ session }: Session): number {
    const { openTable } = this.#options;
    let written = 0;
    for (const handle of openTable.filesOf(session)) {
      if (openTable.isWriter(session, handle)) written++;
    }
    return written;
  }
}

function nameOf({ name, session }: Session): string {
  return `${name} (session ${session})`;
}

function shortName(name: string): string {
  return name.slice(0, limits.recoveryTextMax);
}

function* firstOf(sessions: Iterable<Session>): Generator<Session> {
  let count = 0;
  for (const session of sessions) {
    if (count++ === limits.recoveryNamesMax) return;
    yield session;
  }
}
