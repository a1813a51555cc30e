/**
 * The tables of the mgr's SQLite file, and how an older file becomes a newer one. A migration is
 * never edited once released: files in the field have run it.
 */
import type { Database } from 'better-sqlite3';
import { FsError } from '../../shared/errno.ts';

/** Marks the file as a weftfs name store ("weft"): shown by file(1), checked at open. */
const applicationId = 0x77656674;

/**
 * Names are BLOBs: bytes, compared as bytes. Times are seconds and nanoseconds, because
 * nanoseconds since 1970 do not fit in 2^53. `kind` is the position in `inodeKinds`.
 *
 * Entries are kept in the order of a listing, by directory and cookie: cookies only grow, so a
 * directory that grows is appended to. The index by handle answers "what is the name of this file".
 */
const version1 = `
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE inodes (
  handle INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL, mode INTEGER NOT NULL, links INTEGER NOT NULL,
  uid INTEGER NOT NULL, gid INTEGER NOT NULL, device INTEGER NOT NULL, size INTEGER NOT NULL,
  accessed_s INTEGER NOT NULL, accessed_ns INTEGER NOT NULL,
  modified_s INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
  changed_s INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
  born_s INTEGER NOT NULL, born_ns INTEGER NOT NULL,
  base INTEGER, pcount INTEGER, ssize INTEGER, total INTEGER,
  target BLOB, parent INTEGER, defaults TEXT
);
CREATE INDEX orphans ON inodes (handle) WHERE links = 0;

CREATE TABLE dirents (
  parent INTEGER, cookie INTEGER, name BLOB NOT NULL, handle INTEGER NOT NULL, kind INTEGER NOT NULL,
  PRIMARY KEY (parent, cookie)
) WITHOUT ROWID;
CREATE UNIQUE INDEX dirents_by_name ON dirents (parent, name);
CREATE INDEX dirents_by_handle ON dirents (handle);

CREATE TABLE xattrs (
  handle INTEGER, name BLOB, value BLOB NOT NULL, PRIMARY KEY (handle, name)
) WITHOUT ROWID;

CREATE TABLE sessions (
  session INTEGER PRIMARY KEY, name TEXT NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
  groups TEXT NOT NULL, trusted INTEGER NOT NULL
);
CREATE TABLE opens (
  session INTEGER, handle INTEGER, readers INTEGER NOT NULL, writers INTEGER NOT NULL,
  sequence INTEGER NOT NULL, PRIMARY KEY (session, handle)
) WITHOUT ROWID;
CREATE TABLE replies (
  session INTEGER, slot INTEGER, sequence INTEGER NOT NULL, op INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (session, slot)
) WITHOUT ROWID;

CREATE TABLE pending (
  iod INTEGER, handle INTEGER, kind TEXT NOT NULL, length INTEGER NOT NULL,
  PRIMARY KEY (iod, handle)
) WITHOUT ROWID;

CREATE TABLE members (
  iod INTEGER PRIMARY KEY, name TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
  bound_port INTEGER NOT NULL, unix_path TEXT NOT NULL, host_id TEXT NOT NULL,
  store_id TEXT NOT NULL, incarnation INTEGER NOT NULL, evicted INTEGER NOT NULL
);
`;

/** Rows of before have number 0, which no row gets any more, and no life, which is any. */
const version2 = `
ALTER TABLE pending ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN life TEXT NOT NULL DEFAULT '';
`;

/** Sessions of before may change what their users may. */
const version3 = `
ALTER TABLE sessions ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
`;

/** Since when, in seconds since 1970; of opens of before nobody knows. */
const version4 = `
ALTER TABLE opens ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
`;

/** Files of before have their bytes at the iods; `place` is the position in `bytesPlaces`. */
const version5 = `
ALTER TABLE inodes ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE TABLE contents (handle INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
`;

/** Files, which are of kind 0, are counted from now on with each commit that makes or removes some. */
const version6 = `
INSERT INTO settings SELECT 'files', CAST(count(*) AS TEXT) FROM inodes WHERE kind = 0;
`;

/** Directories, each lent to one session. */
const version7 = `
CREATE TABLE lent (handle INTEGER PRIMARY KEY, session INTEGER NOT NULL);
`;

/** Files of before are taken to have no holes. */
const version8 = `
ALTER TABLE inodes ADD COLUMN holes INTEGER NOT NULL DEFAULT 0;
`;

/** Migration i makes version i + 1 of version i; version 0 is the empty file. */
export const migrations: readonly string[] = [
  version1,
  version2,
  version3,
  version4,
  version5,
  version6,
  version7,
  version8,
];

/**
 * Brings the file to the newest version, in one transaction.
 * @throws FsError EINVAL: WEFT_E_DATA_NEWER when a newer weftfs wrote it, WEFT_E_DATA_ROLE when it
 *   is a SQLite file of something else; nothing is touched then
 */
export function migrate(database: Database, list: readonly string[] = migrations): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version === 0) refuseForeign(database);
  if (version > list.length) {
    throw new FsError('EINVAL', {
      id: 'WEFT_E_DATA_NEWER',
      what: `${database.name} has schema version ${version}, this program knows ${list.length}`,
    });
  }
  if (version === list.length) return;
  database
    .transaction(() => {
      for (const step of list.slice(version)) database.exec(step);
      database.pragma(`application_id = ${applicationId}`);
      database.pragma(`user_version = ${list.length}`);
    })
    .immediate();
}

function refuseForeign(database: Database): void {
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (tables === 0) return;
  throw new FsError('EINVAL', {
    id: 'WEFT_E_DATA_ROLE',
    what: `${database.name} is a SQLite file, but no weftfs name store`,
  });
}
