/** What a failure of SQLite means to a caller. */
import Database from 'better-sqlite3';
import { type Errno, FsError } from '../../shared/errno.ts';
import type { ErrorId } from '../../shared/error-catalogue.ts';

/** By the beginning of SQLite's code: extended codes (`SQLITE_IOERR_FSYNC`) follow the plain one. */
const meanings: readonly (readonly [string, Errno, ErrorId])[] = [
  ['SQLITE_FULL', 'ENOSPC', 'WEFT_E_DISK'],
  ['SQLITE_READONLY', 'EROFS', 'WEFT_E_DISK'],
  ['SQLITE_BUSY', 'EAGAIN', 'WEFT_E_DATA_LOCKED'],
  ['SQLITE_LOCKED', 'EAGAIN', 'WEFT_E_DATA_LOCKED'],
  ['SQLITE_CORRUPT', 'EIO', 'WEFT_E_DATA_DAMAGED'],
  ['SQLITE_NOTADB', 'EIO', 'WEFT_E_DATA_DAMAGED'],
  ['SQLITE_CANTOPEN', 'EIO', 'WEFT_E_DISK'],
  ['SQLITE_IOERR', 'EIO', 'WEFT_E_DISK'],
];

/** @returns an error of SQLite as FsError, EIO if nothing else fits; any other error as it is */
export function fromSqlite(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const [, errno, id] = meanings.find(([code]) => error.code.startsWith(code)) ?? [];
  const what = `name store: ${error.message} (${error.code})`;
  return new FsError(errno ?? 'EIO', { id, what, cause: error });
}
