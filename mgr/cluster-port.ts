/**
 * The border between the mgr's two halves: sessions, names and opens on this side, the iods on the
 * other (`cluster/`). Each side sees of the other only what stands here.
 */
import { FsError } from '../shared/errno.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { EpochWatch } from '../shared/rpc/epoch-watch.ts';
import type { Handlers } from '../shared/rpc/service.ts';
import type { Waiting } from '../shared/rpc/waits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Layout } from '../shared/stripe.ts';
import type { Handle, IodIndex, SessionId, Timestamp } from '../shared/units.ts';
import type { clusterOps } from '../shared/wire/cluster-ops.ts';
import type { syncOps } from '../shared/wire/sync-ops.ts';
import type { Op, ReplyOf, RequestOf } from '../shared/wire/op.ts';
import type {
  Member,
  MemberState,
  OpenEntry,
  OpenPlace,
  OpenRange,
} from '../shared/wire/values.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { MetaView } from './store/batch.ts';
import type { Inode } from './store/rows.ts';

/** The iod is to come back soon: what needs it is asked for again. @param what waits for it */
export function iodDown(what: string | undefined): FsError {
  return new FsError('EAGAIN', { id: 'WEFT_E_IOD_DOWN', what, retryAfterMs: 100 });
}

/** The group commit as others see it (committer.ts). */
export interface Commits {
  /** The view has mutations: they are committed when the events of this tick are done. */
  schedule(): void;
  /**
   * Resolves when all that was ever committed, and all that the view holds now, is durable; the same
   * promise for all of a tick.
   * @throws FsError when the commit failed: nothing of the tick has happened
   */
  durable(): Promise<void>;
}

/** The opens in force of the files that have bytes on iod `iod`, of a part of all handles. */
export interface OpenPart {
  readonly iod: number;
  readonly after: OpenPlace;
  /** The last handle. */
  readonly upTo: Handle;
}

/** A page of the open table, for the snapshot of an iod. */
export interface OpenPage {
  /** By handle, then session. */
  readonly entries: readonly OpenEntry[];
  /** Behind it the next page begins; `undefined` when this was the last. */
  readonly next: OpenPlace | undefined;
}

/** What an iod must know of ranges of handles, each behind the one before, as digests. */
export interface OpenRanges {
  readonly ranges: readonly OpenRange[];
  /** The last of them reaches to the last handle that there can be. */
  readonly done: boolean;
}

/** The open table as the iods' side sees it (open-table.ts). */
export interface OpenStream {
  /** Number of the last change. Changes of this tick, not yet committed, are counted. */
  readonly sequence: number;
  /**
   * At most `count` entries of a part. It begins at its place at once, and looks at
   * `limits.opensLookedAtPerCall` opens at the most, of other iods too.
   */
  page(part: OpenPart, count: number): OpenPage;
  /** Digests of all that an iod must know, from a handle on; bounded as a page is. */
  ranges(iod: number, afterHandle: Handle): OpenRanges;
  /** One range with all that an iod must know; it costs nothing. */
  whole(iod: number): OpenRanges;
  /** How many opens there are, over all iods. */
  readonly size: number;
}

export interface ClusterNeeds {
  readonly runtime: Runtime;
  /** Id of the cluster: an iod of it that does not know it yet learns it when it joins. */
  readonly cluster: string;
  /** For mutations (members, pending). */
  readonly view: MetaView;
  /** For what only the disk knows: pending rows and members as committed. */
  readonly store: MetaStore;
  readonly commits: Commits;
  readonly epochs: EpochWatch;
  readonly openTable: OpenStream;
  /** An iod is in another state; at a start it is told of none. */
  readonly onMoved?: (iod: string, state: MemberState, incarnation: number) => void;
}

/** How far an iod is that does not serve. */
export interface Absence {
  readonly index: IodIndex;
  /** Opens that it has been told of, of at most so many. */
  readonly done: number;
  readonly total: number;
  /** Until its lease ends: then nobody waits for it any more. `undefined` when it has none. */
  readonly leftMs: number | undefined;
}

/** How long a file is as far as its iods could be asked. */
export interface AskedSize {
  /** The greatest logical end over the columns asked; 0 when there are none. */
  readonly size: number;
  /** Bytes of it that the iods really keep; `undefined` when one could not be asked. */
  readonly allocated: number | undefined;
  /** Latest time of a write to any column. */
  readonly modified: Timestamp | undefined;
  /** False when an iod of the layout could not be asked. */
  readonly exact: boolean;
}

export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** True when an iod could not be counted. */
  readonly partial: boolean;
}

type Evict = typeof clusterOps.evictIod;

type ClusterHandlers = Handlers<typeof syncOps> &
  Handlers<Pick<typeof clusterOps, 'members' | 'pingIods'>> & {
    readonly evictIod: (request: RequestOf<Evict>) => ReplyOf<Evict>;
  };

/** What the iods' side offers (cluster/cluster.ts). */
export interface ClusterPort {
  /**
   * Role, cluster key and session are checked before; whether a peer that proved the key is a
   * member is checked here. `evictIod` runs within the exactly-once rule as any change.
   */
  readonly handlers: ClusterHandlers;
  /** Number of iods in the iodtab: `total` of new layouts. */
  readonly iodTotal: number;
  members(): readonly Member[];
  /** The iods that do not serve. */
  absences(): readonly Absence[];
  /**
   * Asks an iod for what only it knows.
   * @throws FsError EHOSTUNREACH WEFT_E_IOD_DOWN; of the iod
   */
  ask<Q, R>(index: IodIndex, op: Op<Q, R>, request: Q, deadline: number): Promise<R>;
  /** Who waits for an iod to come back, or to be sure that it serves nobody. */
  waits(): Iterable<Waiting>;
  space(): Space;

  /**
   * The open table has changed, durably: the entry is for the iods of the layout. Called in the
   * order of `sequence`, after the commit; never for what was discarded. Entries of the tick in
   * which an iod joins come after its cut although their numbers are not above it.
   */
  opened(entry: OpenEntry, layout: Layout): void;
  /** Pending remove rows are in the store: the reaper has work. */
  freed(): void;
  /** After each commit, when all its `opened` and `freed` were told: now they may go out. */
  committed(): void;

  /** Asks the iods of the file. Never rejects: what cannot be asked makes it not `exact`. */
  askSize(inode: Inode): Promise<AskedSize>;
  /**
   * Sends the truncates that are pending for the file (rows in the store) to its iods, deletes the
   * rows as they are acknowledged, and resolves when each iod has acknowledged or has surely lost
   * its lease; at once when no row is pending. A row that was put anew meanwhile stays.
   * @param deadline Infinity when no caller waits: then an iod that syncs is waited for
   * @throws FsError ETIMEDOUT WEFT_E_IOD_DOWN at `deadline`; EAGAIN WEFT_E_RESYNCING; of an iod
   */
  truncate(inode: Inode, deadline: number): Promise<void>;
  /**
   * Has the iod of the first byte of a file store exactly these bytes, durably.
   * @throws FsError EAGAIN WEFT_E_IOD_DOWN when it is away; ENOSPC, EIO … of the iod; ETIMEDOUT
   */
  place(inode: Inode, bytes: Uint8Array, deadline: number): Promise<void>;
  /**
   * Resolves when no iod accepts anything of the session any more: each has acknowledged, or its
   * lease has surely ended. Never rejects; it takes `limits.iodLeaseAtMgrMs` at the longest.
   */
  fence(session: SessionId): Promise<void>;

  /** A connection of a peer was lost, whoever it was. */
  disconnected(connection: Connection): void;
  close(): void;
}
