/** Every read of the name store, as SQL. Rows are arrays: several times as fast as objects. */
import type { Database, Statement } from 'better-sqlite3';
import { inodeColumns, type InodeValues, kindNumber } from './inode-columns.ts';
import type { PendingRow } from './rows.ts';
import { fromSqlite } from './sqlite-errors.ts';

/** One prepared read, with the types of what it takes and gives. @throws FsError EIO */
class Query<Parameters extends unknown[], Row> {
  readonly #statement: Statement<unknown[], Row>;

  constructor(database: Database, sql: string) {
    this.#statement = database.prepare<unknown[], Row>(sql).raw();
  }

  get(...parameters: Parameters): Row | undefined {
    try {
      return this.#statement.get(...parameters);
    } catch (error) {
      throw fromSqlite(error);
    }
  }

  all(...parameters: Parameters): Row[] {
    try {
      return this.#statement.all(...parameters);
    } catch (error) {
      throw fromSqlite(error);
    }
  }
}

export type DirentValues = [
  parent: number,
  name: Buffer,
  handle: number,
  kind: number,
  cookie: number,
];
export type SessionValues = [
  session: number,
  name: string,
  uid: number,
  gid: number,
  groups: string,
  trusted: number,
  readOnly: number,
];
export type OpenValues = [
  session: number,
  handle: number,
  readers: number,
  writers: number,
  sequence: number,
  since: number,
  base: number | null,
  pcount: number | null,
  ssize: number | null,
  total: number | null,
];
export type LentValues = [handle: number, session: number];
export type ReplyValues = [slot: number, sequence: number, op: number, body: Buffer];
export type PendingValues = [
  handle: number,
  kind: PendingRow['kind'],
  length: number,
  number: number,
];
export type MemberValues = [
  iod: number,
  name: string,
  host: string,
  port: number,
  boundPort: number,
  unixPath: string,
  hostId: string,
  storeId: string,
  incarnation: number,
  evicted: number,
  life: string,
];

type ByHandle = [handle: number];
type ByName = [handle: number, name: Buffer];
type Page = [after: number, count: number];
type PageOf = [of: number, after: number, count: number];

const inode = `SELECT ${inodeColumns.join(', ')} FROM inodes`;
const dirent = 'SELECT parent, name, handle, kind, cookie FROM dirents';

export type Queries = ReturnType<typeof prepareQueries>;

export function prepareQueries(database: Database) {
  const query = <Parameters extends unknown[], Row>(sql: string) =>
    new Query<Parameters, Row>(database, sql);
  return {
    inode: query<ByHandle, InodeValues>(`${inode} WHERE handle = ?`),
    files: query<Page, InodeValues>(
      `${inode} WHERE handle > ? AND kind = ${kindNumber('file')} ORDER BY handle LIMIT ?`,
    ),
    orphans: query<Page, InodeValues>(
      `${inode} INDEXED BY orphans WHERE links = 0 AND handle > ? ORDER BY handle LIMIT ?`,
    ),
    dirent: query<ByName, [handle: number, kind: number, cookie: number]>(
      'SELECT handle, kind, cookie FROM dirents WHERE parent = ? AND name = ?',
    ),
    dirents: query<PageOf, DirentValues>(
      `${dirent} WHERE parent = ? AND cookie > ? ORDER BY cookie LIMIT ?`,
    ),
    direntOf: query<ByHandle, DirentValues>(`${dirent} WHERE handle = ? LIMIT 1`),
    direntsOf: query<[handle: number, count: number], DirentValues>(
      `${dirent} WHERE handle = ? LIMIT ?`,
    ),
    xattr: query<ByName, [value: Buffer]>('SELECT value FROM xattrs WHERE handle = ? AND name = ?'),
    xattrNames: query<ByHandle, [name: Buffer]>(
      'SELECT name FROM xattrs WHERE handle = ? ORDER BY name',
    ),
    contents: query<ByHandle, [bytes: Buffer]>('SELECT bytes FROM contents WHERE handle = ?'),
    lent: query<[], LentValues>('SELECT handle, session FROM lent'),
    sessions: query<[], SessionValues>('SELECT * FROM sessions ORDER BY session'),
    opens: query<PageOf, OpenValues>(
      `SELECT opens.*, base, pcount, ssize, total FROM opens LEFT JOIN inodes USING (handle)
      WHERE (session, handle) > (?, ?) ORDER BY session, handle LIMIT ?`,
    ),
    openCount: query<[], [count: number]>('SELECT count(*) FROM opens'),
    replies: query<[session: number], ReplyValues>(
      'SELECT slot, sequence, op, body FROM replies WHERE session = ?',
    ),
    pending: query<PageOf, PendingValues>(
      `SELECT handle, kind, length, number FROM pending
      WHERE iod = ? AND handle > ? ORDER BY handle LIMIT ?`,
    ),
    members: query<[], MemberValues>('SELECT * FROM members ORDER BY iod'),
    setting: query<[key: string], [value: string]>('SELECT value FROM settings WHERE key = ?'),
  };
}
