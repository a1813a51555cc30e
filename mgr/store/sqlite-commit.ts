/** Applies a batch of mutations to the SQLite file in one transaction, fenced by the generation. */
import type { Database, Statement } from 'better-sqlite3';
import { FsError } from '../../shared/errno.ts';
import type { Handle } from '../../shared/units.ts';
import { inodeColumns, kindNumber, nameBytes, toValues } from './inode-columns.ts';
import type { CommitWait } from './meta-store.ts';
import type { Inode, MemberRow, Mutation, PendingRow, PendingWork } from './rows.ts';
import { filesKey, generationKey } from './setting-keys.ts';
import { fromSqlite } from './sqlite-errors.ts';
import type { MemberValues } from './sqlite-queries.ts';

const fileKind = kindNumber('file');

/** Rows that are counted as they come and go, because counting them all takes too long. */
export interface Counts {
  files: number;
  pending: number;
}

/** NORMAL syncs the log only before it is written back; FULL at each commit, with all before it. */
const syncModes: Readonly<Record<CommitWait, string>> = { disk: 'FULL', nothing: 'NORMAL' };

export class BatchWriter {
  readonly #sql: Statements;
  #waits: CommitWait | undefined;
  #isBehind = false;
  #counts: Counts;
  /** Above it every handle is new: no row needs to be looked for before the insert. */
  #handleMax: number;
  /** Of the row of pending work that was put last: greater than any in the file. */
  #pendingNumber: number;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
    const count = (sql: string): number => database.prepare(sql).pluck().get() as number;
    this.#counts = {
      files: Number(this.#sql.setting.get(filesKey)),
      pending: count('SELECT count(*) FROM pending'),
    };
    this.#handleMax = count('SELECT ifnull(max(handle), 0) FROM inodes');
    this.#pendingNumber = count('SELECT ifnull(max(number), 0) FROM pending');
  }

  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  /** Commits have not waited for the disk, and none after them has. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** @throws FsError as `MetaStore.commit` says */
  commit(mutations: readonly Mutation[], generation: number, waits: CommitWait): void {
    const before = { ...this.#counts };
    try {
      this.#waitFor(waits);
      this.#sql.begin.run();
      try {
        this.#fence(generation);
        for (const mutation of mutations) this.#apply(mutation);
        const { files } = this.#counts;
        if (files !== before.files) this.#sql.putSetting.run(filesKey, String(files));
        this.#sql.commit.run();
        this.#isBehind = waits === 'nothing';
      } finally {
        if (this.#sql.database.inTransaction) this.#sql.rollback.run();
      }
    } catch (error) {
      this.#counts = before;
      throw fromSqlite(error);
    }
  }

  /** SQLite takes another mode between transactions only. */
  #waitFor(waits: CommitWait): void {
    if (this.#waits === waits) return;
    this.#sql.database.pragma(`synchronous = ${syncModes[waits]}`);
    this.#waits = waits;
  }

  /** A mgr that was taken for dead must not write over what its successor has promised. */
  #fence(generation: number): void {
    const stored = Number(this.#sql.setting.get(generationKey) ?? 0);
    if (stored <= generation) return;
    throw new FsError('ESTALE', {
      what: `the name store belongs to generation ${stored} of the mgr, not to ${generation}`,
    });
  }

  #apply(mutation: Mutation): void {
    const sql = this.#sql;
    switch (mutation.kind) {
      case 'put-inode':
        return this.#putInode(mutation.row);
      case 'delete-inode':
        return this.#deleteInode(mutation.handle);
      case 'put-dirent': {
        const { cookie, parent, name, handle, kind } = mutation.row;
        sql.putDirent.run(parent, cookie, nameBytes(name), handle, kindNumber(kind));
        return;
      }
      case 'delete-dirent':
        sql.deleteDirent.run(mutation.parent, nameBytes(mutation.name));
        return;
      case 'put-xattr':
        sql.putXattr.run(mutation.handle, nameBytes(mutation.name), mutation.value);
        return;
      case 'delete-xattr':
        sql.deleteXattr.run(mutation.handle, nameBytes(mutation.name));
        return;
      case 'put-contents':
        sql.putContents.run(mutation.handle, mutation.bytes);
        return;
      case 'delete-contents':
        sql.deleteContents.run(mutation.handle);
        return;
      case 'put-pending':
        return this.#putPending(mutation.row);
      case 'delete-pending':
        return this.#deletePending(mutation.row);
      case 'put-session':
      case 'delete-session':
      case 'put-open':
      case 'delete-open':
      case 'put-lent':
      case 'delete-lent':
      case 'put-reply':
      case 'put-member':
      case 'put-setting':
        this.#applyToSessions(mutation);
    }
  }

  #applyToSessions(mutation: SessionMutation): void {
    const sql = this.#sql;
    switch (mutation.kind) {
      case 'put-session': {
        const { session, name, uid, gid, groups, trusted, readOnly } = mutation.row;
        const flags = [trusted, readOnly].map(Number);
        sql.putSession.run(session, name, uid, gid, JSON.stringify(groups), ...flags);
        return;
      }
      case 'delete-session':
        for (const statement of sql.deleteSession) statement.run(mutation.session);
        return;
      case 'put-open': {
        const { session, handle, readers, writers, sequence, since } = mutation.row;
        sql.putOpen.run(session, handle, readers, writers, sequence, since);
        return;
      }
      case 'delete-open':
        sql.deleteOpen.run(mutation.session, mutation.handle);
        return;
      case 'put-lent':
        sql.putLent.run(mutation.row.handle, mutation.row.session);
        return;
      case 'delete-lent':
        sql.deleteLent.run(mutation.handle);
        return;
      case 'put-reply': {
        const { session, slot, sequence, op, body } = mutation.row;
        sql.putReply.run(session, slot, sequence, op, body);
        return;
      }
      case 'put-member':
        sql.putMember.run(...memberValues(mutation.row));
        return;
      case 'put-setting':
        sql.putSetting.run(mutation.row.key, mutation.row.value);
    }
  }

  #putInode(inode: Inode): void {
    const values = toValues(inode);
    if (inode.handle <= this.#handleMax) {
      const [handle, ...rest] = values;
      if (this.#sql.updateInode.run(...rest, handle).changes === 1) return;
    }
    this.#sql.insertInode.run(...values);
    this.#handleMax = Math.max(this.#handleMax, inode.handle);
    if (inode.kind === 'file') this.#counts.files++;
  }

  #deleteInode(handle: Handle): void {
    const kind = this.#sql.deleteInode.get(handle);
    if (kind === fileKind) this.#counts.files--;
    this.#sql.deleteXattrs.run(handle);
  }

  #putPending({ iod, handle, kind, length }: PendingWork): void {
    const number = ++this.#pendingNumber;
    const { changes } = this.#sql.insertPending.run(iod, handle, kind, length, number);
    this.#counts.pending += changes;
    if (changes === 0) this.#sql.updatePending.run(kind, length, number, iod, handle);
  }

  #deletePending({ iod, handle, number }: PendingRow): void {
    this.#counts.pending -= this.#sql.deletePending.run(iod, handle, number).changes;
  }
}

type SessionMutation = Extract<
  Mutation,
  {
    kind:
      | 'put-session'
      | 'delete-session'
      | 'put-lent'
      | 'delete-lent'
      | 'put-open'
      | 'delete-open'
      | 'put-reply'
      | 'put-member'
      | 'put-setting';
  }
>;

function memberValues(row: MemberRow): MemberValues {
  const { index, name, host, port, boundPort, unixPath, hostId, storeId, incarnation } = row;
  return [
    index,
    name,
    host,
    port,
    boundPort,
    unixPath,
    hostId,
    storeId,
    incarnation,
    row.evicted ? 1 : 0,
    row.life,
  ];
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: Database) {
  const prepare = (sql: string): Statement => database.prepare(sql);
  const into = (table: string, columns: number): Statement =>
    prepare(`INSERT OR REPLACE INTO ${table} VALUES (${places(columns)})`);
  const [key, ...others] = inodeColumns;
  return {
    database,
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    setting: prepare('SELECT value FROM settings WHERE key = ?').pluck(),
    insertInode: prepare(`INSERT INTO inodes VALUES (${places(inodeColumns.length)})`),
    updateInode: prepare(
      `UPDATE inodes SET ${others.map((column) => `${column} = ?`).join(', ')} WHERE ${key} = ?`,
    ),
    deleteInode: prepare('DELETE FROM inodes WHERE handle = ? RETURNING kind').pluck(),
    putDirent: into('dirents', 5),
    deleteDirent: prepare('DELETE FROM dirents WHERE parent = ? AND name = ?'),
    putXattr: into('xattrs', 3),
    deleteXattr: prepare('DELETE FROM xattrs WHERE handle = ? AND name = ?'),
    deleteXattrs: prepare('DELETE FROM xattrs WHERE handle = ?'),
    putContents: into('contents', 2),
    deleteContents: prepare('DELETE FROM contents WHERE handle = ?'),
    putSession: into('sessions', 7),
    deleteSession: ['opens', 'lent', 'replies', 'sessions'].map((table) =>
      prepare(`DELETE FROM ${table} WHERE session = ?`),
    ),
    putOpen: into('opens', 6),
    deleteOpen: prepare('DELETE FROM opens WHERE session = ? AND handle = ?'),
    putLent: into('lent', 2),
    deleteLent: prepare('DELETE FROM lent WHERE handle = ?'),
    putReply: into('replies', 5),
    insertPending: prepare('INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?, ?)'),
    updatePending: prepare(
      'UPDATE pending SET kind = ?, length = ?, number = ? WHERE iod = ? AND handle = ?',
    ),
    deletePending: prepare('DELETE FROM pending WHERE iod = ? AND handle = ? AND number = ?'),
    putMember: into('members', 11),
    putSetting: into('settings', 2),
  };
}

function places(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ');
}
