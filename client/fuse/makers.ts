/**
 * Sessions on behalf of those who make files. The kernel checks who may do what; but owner, group
 * and the rules of set-gid directories are the mgr's, in the one commit that makes the file. All
 * else runs in the session of the mount. A maker's session holds nothing, so it may go at any time.
 */
import { FsError } from '../../shared/errno.ts';
import type { Waiting } from '../../shared/rpc/waits.ts';
import type { MgrSession } from '../mgr-session.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

interface Maker {
  readonly session: MgrSession;
  /** Calls under way. */
  busy: number;
}

export class Makers {
  readonly #own: MgrSession;
  readonly #max: number;
  /** The one used longest ago is the first. */
  readonly #makers = new Map<string, Maker>();

  /**
   * @param own of the mount, which acts for root
   * @param max sessions at a time beside it
   */
  constructor(own: MgrSession, max: number) {
    this.#own = own;
    this.#max = max;
  }

  get size(): number {
    return this.#makers.size;
  }

  isOwn({ uid, gid }: Identity): boolean {
    return uid === 0 && gid === 0;
  }

  /** @throws FsError ENFILE when too many users make files at this moment; and what `act` throws */
  async actingFor<T>(who: Identity, act: (session: MgrSession) => Promise<T>): Promise<T> {
    if (this.isOwn(who)) return act(this.#own);
    const maker = this.#makerFor(who);
    maker.busy++;
    try {
      return await act(maker.session);
    } finally {
      maker.busy--;
    }
  }

  *waits(): Iterable<Waiting> {
    for (const { session } of this.#makers.values()) yield* session.waits();
  }

  async close(): Promise<void> {
    const makers = [...this.#makers.values()];
    this.#makers.clear();
    await Promise.all(makers.map(({ session }) => this.#end(session)));
  }

  #makerFor({ uid, gid, groups }: Identity): Maker {
    const key = [uid, gid, ...groups].join(' ');
    const known = this.#makers.get(key);
    if (known !== undefined) {
      this.#makers.delete(key);
      this.#makers.set(key, known);
      return known;
    }
    if (this.#makers.size >= this.#max) this.#dropOne();
    const maker = { session: this.#own.actingFor({ uid, gid, groups }), busy: 0 };
    this.#makers.set(key, maker);
    return maker;
  }

  #dropOne(): void {
    for (const [key, { session, busy }] of this.#makers) {
      if (busy > 0) continue;
      this.#makers.delete(key);
      void this.#end(session);
      return;
    }
    throw new FsError('ENFILE', {
      what: `${this.#makers.size} users make files through this mount at the same time`,
    });
  }

  /** At once: what cannot be told the mgr now, the lease of the session tells. */
  #end(session: MgrSession): Promise<void> {
    return session.close(session.runtime.clock.now() + endTimeoutMs);
  }
}

const endTimeoutMs = 1000;
