/**
 * The store as the rest of the mgr sees it: dumb, batch by batch. All rules stand above it, and
 * nothing above it knows SQL. Changes come as one batch a tick: applied whole or not at all, and
 * refused when the generation is no longer the newest (a fence). The batches are one log: what is on
 * the disk is all of them up to some point.
 */
import type { ByteString, Handle, IodIndex, SessionId } from '../../shared/units.ts';
import type {
  DirentRow,
  Inode,
  LentRow,
  MemberRow,
  Mutation,
  PendingRow,
  ReplyRow,
  SessionRow,
  StoredOpen,
} from './rows.ts';

/** The place that a store has on its disk; somebody else sees to it. */
export interface Room {
  /** False: nothing new is to be made, lest what is there can be neither used nor removed. */
  readonly isLeft: boolean;
  /** A commit has found the disk full. @returns true when another attempt may find room */
  runOut(): boolean;
}

/** `disk` where nothing is said. */
export type CommitWait = 'disk' | 'nothing';

export interface MetaStore {
  /** False: the disk is full. Whoever would make something new does not begin. */
  readonly hasRoom: boolean;
  /** Batches have been committed that a power loss may still take. */
  readonly isBehind: boolean;

  inode(handle: Handle): Inode | undefined;
  dirent(parent: Handle, name: ByteString): DirentRow | undefined;
  /** Entries with a cookie above `after`, by cookie, at most `count`. */
  dirents(parent: Handle, after: number, count: number): readonly DirentRow[];
  /** Some name of a handle: for `pathOf`. */
  direntOf(handle: Handle): DirentRow | undefined;
  /** At most `count` of its names. */
  direntsOf(handle: Handle, count: number): readonly DirentRow[];
  xattr(handle: Handle, name: ByteString): Uint8Array | undefined;
  xattrNames(handle: Handle): readonly ByteString[];
  /** All bytes of a file that has some here. */
  contents(handle: Handle): Uint8Array | undefined;
  /** Files (kind `file`) with a handle above `after`, by handle, at most `count`. */
  files(after: Handle, count: number): readonly Inode[];
  /** Files without a name (links 0): held by someone, or to be removed. In pages by handle. */
  orphans(after: Handle, count: number): readonly Inode[];
  fileCount(): number;

  sessions(): readonly SessionRow[];
  /** All opens, streamed, so that a million of them need no array. */
  opens(): Iterable<StoredOpen>;
  openCount(): number;
  /** Directories that are lent. */
  lent(): readonly LentRow[];
  replies(session: SessionId): readonly ReplyRow[];
  /** Pending work of an iod, by handle, at most `count` above `after`. */
  pending(iod: IodIndex, after: Handle, count: number): readonly PendingRow[];
  pendingCount(): number;
  members(): readonly MemberRow[];
  setting(key: string): string | undefined;

  /**
   * Applies all mutations in one transaction. It is durable when this returns, and so are all
   * before it; one that need not wait for the disk outlives the process, but not its host.
   * @throws FsError ENOSPC, EROFS, EIO (disk), ESTALE (a newer generation owns the store), EAGAIN
   *   (full, but there will be room); nothing of the batch is stored then
   */
  commit(mutations: readonly Mutation[], generation: number, waits?: CommitWait): void;
  close(): void;
}
