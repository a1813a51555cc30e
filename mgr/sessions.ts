/**
 * The sessions: who they act for, on which connection, and how long they last without one. The
 * lease counts from the last connection; while one stands the client is heard (its heartbeat ends
 * a connection that is silent). After a restart of the mgr they may come back for a while.
 */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection, Peer } from '../shared/rpc/connection.ts';
import type { Clock, Timer } from '../shared/runtime/runtime.ts';
import type { SessionId } from '../shared/units.ts';
import type { Participant } from './committer.ts';
import type { Identity } from '../shared/inherited.ts';
import type { MetaView } from './store/batch.ts';
import type { SessionRow } from './store/rows.ts';

export interface Session extends SessionRow {
  /** The one connection that speaks for it; `undefined` while the client is away. */
  connection: Connection | undefined;
  /** It is over: nothing is done for it any more but the cleaning up. */
  ended: boolean;
  /** It has come back with something that was lent to it, and settles that first. */
  owes: boolean;
}

export interface SessionsOptions {
  readonly view: MetaView;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** The lease of a session, or its time to come back, has passed. */
  readonly onExpired: (session: Session) => void;
  /** One has come or gone; `ended`: nothing of it is left. */
  readonly onMoved?: (session: Session, to: 'began' | 'away' | 'back' | 'ended') => void;
  /** One of before the restart is back, with all that it has open. */
  readonly onBack?: (session: Session) => void;
  /** All sessions of before the restart are back, but for `missing`: they will not come back. */
  readonly onReclaimed: (why: string, missing: ReadonlySet<Session>) => void;
}

/** How many leases long sessions may come back after a restart of the mgr. */
const reclaimLeases = limits.reclaimWindowMs / limits.sessionLeaseMs;

export class Sessions implements Participant {
  readonly #options: SessionsOptions;
  /** Also those that have ended, until all that they had is cleaned up. */
  readonly #sessions = new Map<SessionId, Session>();
  /** Away since, in the order of their going: the first one's lease ends first. */
  readonly #away = new Map<Session, number>();
  /** Of before the restart, and not back yet with all that they have open. */
  readonly #missing = new Set<Session>();
  #begun: Session[] = [];
  #lease: Timer | undefined;
  #window: Timer | undefined;
  #windowEndsAt = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** How long a session lasts without a connection. */
  get leaseMs(): number {
    return this.#options.leaseMs;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Without a connection, or not back with all that they have open, and not ended yet. */
  get awayCount(): number {
    return this.#away.size + this.#missing.size;
  }

  /** Those with numbers above `after`, in order; also what has ended, until it is cleaned up. */
  *from(after: SessionId): Iterable<Session> {
    for (const session of this.#sessions.values()) if (session.session > after) yield session;
  }

  /** Milliseconds until it is ended for being away; `undefined` while it is here. */
  leftMs(session: Session): number | undefined {
    if (this.#missing.has(session)) return this.reclaimLeftMs;
    const since = this.#away.get(session);
    if (since === undefined) return undefined;
    return Math.max(0, Math.round(since + this.leaseMs - this.#options.clock.now()));
  }

  /** Of before the restart, and not back yet with all that they have open. */
  get missing(): ReadonlySet<Session> {
    return this.#missing;
  }

  isMissing(id: SessionId): boolean {
    const session = this.#sessions.get(id);
    return session !== undefined && this.#missing.has(session);
  }

  /** Milliseconds for which they may still come back. */
  get reclaimLeftMs(): number {
    return Math.max(0, Math.round(this.#windowEndsAt - this.#options.clock.now()));
  }

  /** At the start: the sessions as stored. @returns them */
  load(rows: Iterable<SessionRow>): readonly Session[] {
    for (const row of rows) {
      const session: Session = { ...row, connection: undefined, ended: false, owes: false };
      this.#sessions.set(row.session, session);
      this.#missing.add(session);
    }
    return [...this.#missing];
  }

  /** From now on clients can reach us: those that were there before have a while to come back. */
  startReclaim(): void {
    const windowMs = this.leaseMs * reclaimLeases;
    this.#windowEndsAt = this.#options.clock.now() + windowMs;
    this.#window = this.#options.clock.timer(windowMs, () => {
      this.#endReclaim();
    });
    this.#checkReclaimed();
  }

  /** Also one that has ended, until all that it had is cleaned up. */
  find(id: SessionId): Session | undefined {
    return this.#sessions.get(id);
  }

  has(id: SessionId): boolean {
    return this.#sessions.get(id)?.ended === false;
  }

  /** @throws FsError ESTALE, WEFT_E_SESSION_LOST: it has ended, or never was */
  get(id: SessionId): Session {
    const session = this.#sessions.get(id);
    if (session !== undefined && !session.ended) return session;
    throw sessionLost(id);
  }

  /**
   * A new session, durable with the commit of this tick.
   * @throws FsError EAGAIN, WEFT_E_BUSY: there are too many
   */
  begin(
    connection: Connection,
    name: string,
    identity: Identity,
    { trusted, readOnly = false }: Pick<Peer, 'trusted' | 'readOnly'>,
  ): Session {
    if (this.#sessions.size >= limits.sessionsMax) {
      throw new FsError('EAGAIN', {
        id: 'WEFT_E_BUSY',
        what: `there are ${this.#sessions.size} sessions already`,
        retryAfterMs: 1000,
      });
    }
    const { uid, gid, groups } = identity;
    const number = this.#options.view.allocateSession();
    const row = { session: number, name, uid, gid, groups, trusted, readOnly };
    const session: Session = { ...row, connection, ended: false, owes: false };
    this.#options.view.add({ kind: 'put-session', row });
    this.#sessions.set(row.session, session);
    this.#begun.push(session);
    return session;
  }

  /**
   * The client is there: this connection speaks for it from now on. Its time to come back runs until
   * it `isBack`. @throws FsError ESTALE
   */
  attach(id: SessionId, connection: Connection): Session {
    const session = this.get(id);
    const wasGone = session.connection === undefined;
    session.connection = connection;
    this.#away.delete(session);
    if (wasGone) this.#options.onMoved?.(session, 'back');
    return session;
  }

  /** What it has open is known, and what it owed is settled. */
  isBack(session: Session): void {
    if (session.owes || !this.#missing.delete(session)) return;
    this.#options.onBack?.(session);
    this.#checkReclaimed();
  }

  /** A connection is lost: if it was the session's own, its lease runs from now. */
  detach(id: SessionId, connection: Connection): void {
    const session = this.#sessions.get(id);
    if (session?.connection !== connection) return;
    session.connection = undefined;
    if (session.ended) return;
    // Of who is missing the time to come back runs.
    if (!this.#missing.has(session)) this.#away.set(session, this.#options.clock.now());
    this.#options.onMoved?.(session, 'away');
    this.#watchLeases();
  }

  /** Nothing is done for it any more. @returns false when it has ended before */
  end(session: Session): boolean {
    if (session.ended) return false;
    session.ended = true;
    this.#away.delete(session);
    this.#missing.delete(session);
    this.#checkReclaimed();
    return true;
  }

  /** All that it had is cleaned up, durably. */
  forget(session: Session): void {
    this.#sessions.delete(session.session);
    this.#options.onMoved?.(session, 'ended');
  }

  settle(): void {
    for (const session of this.#begun) this.#options.onMoved?.(session, 'began');
    this.#begun = [];
  }

  /** Those that began in this tick never were; their clients are told, and begin again. */
  discard(): void {
    for (const session of this.#begun) {
      session.ended = true;
      this.#sessions.delete(session.session);
    }
    this.#begun = [];
  }

  close(): void {
    this.#lease?.cancel();
    this.#window?.cancel();
  }

  /** One timer for all: it waits for the lease that ends first. */
  #watchLeases(): void {
    if (this.#lease !== undefined) return;
    const [first] = this.#away.values();
    if (first === undefined) return;
    const { clock } = this.#options;
    this.#lease = clock.timer(first + this.leaseMs - clock.now(), () => {
      this.#lease = undefined;
      this.#expireLeases();
      this.#watchLeases();
    });
  }

  #expireLeases(): void {
    const endedBefore = this.#options.clock.now() - this.leaseMs;
    for (const [session, since] of this.#away) {
      if (since > endedBefore) return;
      this.#away.delete(session);
      this.#options.onExpired(session);
    }
  }

  #endReclaim(): void {
    const missing = new Set(this.#missing);
    this.#missing.clear();
    this.#finishReclaim(`${missing.size} sessions did not come back`, missing);
    for (const session of missing) this.#options.onExpired(session);
  }

  #checkReclaimed(): void {
    if (this.#window !== undefined && this.#missing.size === 0) {
      this.#finishReclaim('all sessions are back', this.#missing);
    }
  }

  #finishReclaim(why: string, missing: ReadonlySet<Session>): void {
    this.#window?.cancel();
    this.#window = undefined;
    this.#options.onReclaimed(why, missing);
  }
}

export function sessionLost(id: SessionId): FsError {
  return new FsError('ESTALE', {
    id: 'WEFT_E_SESSION_LOST',
    what: `session ${id} has ended at the mgr`,
  });
}
