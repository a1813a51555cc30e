/**
 * How an iod gets the part of the open table that is its own: digests of what it may know already,
 * a snapshot of the rest, and behind the cut the stream of changes. Nobody waits for a sync, and it waits for nobody but its own iod (DESIGN 4).
 */
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Context, Handlers } from '../../shared/rpc/service.ts';
import type { Timer } from '../../shared/runtime/runtime.ts';
import { iodOfColumn, type Layout } from '../../shared/stripe.ts';
import { compareEpochs, type Epoch, type IodIndex } from '../../shared/units.ts';
import { syncOps } from '../../shared/wire/sync-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { OpenEntry } from '../../shared/wire/values.ts';
import type { ClusterNeeds } from '../cluster-port.ts';
import type { MemberRow } from '../store/rows.ts';
import { protocolKey } from '../store/setting-keys.ts';
import { DeltaStream } from './delta-stream.ts';
import { requireListedHost } from './iod-origin.ts';
import type { Reaper } from './reaper.ts';
import type { Roster } from './roster.ts';

/** One connection of an iod, from its `join` on: while it syncs, and while it serves. */
interface Sync {
  readonly index: IodIndex;
  readonly connection: Connection;
  /** What it has heard belongs to this epoch; in another it begins again. */
  readonly epoch: Epoch;
  readonly stream: DeltaStream;
  /** Once it has read all of a part: the change up to which the iod must be for the swap. */
  goal: number | undefined;
  /** Entries of the snapshot that it has been told of. */
  told: number;
}

type SyncNeeds = Pick<ClusterNeeds, 'runtime' | 'cluster' | 'openTable' | 'store'>;
type Join = RequestOf<typeof syncOps.join>;
type JoinReply = ReplyOf<typeof syncOps.join>;
type Confirm = ReplyOf<typeof syncOps.confirm>;

export class IodSync {
  readonly #needs: SyncNeeds;
  readonly #roster: Roster;
  readonly #reaper: Reaper;
  readonly #syncs = new Map<IodIndex, Sync>();
  /** Streams with changes that wait. */
  readonly #pushed = new Set<DeltaStream>();
  #soon: Timer | undefined;

  constructor(needs: SyncNeeds, roster: Roster, reaper: Reaper) {
    this.#needs = needs;
    this.#roster = roster;
    this.#reaper = reaper;
  }

  readonly handlers: Handlers<typeof syncOps> = {
    join: (request, context) => this.#join(request, context),
    compare: ({ after, whole }, { connection }) => {
      const sync = this.#running(connection);
      const { openTable } = this.#needs;
      const ranges = whole ? openTable.whole(sync.index) : openTable.ranges(sync.index, after);
      if (ranges.done) this.#allRead(sync);
      this.#needs.runtime.killPoint('mgr.sync.compared');
      return ranges;
    },
    snapshot: ({ after, upTo }, { connection }) => {
      const sync = this.#running(connection);
      const part = { iod: sync.index, after, upTo };
      const page = this.#needs.openTable.page(part, limits.opensPerSnapshotChunk);
      sync.told += page.entries.length;
      if (page.next === undefined) this.#allRead(sync);
      this.#needs.runtime.killPoint('mgr.sync.page-read');
      return page;
    },
    confirm: ({ sequence }, { connection }) => this.#confirm(sequence, connection),
    serving: ({ port, unixPath }, { connection }) => {
      const { index } = this.#joined(connection);
      this.#roster.apply({ kind: 'serving', index, port, unixPath });
      return {};
    },
    draining: (_, { connection }) => {
      const { index, stream } = this.#joined(connection);
      // Ahead of the answer: what it writes down for its next start is all there is.
      stream.flush();
      this.#roster.apply({ kind: 'draining', index });
      return {};
    },
    report: (space, { connection }) => {
      this.#roster.apply({ kind: 'reported', index: this.#joined(connection).index, space });
      return {};
    },
  };

  /** A change of the open table that is durable; the iods hear of it after `flushSoon`. */
  push(entry: OpenEntry, layout: Layout): void {
    for (let column = 0; column < layout.pcount; column++) {
      const stream = this.#syncs.get(iodOfColumn(layout, column))?.stream;
      if (stream === undefined) continue;
      stream.push(entry);
      if (stream.isFull) stream.flush();
      this.#pushed.add(stream);
    }
  }

  /**
   * Sends what was pushed in a little while: caps prove themselves, so nobody waits for it, and most
   * files that are opened are closed again at once.
   */
  flushSoon(): void {
    if (this.#pushed.size === 0 || this.#soon) return;
    this.#soon = this.#needs.runtime.clock.timer(limits.openChangesDelayMs, () => {
      this.#soon = undefined;
      for (const stream of this.#pushed) stream.flush();
      this.#pushed.clear();
    });
  }

  /** Opens that an iod has been told of, of at most so many; none when it does not sync. */
  progress(index: IodIndex): { readonly done: number; readonly total: number } {
    const sync = this.#syncs.get(index);
    if (sync === undefined) return { done: 0, total: 0 };
    return { done: sync.told, total: Math.max(sync.told, this.#needs.openTable.size) };
  }

  close(): void {
    this.#soon?.cancel();
  }

  disconnected(connection: Connection): void {
    const sync = this.#find(connection);
    if (sync) this.#syncs.delete(sync.index);
  }

  /** The row is durable before the answer leaves: answers are held until the commit. */
  async #join(request: Join, { connection, peer }: Context): Promise<JoinReply> {
    const row = this.#listed(request.name, peer.node);
    await requireListedHost(this.#needs.runtime.net, row, connection.peerHost);
    if (!connection.isOpen) throw new FsError('EPIPE', { what: `${row.name} has gone meanwhile` });
    const { index } = row;
    const { storeId, incarnation, generationSeen, hostId } = request;
    const { lives, device, totalBytes, freeBytes, quarantined } = request;
    this.#roster.join(
      {
        index,
        storeId: hex(storeId),
        incarnation,
        lives: lives.map(hex),
        generationSeen,
        hostId,
        space: { device, totalBytes, freeBytes, quarantined },
      },
      connection,
    );
    const { cluster, openTable, runtime, store } = this.#needs;
    const { sequence: cut, size: opens } = openTable;
    const stream = new DeltaStream(connection, cut, (error) => {
      this.#streamBroken(row.name, connection, error);
    });
    const { epoch } = this.#roster;
    this.#syncs.set(index, { index, connection, epoch, stream, goal: undefined, told: 0 });
    runtime.killPoint('mgr.sync.joined');
    return { index, cluster, cut, opens, running: Number(store.setting(protocolKey)) };
  }

  /** Of what it has read now, all that is older than this is on its way. */
  #allRead(sync: Sync): void {
    sync.goal = sync.stream.last;
    sync.stream.flush();
  }

  async #confirm(sequence: number, connection: Connection): Promise<Confirm> {
    const sync = this.#running(connection);
    const { goal, index } = sync;
    if (goal === undefined) {
      throw new FsError('EPROTO', { what: 'confirmed before the snapshot was complete' });
    }
    if (sequence < goal) return { caughtUp: false, sequence: goal };
    // Nobody may read what was cut off while the iod was away (SCENARIOS 14).
    await this.#reaper.truncateAll(connection, index);
    if (this.#running(connection) !== sync) throw restarted();
    this.#roster.apply({ kind: 'caughtUp', index });
    this.#needs.runtime.killPoint('mgr.sync.confirmed');
    return { caughtUp: true, sequence };
  }

  #listed(name: string, node: string): MemberRow {
    const member = this.#roster.all.find(({ row }) => row.name === name);
    if (member && node === name) return member.row;
    throw new FsError('EPERM', {
      id: 'WEFT_E_NOT_MEMBER',
      what: `the iodtab has no iod '${name}'${node === name ? '' : ` for who is '${node}'`}`,
    });
  }

  #find(connection: Connection): Sync | undefined {
    for (const sync of this.#syncs.values()) if (sync.connection === connection) return sync;
    return undefined;
  }

  #joined(connection: Connection): Sync {
    const sync = this.#find(connection);
    if (sync) return sync;
    throw new FsError('EPROTO', { what: `${connection.description} has not joined` });
  }

  /** @throws FsError EAGAIN WEFT_E_CONFIG_CHANGE when the sync must begin again */
  #running(connection: Connection): Sync {
    const sync = this.#joined(connection);
    if (compareEpochs(sync.epoch, this.#roster.epoch) !== 0) throw restarted();
    return sync;
  }

  #streamBroken(iod: string, connection: Connection, error: FsError): void {
    if (!connection.isOpen) return;
    this.#needs.runtime.log.warn('iod must sync again', { key: iod, iod, why: error.message });
    connection.close(error);
  }
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

function restarted(): FsError {
  return new FsError('EAGAIN', {
    id: 'WEFT_E_CONFIG_CHANGE',
    what: 'the membership has changed: the sync begins again',
    retryAfterMs: 10,
  });
}
