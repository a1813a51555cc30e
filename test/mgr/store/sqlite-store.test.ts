import assert from 'node:assert/strict';
import test from 'ava';
import { generationKey } from '../../../mgr/store/setting-keys.ts';
import type { Inode, MemberRow, Mutation } from '../../../mgr/store/rows.ts';
import { memoryDatabase, openSqliteStore } from '../../../mgr/store/sqlite-store.ts';
import { limits } from '../../../shared/limits.ts';
import type { ByteString, Handle, IodIndex, SessionId } from '../../../shared/units.ts';
import { bytes } from '../name-space.ts';
import { dirent, file, putInode, refusal } from './sample-rows.ts';

const directory: Inode = {
  ...file,
  handle: 1 as Handle,
  kind: 'directory',
  layout: undefined,
  parent: 1 as Handle,
  defaults: {
    layout: { base: undefined, pcount: 2, ssize: undefined },
    retentionSeconds: 60,
  },
};
const allBytes = bytes(...Array.from({ length: 255 }, (_, at) => at + 1));
const symlink: Inode = {
  ...file,
  handle: 3 as Handle,
  kind: 'symlink',
  layout: undefined,
  target: allBytes,
};
const session = 7 as SessionId;
const iod = 1 as IodIndex;

test('every row is read as it was written, after a restart too', (t) => {
  const database = memoryDatabase();
  const store = openSqliteStore({ database });
  const member: MemberRow = {
    index: iod,
    name: 'b',
    host: 'h',
    port: 7301,
    boundPort: 1,
    unixPath: '/tmp/x',
    hostId: 'id',
    storeId: 'ff',
    incarnation: 2 ** 52,
    life: 'aa',
    evicted: true,
  };
  const sessionRow = {
    session,
    name: 'c',
    uid: 1,
    gid: 2,
    groups: [3, 4],
    trusted: true,
    readOnly: true,
  };
  const open = {
    handle: file.handle,
    session,
    readers: 1,
    writers: 2,
    sequence: 3,
    since: 2 ** 32 + 4,
  };
  const reply = { session, slot: 5, sequence: 6, op: 130, body: Buffer.from([0, 255]) };
  const pending = { handle: file.handle, iod, kind: 'truncate', length: 12 } as const;
  store.commit(
    [
      ...[directory, file, symlink].map((row): Mutation => ({ kind: 'put-inode', row })),
      dirent(allBytes, 9),
      { kind: 'put-xattr', handle: file.handle, name: allBytes, value: Buffer.from([1, 0]) },
      { kind: 'put-session', row: sessionRow },
      { kind: 'put-open', row: open },
      { kind: 'put-lent', row: { handle: directory.handle, session } },
      { kind: 'put-reply', row: reply },
      { kind: 'put-pending', row: pending },
      { kind: 'put-member', row: member },
      { kind: 'put-setting', row: { key: 'k', value: 'ö' } },
    ],
    1,
  );
  for (const read of [store, openSqliteStore({ database })]) {
    for (const row of [directory, file, symlink]) t.deepEqual(read.inode(row.handle), row);
    const expected = { parent: 1, name: allBytes, handle: 2, kind: 'file', cookie: 9 };
    t.like(read.dirent(directory.handle, allBytes), expected);
    t.like(read.dirents(directory.handle, 8, 10)[0], expected);
    t.like(read.direntOf(file.handle), expected);
    t.deepEqual(read.dirents(directory.handle, 9, 10), []);
    t.deepEqual([...(read.xattr(file.handle, allBytes) ?? [])], [1, 0]);
    t.deepEqual(read.xattrNames(file.handle), [allBytes]);
    t.deepEqual(read.files(0 as Handle, 10), [file]);
    t.deepEqual(read.sessions(), [sessionRow]);
    t.deepEqual([...read.opens()], [{ ...open, layout: file.layout }]);
    t.deepEqual(read.lent(), [{ handle: directory.handle, session }]);
    t.deepEqual(read.replies(session), [reply]);
    t.deepEqual(read.pending(iod, 0 as Handle, 10), [{ ...pending, number: 1 }]);
    t.deepEqual(read.members(), [member]);
    t.is(read.setting('k'), 'ö');
    t.deepEqual([read.fileCount(), read.pendingCount()], [1, 1]);
  }
});

test('a session takes its opens, its replies and what is lent to it along, an inode its attributes', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const other = 8 as SessionId;
  const opens = [session, other].flatMap((session) =>
    [2, 3].map((handle): Mutation => ({
      kind: 'put-open',
      row: { handle: handle as Handle, session, readers: 1, writers: 0, sequence: 1, since: 0 },
    })),
  );
  const lent = [session, other].flatMap((session) =>
    [4, 5].map((handle): Mutation => ({
      kind: 'put-lent',
      row: { handle: (handle + 10 * session) as Handle, session },
    })),
  );
  const replies = [session, other].map((session): Mutation => ({
    kind: 'put-reply',
    row: { session, slot: 0, sequence: 1, op: 1, body: Buffer.alloc(1) },
  }));
  store.commit(
    [
      ...opens,
      ...lent,
      ...replies,
      { kind: 'put-inode', row: file },
      { kind: 'put-xattr', handle: file.handle, name: bytes(97), value: Buffer.alloc(1) },
    ],
    1,
  );
  store.commit(
    [
      { kind: 'delete-session', session },
      { kind: 'delete-open', handle: 3 as Handle, session: other },
      { kind: 'delete-lent', handle: (5 + 10 * other) as Handle },
      { kind: 'delete-inode', handle: file.handle },
    ],
    1,
  );
  t.deepEqual(
    [...store.opens()].map(({ handle, session }) => [handle, session]),
    [[2, other]],
  );
  t.deepEqual(store.lent(), [{ handle: 4 + 10 * other, session: other }]);
  t.deepEqual([store.replies(session).length, store.replies(other).length], [0, 1]);
  t.deepEqual(store.xattrNames(file.handle), []);
  t.is(store.inode(file.handle), undefined);
});

test('opens are listed whole over many pages', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const rows = Array.from({ length: 3000 }, (_, at) => ({
    handle: (at % 700) as Handle,
    session: Math.floor(at / 700) as SessionId,
    readers: 1,
    writers: 0,
    sequence: at,
    since: 0,
  }));
  store.commit(
    rows.map((row): Mutation => ({ kind: 'put-open', row })),
    1,
  );
  t.deepEqual(
    [...store.opens()],
    rows.map((row) => ({ ...row, layout: undefined })),
  );
});

test('what was read once, at the start, leaves the cache as large as ever', (t) => {
  const database = memoryDatabase();
  const store = openSqliteStore({ database });
  const cache = () => database.pragma('cache_size', { simple: true });
  const whole = -limits.storePageCacheBytes / 1024;
  t.is(cache(), whole);
  const row = { session, handle: 5 as Handle, readers: 1, writers: 0, sequence: 1, since: 0 };
  store.commit([{ kind: 'put-open', row }], 1);
  for (const open of store.opens()) {
    t.is(open.handle, row.handle);
    t.is(cache(), -limits.storeReadOnceCacheBytes / 1024);
    break;
  }
  t.is(cache(), whole);
});

test('files and pending work are counted through changes, refused batches and restarts', (t) => {
  const database = memoryDatabase();
  const store = openSqliteStore({ database });
  const pending = { handle: 9 as Handle, iod, kind: 'truncate', length: 3 } as const;
  store.commit([{ kind: 'put-setting', row: { key: generationKey, value: '5' } }], 5);
  store.commit(
    [
      putInode(5),
      putInode(4),
      putInode(5),
      putInode(6, 'directory'),
      { kind: 'put-pending', row: pending },
    ],
    5,
  );
  t.deepEqual([store.fileCount(), store.pendingCount()], [2, 1]);
  t.throws(() =>
    store.commit(
      [putInode(7), { kind: 'put-pending', row: { ...pending, iod: 2 as IodIndex } }],
      4,
    ),
  );
  t.deepEqual([store.fileCount(), store.pendingCount()], [2, 1]);
  const remove = { ...pending, kind: 'remove', length: 0 } as const;
  store.commit(
    [
      putInode(4),
      { kind: 'put-pending', row: remove },
      { kind: 'delete-inode', handle: 6 as Handle },
    ],
    5,
  );
  t.deepEqual([store.fileCount(), store.pendingCount()], [2, 1]);
  const [stored] = store.pending(iod, 0 as Handle, 9);
  assert(stored);
  t.like(stored, remove);
  store.commit(
    [
      { kind: 'put-pending', row: remove },
      { kind: 'delete-pending', row: stored },
    ],
    5,
  );
  const [again] = store.pending(iod, 0 as Handle, 9);
  assert(again);
  t.like(again, remove, 'the row is another one by now');
  store.commit(
    [
      { kind: 'delete-pending', row: again },
      { kind: 'delete-inode', handle: 4 as Handle },
    ],
    5,
  );
  for (const read of [store, openSqliteStore({ database })]) {
    t.deepEqual([read.fileCount(), read.pendingCount()], [1, 0]);
  }
});

test('a full disk is told as such once there is no more room to be had', (t) => {
  const database = memoryDatabase();
  let canGive = true;
  const room = { isLeft: false, runOut: () => canGive };
  const store = openSqliteStore({ database }, room);
  t.false(store.hasRoom);
  const pages = database.pragma('page_count', { simple: true }) as number;
  database.pragma(`max_page_count = ${pages}`);
  const fill = () => {
    const value = Buffer.alloc(64 * 1024);
    store.commit([{ kind: 'put-xattr', handle: file.handle, name: bytes(97), value }], 1);
  };
  t.is(refusal(t, fill), 'EAGAIN WEFT_E_DISK');
  canGive = false;
  t.is(refusal(t, fill), 'ENOSPC WEFT_E_DISK');
  database.pragma(`max_page_count = ${pages + 100}`);
  t.notThrows(fill);
});

test('orphans are those without a name', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const rows = [2, 3, 4].map((handle) => ({
    ...file,
    handle: handle as Handle,
    links: handle === 3 ? 1 : 0,
  }));
  store.commit(
    rows.map((row): Mutation => ({ kind: 'put-inode', row })),
    1,
  );
  t.deepEqual(store.orphans(0 as Handle, 10), [rows[0], rows[2]]);
  t.deepEqual(store.orphans(2 as Handle, 1), [rows[2]]);
});

test('entries may change names, files and places in one batch in any order', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const [a, b, c] = [bytes(97), bytes(98), bytes(99)];
  store.commit([dirent(a, 1, 11 as Handle), dirent(b, 2, 12 as Handle)], 1);
  store.commit(
    [dirent(b, 1, 11 as Handle), dirent(a, 3, 13 as Handle), dirent(c, 2, 12 as Handle)],
    1,
  );
  t.deepEqual(
    store.dirents(1 as Handle, 0, 9).map(({ name, handle }) => [name, handle]),
    [
      [b, 11],
      [c, 12],
      [a, 13],
    ] as unknown as [ByteString, Handle][],
  );
});

test('a batch is stored whole or not at all', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const bad = { ...file, handle: 3 as Handle, mode: undefined as unknown as number };
  t.throws(() =>
    store.commit(
      [
        { kind: 'put-inode', row: file },
        { kind: 'put-inode', row: bad },
      ],
      1,
    ),
  );
  t.is(store.inode(file.handle), undefined);
  store.commit([{ kind: 'put-inode', row: file }], 1);
  t.deepEqual(store.inode(file.handle), file);
});

test('a mgr of an older generation can store nothing any more (SCENARIOS 91)', (t) => {
  const database = memoryDatabase();
  const [older, newer] = [openSqliteStore({ database }), openSqliteStore({ database })];
  older.commit([{ kind: 'put-setting', row: { key: generationKey, value: '1' } }], 1);
  newer.commit([{ kind: 'put-setting', row: { key: generationKey, value: '2' } }], 2);
  t.is(
    refusal(t, () => older.commit([{ kind: 'put-inode', row: file }], 1)),
    'ESTALE',
  );
  t.is(newer.inode(file.handle), undefined);
  newer.commit([{ kind: 'put-inode', row: file }], 2);
  t.deepEqual(older.inode(file.handle), file);
});

test('a full disk is ENOSPC, a read-only one EROFS; reading goes on and nothing is stored', (t) => {
  const database = memoryDatabase();
  const store = openSqliteStore({ database });
  store.commit([{ kind: 'put-inode', row: file }], 1);
  const pages = database.pragma('page_count', { simple: true }) as number;
  database.pragma(`max_page_count = ${pages}`);
  const many = Array.from({ length: 2000 }, (_, at): Mutation => ({
    kind: 'put-inode',
    row: { ...file, handle: (at + 10) as Handle },
  }));
  t.is(
    refusal(t, () => store.commit(many, 1)),
    'ENOSPC WEFT_E_DISK',
  );
  t.is(store.fileCount(), 1);
  t.deepEqual(store.inode(file.handle), file);
  database.pragma('max_page_count = 1000000');
  database.pragma('query_only = 1');
  t.is(
    refusal(t, () => store.commit(many, 1)),
    'EROFS WEFT_E_DISK',
  );
  database.pragma('query_only = 0');
  store.commit(many, 1);
  t.is(store.fileCount(), 2001);
});
