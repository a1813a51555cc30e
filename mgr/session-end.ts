/**
 * How a session ends, by its client's word or by its lease: first nothing of it is accepted any
 * more, anywhere; only then what it had goes, exactly its own (DESIGN 5). What it wrote is kept: of
 * each file that it may have written the iods are asked for the length. A step that fails is tried
 * again, also after a restart: the session is in the store until nothing is left of it.
 */
import { FsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Acceptor } from '../shared/rpc/acceptor.ts';
import { isPowerOfTwo } from '../shared/rpc/retry.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { Attempts } from './attempts.ts';
import type { ClusterPort, Commits } from './cluster-port.ts';
import type { FileSizes } from './file-sizes.ts';
import type { LostOpens } from './lost-opens.ts';
import type { OpenTable } from './open-table.ts';
import { release } from './ops/release.ts';
import type { ReplyCache } from './reply-cache.ts';
import { type Session, type Sessions, sessionLost } from './sessions.ts';
import type { MetaView } from './store/batch.ts';
import type { TickChanges } from './tick-changes.ts';
import { changeWritten } from './written-file.ts';

export interface SessionEndOptions {
  readonly runtime: Runtime;
  readonly view: MetaView;
  readonly commits: Commits;
  readonly tick: TickChanges;
  readonly openTable: OpenTable;
  readonly sessions: Sessions;
  readonly replies: ReplyCache;
  readonly sizes: FileSizes;
  readonly lostOpens: Pick<LostOpens, 'isAwaited'>;
  readonly acceptor: Pick<Acceptor, 'fence'>;
  readonly cluster: Pick<ClusterPort, 'fence'>;
}

/** Files of one session that are let go of in one commit, or asked about at once. */
const batchMax = limits.reapBatchMax;

export class SessionEnd {
  readonly #options: SessionEndOptions;
  readonly #underWay = new Map<Session, Promise<void>>();
  readonly #attempts: Attempts;

  constructor(options: SessionEndOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.runtime);
  }

  /** Its time is over: its connection, if it should have one, is cut. Resolves as `end`. */
  expire(session: Session): Promise<void> {
    this.#options.runtime.log.warn('session expired', {
      key: session.session,
      session: session.session,
      name: session.name,
      opens: this.#options.openTable.countOf(session.session),
    });
    const ended = this.end(session);
    this.#options.acceptor.fence(session.session, sessionLost(session.session));
    return ended;
  }

  /** Resolves when nothing is left of the session. */
  end(session: Session): Promise<void> {
    let ending = this.#underWay.get(session);
    if (ending === undefined) {
      this.#options.sessions.end(session);
      ending = this.#cleanUp(session).finally(() => this.#underWay.delete(session));
      this.#underWay.set(session, ending);
    }
    return ending;
  }

  /** What is not cleaned up yet is left to the next start. */
  close(): void {
    this.#attempts.close();
  }

  async #cleanUp(session: Session): Promise<void> {
    const { openTable, cluster, lostOpens } = this.#options;
    const hasOpens = openTable.countOf(session.session) > 0 || lostOpens.isAwaited(session);
    if (hasOpens) await cluster.fence(session.session);
    await this.#attempts.untilDone((attempts) => this.#tryToFinish(session, attempts));
  }

  /** @returns true when nothing is left */
  async #tryToFinish(session: Session, attempts: number): Promise<boolean> {
    const { runtime, openTable, view, commits, sessions, replies } = this.#options;
    try {
      const files = [...openTable.filesOf(session.session)];
      for (let at = 0; at < files.length; at += batchMax) {
        await this.#dropFiles(session, files.slice(at, at + batchMax));
      }
      if (openTable.countOf(session.session) > 0) return false;
      view.add({ kind: 'delete-session', session: session.session });
      await commits.durable();
      sessions.forget(session);
      replies.forget(session.session);
      return true;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      if (isPowerOfTwo(attempts)) {
        const line = { key: session.session, session: session.session, why: error.message };
        runtime.log.warn('session end delayed', line);
      }
      return false;
    }
  }

  /** Files whose iods cannot be asked are left for the next time. */
  async #dropFiles(session: Session, files: readonly Handle[]): Promise<void> {
    const { openTable, commits } = this.#options;
    const written: Handle[] = [];
    for (const handle of files) {
      const isWriter = (openTable.find(handle, session.session)?.writers ?? 0) > 0;
      if (isWriter) written.push(handle);
      else this.#drop(session, handle);
    }
    await commits.durable();
    await Promise.all(
      written.map((handle) =>
        changeWritten(this.#options, handle, () => this.#drop(session, handle)),
      ),
    );
    await commits.durable();
  }

  #drop(session: Session, handle: Handle): void {
    const { openTable, view } = this.#options;
    openTable.drop(handle, session.session);
    release(view, openTable, handle);
  }
}
