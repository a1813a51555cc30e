/** `MetaStore` in a SQLite file: WAL, synced by the commits that ask for it, checked when opened. */
import Database, { type Database as SqliteDatabase } from 'better-sqlite3';
import { FsError, isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { ByteString, Handle, IodIndex, SessionId } from '../../shared/units.ts';
import { fromValues, kindOf, layoutOf, nameBytes, nameOf } from './inode-columns.ts';
import type { CommitWait, MetaStore, Room } from './meta-store.ts';
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
import { migrate } from './schema.ts';
import { BatchWriter } from './sqlite-commit.ts';
import { fromSqlite } from './sqlite-errors.ts';
import {
  type DirentValues,
  type MemberValues,
  type OpenValues,
  prepareQueries,
  type Queries,
} from './sqlite-queries.ts';

export type { SqliteDatabase };

/**
 * Where the tables are: in a file; in an image of one, as `serialize` gives it; or in an open
 * database of the caller, which `close` leaves open: a simulated crash is to open it once more.
 */
export type SqliteSource =
  | { readonly file: string }
  | { readonly image: Buffer }
  | { readonly database: SqliteDatabase };

/** How long another process that writes is waited for: all else waits with us. */
const busyTimeoutMs = 100;
/** How long room that is given up takes to come free, about. */
const roomRetryMs = 50;
const endless: Room = { isLeft: true, runOut: () => false };

/** A database in memory, for `{ database }`: an empty one, or as an image says. */
export function memoryDatabase(image?: Buffer): SqliteDatabase {
  return new Database(image ?? ':memory:');
}

/**
 * Opens, checks and if need be migrates the store. A transaction left open is rolled back.
 * @param room by default it is somebody else's concern that the disk may be full
 * @param checkedBytesMax a longer one is looked through only where the start reads all of it;
 *   elsewhere WEFT_E_DATA_DAMAGED may be the answer to what is asked of it later
 * @throws FsError WEFT_E_DATA_NEWER, WEFT_E_DATA_ROLE, WEFT_E_DATA_DAMAGED, WEFT_E_DATA_LOCKED,
 *   WEFT_E_DISK
 */
export function openSqliteStore(
  source: SqliteSource,
  room: Room = endless,
  checkedBytesMax: number = limits.storeCheckedBytesMax,
): MetaStore {
  let database: SqliteDatabase | undefined;
  try {
    database = openDatabase(source);
    prepareDatabase(database);
    requireSound(database, checkedBytesMax);
    migrate(database);
    return new SqliteStore(database, !('database' in source), room);
  } catch (error) {
    if (!('database' in source)) database?.close();
    throw fromSqlite(error);
  }
}

function openDatabase(source: SqliteSource): SqliteDatabase {
  if ('database' in source) return source.database;
  return new Database('file' in source ? source.file : source.image, { timeout: busyTimeoutMs });
}

function prepareDatabase(database: SqliteDatabase): void {
  if (database.inTransaction) database.exec('ROLLBACK');
  // Ours alone: reads and commits then take no file locks, and a second mgr on it is refused.
  database.pragma('locking_mode = EXCLUSIVE');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma(`wal_autocheckpoint = ${limits.storeWalPagesMax}`);
  database.pragma(`journal_size_limit = ${limits.storeWalPagesMax * 4096}`);
  keepPages(database, limits.storePageCacheBytes);
}

/** How much SQLite keeps in memory of what it has read. What is given up goes to the next pages. */
function keepPages(database: SqliteDatabase, bytes: number): void {
  database.pragma(`cache_size = ${-bytes / 1024}`);
}

/** Tables that are short, and read from end to end at the start. */
const readAtStart = ['settings', 'sessions', 'opens', 'lent', 'replies', 'pending', 'members'];

/** @throws FsError WEFT_E_DATA_DAMAGED */
function requireSound(database: SqliteDatabase, wholeBytesMax: number): void {
  const number = (name: string): number => database.pragma(name, { simple: true }) as number;
  const isShort = number('page_count') * number('page_size') <= wholeBytesMax;
  keepPages(database, limits.storeReadOnceCacheBytes);
  for (const part of isShort ? ['1'] : readAtStart) {
    const verdict = database.pragma(`quick_check(${part})`, { simple: true });
    if (verdict === 'ok') continue;
    throw new FsError('EIO', {
      id: 'WEFT_E_DATA_DAMAGED',
      what: `${database.name}: ${String(verdict)}`,
    });
  }
  keepPages(database, limits.storePageCacheBytes);
}

class SqliteStore implements MetaStore {
  readonly #database: SqliteDatabase;
  readonly #owned: boolean;
  readonly #room: Room;
  readonly #sql: Queries;
  readonly #writer: BatchWriter;

  constructor(database: SqliteDatabase, owned: boolean, room: Room) {
    this.#database = database;
    this.#owned = owned;
    this.#room = room;
    this.#sql = prepareQueries(database);
    this.#writer = new BatchWriter(database);
  }

  get hasRoom(): boolean {
    return this.#room.isLeft;
  }

  get isBehind(): boolean {
    return this.#writer.isBehind;
  }

  inode(handle: Handle): Inode | undefined {
    const row = this.#sql.inode.get(handle);
    return row && fromValues(row);
  }

  dirent(parent: Handle, name: ByteString): DirentRow | undefined {
    const row = this.#sql.dirent.get(parent, nameBytes(name));
    return row && { parent, name, handle: row[0] as Handle, kind: kindOf(row[1]), cookie: row[2] };
  }

  dirents(parent: Handle, after: number, count: number): readonly DirentRow[] {
    return this.#sql.dirents.all(parent, after, count).map(toDirent);
  }

  direntsOf(handle: Handle, count: number): readonly DirentRow[] {
    return this.#sql.direntsOf.all(handle, count).map(toDirent);
  }

  direntOf(handle: Handle): DirentRow | undefined {
    const row = this.#sql.direntOf.get(handle);
    return row && toDirent(row);
  }

  xattr(handle: Handle, name: ByteString): Uint8Array | undefined {
    return this.#sql.xattr.get(handle, nameBytes(name))?.[0];
  }

  xattrNames(handle: Handle): readonly ByteString[] {
    return this.#sql.xattrNames.all(handle).map(([name]) => nameOf(name));
  }

  contents(handle: Handle): Uint8Array | undefined {
    return this.#sql.contents.get(handle)?.[0];
  }

  files(after: Handle, count: number): readonly Inode[] {
    return this.#sql.files.all(after, count).map(fromValues);
  }

  orphans(after: Handle, count: number): readonly Inode[] {
    return this.#sql.orphans.all(after, count).map(fromValues);
  }

  fileCount(): number {
    return this.#writer.counts.files;
  }

  sessions(): readonly SessionRow[] {
    return this.#sql.sessions.all().map(([session, name, uid, gid, groups, trusted, readOnly]) => ({
      session: session as SessionId,
      name,
      uid,
      gid,
      groups: JSON.parse(groups) as number[],
      trusted: trusted === 1,
      readOnly: readOnly === 1,
    }));
  }

  lent(): readonly LentRow[] {
    return this.#sql.lent.all().map(([handle, session]) => ({
      handle: handle as Handle,
      session: session as SessionId,
    }));
  }

  /** Page by page: a statement left half read would keep the WAL from being written back. */
  *opens(): Iterable<StoredOpen> {
    let [session, handle] = [-1, -1];
    keepPages(this.#database, limits.storeReadOnceCacheBytes);
    try {
      for (;;) {
        const page = this.#sql.opens.all(session, handle, limits.opensPerSnapshotChunk);
        for (const row of page) {
          [session, handle] = row;
          yield toOpen(row);
        }
        if (page.length < limits.opensPerSnapshotChunk) return;
      }
    } finally {
      keepPages(this.#database, limits.storePageCacheBytes);
    }
  }

  openCount(): number {
    return this.#sql.openCount.get()?.[0] ?? 0;
  }

  replies(session: SessionId): readonly ReplyRow[] {
    return this.#sql.replies
      .all(session)
      .map(([slot, sequence, op, body]) => ({ session, slot, sequence, op, body }));
  }

  pending(iod: IodIndex, after: Handle, count: number): readonly PendingRow[] {
    return this.#sql.pending.all(iod, after, count).map(([handle, kind, length, number]) => ({
      handle: handle as Handle,
      iod,
      kind,
      length,
      number,
    }));
  }

  pendingCount(): number {
    return this.#writer.counts.pending;
  }

  members(): readonly MemberRow[] {
    return this.#sql.members.all().map(toMember);
  }

  setting(key: string): string | undefined {
    return this.#sql.setting.get(key)?.[0];
  }

  commit(mutations: readonly Mutation[], generation: number, waits: CommitWait = 'disk'): void {
    try {
      this.#writer.commit(mutations, generation, waits);
    } catch (error) {
      if (!isFsError(error) || error.code !== 'ENOSPC' || !this.#room.runOut()) throw error;
      const { what, cause } = error;
      throw new FsError('EAGAIN', { id: 'WEFT_E_DISK', what, cause, retryAfterMs: roomRetryMs });
    }
  }

  close(): void {
    if (this.#owned) this.#database.close();
  }
}

function toDirent([parent, name, handle, kind, cookie]: DirentValues): DirentRow {
  return {
    parent: parent as Handle,
    name: nameOf(name),
    handle: handle as Handle,
    kind: kindOf(kind),
    cookie,
  };
}

function toOpen(row: OpenValues): StoredOpen {
  const [session, handle, readers, writers, sequence, since, ...layout] = row;
  return {
    session: session as SessionId,
    handle: handle as Handle,
    readers,
    writers,
    sequence,
    since,
    layout: layoutOf(...layout),
  };
}

function toMember(row: MemberValues): MemberRow {
  const [index, name, host, port, boundPort, unixPath, hostId, storeId, ...rest] = row;
  const [incarnation, evicted, life] = rest;
  return {
    index: index as IodIndex,
    name,
    host,
    port,
    boundPort,
    unixPath,
    hostId,
    storeId,
    incarnation,
    life,
    evicted: evicted === 1,
  };
}
