/** The iods' side of the mgr, put together: what each part does is told in its own file. */
import assert from 'node:assert/strict';
import { FsError, toFsError } from '../../shared/errno.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Waiting } from '../../shared/rpc/waits.ts';
import { iodOfColumn, type Layout } from '../../shared/stripe.ts';
import type { IodIndex, SessionId } from '../../shared/units.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { Op } from '../../shared/wire/op.ts';
import type { Member, OpenEntry } from '../../shared/wire/values.ts';
import {
  type Absence,
  type AskedSize,
  type ClusterNeeds,
  type ClusterPort,
  iodDown,
  type Space,
} from '../cluster-port.ts';
import type { Inode } from '../store/rows.ts';
import { FanOut } from './fan-out.ts';
import { Fencing } from './fencing.ts';
import { IodSync } from './iod-sync.ts';
import { pingIods } from './ping.ts';
import { Reaper } from './reaper.ts';
import { Roster } from './roster.ts';
import { Sizes } from './sizes.ts';

export class Cluster implements ClusterPort {
  readonly handlers: ClusterPort['handlers'];
  readonly #needs: ClusterNeeds;
  readonly #roster: Roster;
  readonly #fanOut: FanOut;
  readonly #reaper: Reaper;
  readonly #sync: IodSync;
  readonly #sizes: Sizes;
  readonly #fencing: Fencing;

  /** Takes its members from the store, and the generation from `epochs`. */
  constructor(needs: ClusterNeeds) {
    const { runtime } = needs;
    this.#needs = needs;
    this.#roster = new Roster(needs);
    this.#roster.listen((index) => {
      const { row, state } = this.#roster.at(index);
      needs.onMoved?.(row.name, state, row.incarnation);
    });
    this.#fanOut = new FanOut(runtime, this.#roster);
    this.#reaper = new Reaper(needs, this.#roster);
    this.#sync = new IodSync(needs, this.#roster, this.#reaper);
    this.#sizes = new Sizes(runtime, this.#roster, this.#reaper);
    this.#fencing = new Fencing(runtime, this.#roster, this.#fanOut);
    this.handlers = {
      ...this.#sync.handlers,
      members: () => ({ hostId: runtime.net.hostId, members: [...this.members()] }),
      pingIods: () => pingIods(runtime.clock, this.#roster),
      evictIod: ({ index, admit }) => ({ member: this.#evict(index, admit) }),
    };
  }

  get iodTotal(): number {
    return this.#roster.all.length;
  }

  members(): readonly Member[] {
    return this.#roster.all.map((member) => this.#roster.describe(member));
  }

  absences(): readonly Absence[] {
    const now = this.#needs.runtime.clock.now();
    return this.#roster.all
      .filter(({ state }) => state !== 'serving')
      .map(({ row: { index }, mayServeUntil }) => ({
        index,
        ...this.#sync.progress(index),
        leftMs: isFinite(mayServeUntil) && mayServeUntil > now ? mayServeUntil - now : undefined,
      }));
  }

  async ask<Q, R>(index: IodIndex, op: Op<Q, R>, request: Q, deadline: number): Promise<R> {
    const { name } = this.#roster.at(index).row;
    const connection = this.#roster.reachable(index);
    if (connection) return connection.call(op, request, { deadline });
    throw new FsError('EHOSTUNREACH', { id: 'WEFT_E_IOD_DOWN', what: `${name} does not serve` });
  }

  waits(): Iterable<Waiting> {
    return this.#roster.waits();
  }

  space(): Space {
    return this.#roster.space();
  }

  opened(entry: OpenEntry, layout: Layout): void {
    this.#sync.push(entry, layout);
  }

  freed(): void {
    this.#reaper.wakeAllSoon();
  }

  committed(): void {
    this.#sync.flushSoon();
  }

  askSize(inode: Inode): Promise<AskedSize> {
    return this.#sizes.ask(inode);
  }

  async truncate({ handle, layout }: Inode, deadline: number): Promise<void> {
    if (layout === undefined) return;
    const iods = Array.from({ length: layout.pcount }, (_, column) =>
      iodOfColumn(layout, column),
    ).filter((iod) => this.#reaper.truncateOf(iod, handle) !== undefined);
    try {
      await this.#fanOut.all(
        iods,
        (connection, iod) => this.#reaper.truncate(connection, iod, handle),
        {
          deadline,
          whileSyncing: deadline === Infinity ? 'wait' : 'refuse',
          errand: { handles: [handle] },
        },
      );
    } catch (error) {
      // Its caller has given up, but the rows stand.
      for (const iod of iods) this.#reaper.wake(iod);
      throw error;
    }
  }

  async place({ handle, layout }: Inode, bytes: Uint8Array, deadline: number): Promise<void> {
    assert(layout !== undefined, 'only files have bytes');
    try {
      await this.ask(iodOfColumn(layout, 0), iodOps.place, { handle, bytes }, deadline);
    } catch (error) {
      const { code, what } = toFsError(error);
      if (code !== 'EPIPE' && code !== 'EHOSTUNREACH') throw error;
      throw iodDown(what);
    }
  }

  fence(session: SessionId): Promise<void> {
    return this.#fencing.fence(session);
  }

  disconnected(connection: Connection): void {
    this.#sync.disconnected(connection);
    this.#roster.disconnected(connection);
  }

  close(): void {
    this.#roster.close();
    this.#sync.close();
    this.#reaper.close();
  }

  /** The row is put in every case: of a commit that failed only the memory knows. */
  #evict(index: IodIndex, admit: boolean): Member {
    this.#roster.at(index);
    this.#roster.apply({ kind: admit ? 'admitted' : 'evicted', index });
    const member = this.#roster.at(index);
    this.#needs.view.add({ kind: 'put-member', row: member.row });
    return this.#roster.describe(member);
  }
}
