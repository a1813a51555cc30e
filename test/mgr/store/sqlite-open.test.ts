import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { migrate, migrations } from '../../../mgr/store/schema.ts';
import type { Mutation } from '../../../mgr/store/rows.ts';
import { memoryDatabase, openSqliteStore } from '../../../mgr/store/sqlite-store.ts';
import { isFsError } from '../../../shared/errno.ts';
import type { ByteString, Handle, IodIndex } from '../../../shared/units.ts';
import { dirent, file, refusal } from './sample-rows.ts';

function temporaryDirectory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'weft-store-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a second mgr on the same file is told to come again', (t) => {
  const path = join(temporaryDirectory(t), 'weft.db');
  const store = openSqliteStore({ file: path });
  t.is(
    refusal(t, () => openSqliteStore({ file: path })),
    'EAGAIN WEFT_E_DATA_LOCKED',
  );
  store.close();
  openSqliteStore({ file: path }).close();
});

test('a file of a newer weftfs is refused and not touched (SCENARIOS 257)', (t) => {
  const database = memoryDatabase();
  openSqliteStore({ database });
  database.pragma(`user_version = ${migrations.length + 1}`);
  const before = database.serialize();
  t.is(
    refusal(t, () => openSqliteStore({ database })),
    'EINVAL WEFT_E_DATA_NEWER',
  );
  t.deepEqual(database.serialize(), before);
});

test('a file of an older weftfs is migrated in one step or not at all', (t) => {
  const database = memoryDatabase();
  openSqliteStore({ database }).commit([{ kind: 'put-inode', row: file }], 1);
  const broken = [...migrations, 'ALTER TABLE inodes ADD COLUMN colour TEXT', 'no SQL'];
  t.throws(() => migrate(database, broken), { any: true });
  t.is(database.pragma('user_version', { simple: true }), migrations.length);
  const newer = broken.slice(0, -1);
  migrate(database, newer);
  t.is(database.pragma('user_version', { simple: true }), newer.length);
  t.deepEqual(database.prepare('SELECT handle, colour FROM inodes').raw().all(), [[2, null]]);
});

test('pending work of an older weftfs is kept, and deleted when it is done', (t) => {
  const database = memoryDatabase();
  migrate(database, migrations.slice(0, 1));
  database.exec(`INSERT INTO pending VALUES (1, 2, 'truncate', 5)`);
  const store = openSqliteStore({ database });
  const rows = store.pending(1 as IodIndex, 0 as Handle, 9);
  t.deepEqual(rows, [
    { handle: 2 as Handle, iod: 1 as IodIndex, kind: 'truncate', length: 5, number: 0 },
  ]);
  store.commit(
    rows.map((row): Mutation => ({ kind: 'delete-pending', row })),
    1,
  );
  t.is(store.pendingCount(), 0);
});

test('a SQLite file of something else is refused', (t) => {
  const database = memoryDatabase();
  database.exec('CREATE TABLE recipes (title TEXT)');
  t.is(
    refusal(t, () => openSqliteStore({ database })),
    'EINVAL WEFT_E_DATA_ROLE',
  );
});

test('a damaged file is refused (SCENARIOS 63)', (t) => {
  const directory = temporaryDirectory(t);
  const garbage = join(directory, 'garbage.db');
  writeFileSync(garbage, Buffer.alloc(8192, 0x5a));
  t.is(
    refusal(t, () => openSqliteStore({ file: garbage })),
    'EIO WEFT_E_DATA_DAMAGED',
  );

  const database = memoryDatabase();
  openSqliteStore({ database }).commit(
    Array.from({ length: 5000 }, (_, at) => dirent(`name-${at}` as ByteString, at + 1)),
    1,
  );
  const image = database.serialize();
  image.fill(0xff, Math.floor(image.length / 2), Math.floor(image.length / 2) + 4096);
  t.is(
    refusal(t, () => openSqliteStore({ image })),
    'EIO WEFT_E_DATA_DAMAGED',
  );
});

test('of a long file only what the start reads is looked through; the rest is refused where it is read', (t) => {
  const database = memoryDatabase();
  const names = Array.from({ length: 5000 }, (_, at) => `name-${at}` as ByteString);
  openSqliteStore({ database }).commit(
    names.map((name, at) => dirent(name, at + 1)),
    1,
  );
  const image = database.serialize();
  image.fill(0xff, Math.floor(image.length / 2), Math.floor(image.length / 2) + 4096);
  const store = openSqliteStore({ image }, undefined, image.length - 1);
  const found = names.map((name) => {
    try {
      return store.dirent(1 as Handle, name) === undefined ? 'lost' : 'there';
    } catch (error) {
      return isFsError(error) ? error.weftCode : 'unknown';
    }
  });
  t.deepEqual(new Set(found), new Set(['there', 'WEFT_E_DATA_DAMAGED']));

  const members = memoryDatabase();
  openSqliteStore({ database: members });
  const root = members
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'members'")
    .pluck()
    .get() as number;
  const other = members.serialize();
  other.fill(0xff, (root - 1) * 4096, root * 4096);
  t.is(
    refusal(t, () => openSqliteStore({ image: other }, undefined, 0)),
    'EIO WEFT_E_DATA_DAMAGED',
  );
});

test('files are counted with what makes and removes them, and those of an older weftfs once', (t) => {
  const database = memoryDatabase();
  migrate(database, migrations.slice(0, 5));
  const old = `1, 0, 0, 0, 5, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 4096, 1, NULL, NULL, NULL, 0`;
  database.exec(`INSERT INTO inodes VALUES (5, 0, 420, ${old}), (6, 1, 493, ${old})`);
  const store = openSqliteStore({ database });
  t.is(store.fileCount(), 1);
  store.commit([{ kind: 'put-inode', row: file }], 1);
  t.is(openSqliteStore({ database }).fileCount(), 2);
  t.throws(() => store.commit([{ kind: 'delete-inode', handle: 5 as Handle }], -1));
  t.is(openSqliteStore({ database }).fileCount(), 2);
  store.commit([{ kind: 'delete-inode', handle: 5 as Handle }], 1);
  t.is(openSqliteStore({ database }).fileCount(), 1);
});

test('a transaction that a killed mgr left open is rolled back', (t) => {
  const database = memoryDatabase();
  openSqliteStore({ database }).commit([{ kind: 'put-inode', row: file }], 1);
  database.exec('BEGIN; DELETE FROM inodes');
  const store = openSqliteStore({ database });
  t.deepEqual(store.inode(file.handle), file);
  store.close();
  t.true(database.open, 'the database of the caller outlives the store');
});

test('after a power cut the store holds all commits up to one point (SCENARIOS 62)', (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'weft.db');
  const store = openSqliteStore({ file: path });
  t.teardown(() => store.close());
  const batches = 40;
  for (let batch = 1; batch <= batches; batch++) {
    const rows = Array.from({ length: 5 }, (_, at): Mutation => ({
      kind: 'put-inode',
      row: { ...file, handle: (batch * 5 + at) as Handle },
    }));
    store.commit(
      [...rows, { kind: 'put-setting', row: { key: 'batch', value: String(batch) } }],
      1,
    );
  }
  const walBytes = statSync(`${path}-wal`).size;
  const found = new Set<number>();
  for (let cut = 0; cut <= 20; cut++) {
    const copy = join(directory, 'copy.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    if (existsSync(`${copy}-shm`)) rmSync(`${copy}-shm`);
    const whole = Math.floor((walBytes * (20 - cut)) / 20);
    truncateSync(`${copy}-wal`, whole);
    // Behind the end of what was written there may be anything.
    if (cut % 2 === 1) appendFileSync(`${copy}-wal`, Buffer.alloc(walBytes - whole, 0xe7));
    const after = openSqliteStore({ file: copy });
    const batch = Number(after.setting('batch') ?? 0);
    t.is(after.fileCount(), batch * 5);
    found.add(batch);
    after.close();
  }
  t.true(found.has(batches) && found.has(0) && found.size > 10);
});

test('files of an older weftfs have their bytes at the iods, and new ones may have them here', (t) => {
  const database = memoryDatabase();
  migrate(database, migrations.slice(0, 4));
  database.exec(`INSERT INTO inodes VALUES (2, 0, 420, 1, 0, 0, 0, 5,
    1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 4096, 1, NULL, NULL, NULL)`);
  const store = openSqliteStore({ database });
  const old = store.inode(2 as Handle);
  t.like(old, { kind: 'file', size: 5, place: 'iods' });
  if (old === undefined) return;
  const [handle, other] = [3 as Handle, 4 as Handle];
  store.commit(
    [
      { kind: 'put-inode', row: { ...old, handle, place: 'mgr' } },
      { kind: 'put-contents', handle, bytes: Buffer.from('three') },
      { kind: 'put-inode', row: { ...old, handle: other, place: 'moving' } },
      { kind: 'put-contents', handle: other, bytes: Buffer.from('four') },
      { kind: 'put-contents', handle: other, bytes: Buffer.from('fourth') },
    ],
    1,
  );
  const again = openSqliteStore({ database });
  t.is(again.inode(handle)?.place, 'mgr');
  t.is(again.inode(other)?.place, 'moving');
  t.deepEqual(again.contents(handle), Buffer.from('three'));
  t.deepEqual(again.contents(other), Buffer.from('fourth'));
  again.commit([{ kind: 'delete-contents', handle }], 1);
  t.is(again.contents(handle), undefined);
  t.is(again.contents(2 as Handle), undefined);
});
