/** What the parts of a mgr tell of what happens, in the words of the cluster's events. */
import { startReasons, type StartCause } from '../shared/data-directory.ts';
import { humanDuration } from '../shared/figures.ts';
import type { Finding } from '../shared/health-findings.ts';
import type { EventLog } from './event-log.ts';
import type { RecoveryReport } from '../shared/recovery-report.ts';
import type { Epoch } from '../shared/units.ts';
import type { ClusterEvent } from '../shared/cluster-event.ts';
import { version } from '../shared/version.ts';
import type { MemberState } from '../shared/wire/values.ts';
import type { MgrState } from './lifecycle.ts';
import type { Session } from './sessions.ts';

type SessionWord = Extract<ClusterEvent['what'], 'began' | 'away' | 'back' | 'lost' | 'ended'>;

const stateWords = {
  BOOT: undefined,
  RECOVERING: 'recovering',
  ACTIVE: 'active',
  STOPPED: 'stopped',
} as const satisfies Record<MgrState, ClusterEvent['what'] | undefined>;

export class ClusterEvents {
  readonly log: EventLog;
  readonly #epoch: () => Epoch;
  readonly #members = new Map<string, MemberState>();
  /** `CODE subject` of what was wrong at the last look; at a start, of the mgr before. */
  readonly #findings: Set<string>;

  constructor(log: EventLog, epoch: () => Epoch) {
    this.log = log;
    this.#epoch = epoch;
    this.#findings = openFindings(log);
  }

  started(cause: StartCause): void {
    this.#add('mgr', 'mgr', 'started', `version ${version}, ${startReasons[cause]}`);
  }

  mgrMoved(to: MgrState, why: string): void {
    const word = stateWords[to];
    if (word !== undefined) this.#add('mgr', 'mgr', word, why);
  }

  /** @param starts of the iod on its disk */
  iodMoved(iod: string, state: MemberState, starts: number): void {
    // It is told of the end of a lease too.
    if (this.#members.get(iod) === state) return;
    this.#members.set(iod, state);
    this.#add('iod', iod, state, state === 'serving' ? `start ${starts}` : '');
  }

  session(what: SessionWord, { session, name, connection }: Session): void {
    const from = connection === undefined ? '' : ` from ${connection.peerHost}`;
    this.#add('session', `session ${session}`, what, `${name}${from}`);
  }

  recoveryBegan(daemon: string, why: string): void {
    this.#add('recovery', daemon, 'began', why);
  }

  recoveryEnded({ daemon, why, outcome, tookMs, number }: RecoveryReport): void {
    const took = humanDuration(tookMs / 1000);
    this.#add(
      'recovery',
      daemon,
      outcome,
      `${why}, took ${took}: weft recovery show mgr-${number}`,
    );
  }

  /** What is wrong now. */
  health(findings: readonly Finding[]): void {
    const now = new Map(findings.map((one) => [keyOf(one), one]));
    for (const [key, { code, subject, detail }] of now) {
      if (this.#findings.has(key)) continue;
      this.#findings.add(key);
      this.#add('health', subject, 'raised', `${code}: ${detail}`);
    }
    for (const key of this.#findings) {
      if (now.has(key)) continue;
      this.#findings.delete(key);
      const [code = '', ...subject] = key.split(' ');
      this.#add('health', subject.join(' '), 'cleared', code);
    }
  }

  #add(
    kind: ClusterEvent['kind'],
    subject: string,
    what: ClusterEvent['what'],
    detail: string,
  ): void {
    const { generation, number } = this.#epoch();
    this.log.add({ epoch: `${generation}.${number}`, kind, subject, what, detail });
  }
}

function keyOf({ code, subject }: Pick<Finding, 'code' | 'subject'>): string {
  return `${code} ${subject}`;
}

/** Raised, and not cleared since. */
function openFindings({ all }: EventLog): Set<string> {
  const open = new Set<string>();
  for (const { kind, what, subject, detail } of all) {
    if (kind !== 'health') continue;
    const key = `${detail.split(':', 1)[0]} ${subject}`;
    if (what === 'raised') open.add(key);
    else open.delete(key);
  }
  return open;
}
