/**
 * Fences sessions: only when no iod accepts anything of a session any more may its rights and
 * locks go to others (DESIGN 5, SCENARIOS 113).
 */
import { FsError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import type { IodIndex, SessionId } from '../../shared/units.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { FanOut } from './fan-out.ts';
import type { Roster } from './roster.ts';

interface Fence {
  /** Iods that have acknowledged, and have not synced since: that could bring the session back. */
  readonly acknowledged: Set<IodIndex>;
  readonly done: Promise<void>;
}

export class Fencing {
  readonly #runtime: Runtime;
  readonly #roster: Roster;
  readonly #fanOut: FanOut;
  readonly #fences = new Map<SessionId, Fence>();

  constructor(runtime: Runtime, roster: Roster, fanOut: FanOut) {
    this.#runtime = runtime;
    this.#roster = roster;
    this.#fanOut = fanOut;
    roster.listen((index) => {
      if (roster.at(index).state !== 'syncing') return;
      for (const { acknowledged } of this.#fences.values()) acknowledged.delete(index);
    });
  }

  /** Resolves when every iod has acknowledged or surely serves nobody. Never rejects. */
  fence(session: SessionId): Promise<void> {
    const standing = this.#fences.get(session);
    if (standing) return standing.done;
    const acknowledged = new Set<IodIndex>();
    this.#runtime.killPoint('mgr.fence.before');
    // Later than it is entered, also when there is nobody to be asked.
    const done = this.#fenceAll(session, acknowledged).finally(() => {
      this.#fences.delete(session);
    });
    this.#fences.set(session, { acknowledged, done });
    return done;
  }

  async #fenceAll(session: SessionId, acknowledged: Set<IodIndex>): Promise<void> {
    for (;;) {
      const missing = this.#roster.all
        .map(({ row }) => row.index)
        .filter((iod) => !this.#isFenced(iod, acknowledged));
      if (missing.length === 0) break;
      await Promise.all(missing.map((iod) => this.#fenceAt(iod, session, acknowledged)));
    }
    this.#runtime.killPoint('mgr.fence.after');
  }

  #isFenced(iod: IodIndex, acknowledged: ReadonlySet<IodIndex>): boolean {
    const { state } = this.#roster.at(iod);
    return acknowledged.has(iod) || (state !== 'syncing' && !this.#roster.mayServe(iod));
  }

  async #fenceAt(iod: IodIndex, session: SessionId, acknowledged: Set<IodIndex>): Promise<void> {
    const ask = (connection: Connection): Promise<void> => this.#ask(connection, session);
    const options = { deadline: Infinity, whileSyncing: 'wait', errand: { session } } as const;
    const outcome = await this.#fanOut.reach(iod, ask, options);
    // A sync may have begun in the packet that brought the answer.
    if (outcome === 'acknowledged' && this.#roster.reachable(iod)) acknowledged.add(iod);
  }

  /** An iod that does not fence is cut off, so that its lease ends what it will not. */
  async #ask(connection: Connection, session: SessionId): Promise<void> {
    const deadline = this.#runtime.clock.now() + limits.heartbeatSilenceMs;
    try {
      await connection.call(iodOps.fence, { session }, { deadline });
    } catch (error) {
      const cause = toFsError(error);
      if (cause.code === 'EAGAIN') throw cause;
      const what = `${connection.description} did not fence session ${session}: ${cause.message}`;
      const lost = new FsError('EPIPE', { what, cause });
      connection.close(lost);
      throw lost;
    }
  }
}
