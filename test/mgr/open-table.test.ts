import test from 'ava';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { FsError } from '../../shared/errno.ts';
import type { Layout } from '../../shared/stripe.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { type OpenEntry, rights } from '../../shared/wire/values.ts';
import type { OpenPart } from '../../mgr/cluster-port.ts';
import { OpenTable } from '../../mgr/open-table.ts';
import { MetaView } from '../../mgr/store/batch.ts';
import type { Inode, OpenRow } from '../../mgr/store/rows.ts';
import { memoryDatabase, openSqliteStore } from '../../mgr/store/sqlite-store.ts';

const now = { seconds: 1, nanoseconds: 0 };
const both = rights.read | rights.write;

function inodeOf(handle: number, layout: Layout): Inode {
  return {
    handle: handle as Handle,
    kind: 'file',
    mode: 0o644,
    links: 1,
    uid: 0,
    gid: 0,
    device: 0,
    size: 0,
    accessed: now,
    modified: now,
    changed: now,
    born: now,
    layout,
    place: 'iods',
    mayHaveHoles: false,
    target: undefined,
    parent: undefined,
    defaults: undefined,
  };
}

/** File 10 + n has its bytes on iod n alone. */
function setUp() {
  const store = openSqliteStore({ database: memoryDatabase() });
  const view = new MetaView(store);
  view.reserveCounters();
  const files = [0, 1, 2, 3].map((base) =>
    inodeOf(10 + base, { base, pcount: 1, ssize: 65_536, total: 4 }),
  );
  for (const file of files) view.putInode(file);
  view.commit(1);
  const table = new OpenTable(view);
  table.load(store.opens(), store.openCount());
  const told: OpenEntry[] = [];
  const commit = (): void => {
    view.commit(1);
    table.settle((entry) => told.push(entry));
  };
  const file = (at: number): Inode => files[at] as Inode;
  return { store, view, table, told, commit, file };
}

const session = (number: number): SessionId => number as SessionId;

/** The part of an iod. */
function part(iod: number, after = { handle: 0 as Handle, session: session(0) }): OpenPart {
  return { iod, after, upTo: Number.MAX_SAFE_INTEGER as Handle };
}

test('counts are kept by session and by right, and the rows follow', (t) => {
  const { table, store, commit, file } = setUp();
  const { handle } = file(0);
  table.open(file(0), session(1), both, 7);
  table.open(file(0), session(1), rights.read, 7);
  table.open(file(0), session(2), rights.write, 7);
  commit();
  t.like(table.find(handle, session(1)), { readers: 2, writers: 1 });
  t.is(table.writersOf(handle), 2);
  t.is(table.holdersOf(handle), 2);
  t.is(table.countOf(session(1)), 1);
  t.true(table.isWriter(session(2), handle));
  t.deepEqual(
    [...store.opens()].map(({ session: id, readers, writers }) => [id, readers, writers]),
    [
      [1, 2, 1],
      [2, 0, 1],
    ],
  );
  table.drop(handle, session(1));
  commit();
  t.is([...store.opens()].length, 1);
  t.is(table.countOf(session(1)), 0);
  t.true(table.isHeld(handle));
});

test('each close takes one open back, and the last one the row', (t) => {
  const { table, store, commit, file } = setUp();
  const { handle } = file(0);
  table.open(file(0), session(1), rights.read, 7);
  table.open(file(0), session(1), both, 7);
  table.close(handle, session(1), rights.read);
  t.like(table.find(handle, session(1)), { readers: 1, writers: 1 });
  table.close(handle, session(1), both);
  commit();
  t.false(table.isHeld(handle));
  t.is(table.countOf(session(1)), 0);
  t.deepEqual([...store.opens()], []);
});

test('a close of what is not open in this way is EBADF and changes nothing', (t) => {
  const { table, commit, file } = setUp();
  const { handle } = file(0);
  table.open(file(0), session(1), rights.read, 7);
  commit();
  for (const [id, given] of [
    [1, rights.write],
    [1, both],
    [1, 0],
    [2, rights.read],
  ] as const) {
    t.throws(() => table.close(handle, session(id), given), { instanceOf: FsError });
  }
  t.like(table.find(handle, session(1)), { readers: 1, writers: 0 });
});

test('the iods hear of a change only when it is durable', (t) => {
  const { table, told, commit, file } = setUp();
  table.open(file(0), session(1), rights.read, 7);
  t.deepEqual(told, []);
  commit();
  t.like(told, [{ handle: file(0).handle, session: session(1), rights: 1 }]);
  t.is(told[0]?.sequence, table.sequence);
});

test('changes that were discarded never were', (t) => {
  const { table, told, commit, file } = setUp();
  table.open(file(0), session(1), both, 7);
  commit();
  table.close(file(0).handle, session(1), rights.write);
  table.open(file(1), session(1), rights.read, 7);
  table.drop(file(0).handle, session(1));
  table.discard();
  t.like(table.find(file(0).handle, session(1)), { readers: 1, writers: 1 });
  t.is(table.writersOf(file(0).handle), 1);
  t.false(table.isHeld(file(1).handle));
  t.is(table.size, 1);
  t.is(told.length, 1);
});

test('a size may be reported until the file is cut, and by who opened it after that', (t) => {
  const { table, commit, file } = setUp();
  const { handle } = file(0);
  table.open(file(0), session(1), rights.write, 7);
  t.true(table.mayReportSize(handle, session(1)));
  table.cut(handle);
  t.false(table.mayReportSize(handle, session(1)));
  table.open(file(0), session(2), rights.write, 7);
  t.true(table.mayReportSize(handle, session(2)));
  table.open(file(0), session(1), rights.write, 7);
  t.false(table.mayReportSize(handle, session(1)));
  commit();
  table.drop(handle, session(1));
  commit();
  table.open(file(0), session(1), rights.write, 7);
  t.true(table.mayReportSize(handle, session(1)));
});

test('what was loaded from the store is not to be believed about sizes', (t) => {
  const { table, view, store, commit, file } = setUp();
  table.open(file(0), session(1), rights.write, 7);
  commit();
  const later = new OpenTable(view);
  later.load(store.opens(), store.openCount());
  t.false(later.mayReportSize(file(0).handle, session(1)));
  t.true(later.sequence > (later.find(file(0).handle, session(1))?.sequence ?? Infinity));
});

test('pages hold the opens of one iod by handle and session, and survive changes between them', (t) => {
  const { table, commit, file, view } = setUp();
  const wide = inodeOf(20, { base: 3, pcount: 2, ssize: 65_536, total: 4 });
  view.putInode(wide);
  for (const id of [5, 3, 4]) {
    for (const inode of [file(0), file(1), wide]) table.open(inode, session(id), rights.read, 7);
  }
  commit();
  const first = table.page(part(0), 2);
  t.like(first.entries, [
    { handle: 10 as Handle, session: session(3) },
    { handle: 10 as Handle, session: session(4) },
  ]);
  t.like(first.next, { handle: 10 as Handle, session: session(4) });
  // The entry at which the page ended is gone by the time of the next.
  table.drop(10 as Handle, session(4));
  const second = table.page(part(0, first.next), 10);
  t.is(second.next, undefined);
  t.deepEqual(
    second.entries.map((entry) => [entry.handle, entry.session]),
    [
      [10, 5],
      [20, 3],
      [20, 4],
      [20, 5],
    ],
  );
  t.deepEqual(table.page(part(2), 10), { entries: [], next: undefined });
  t.is(table.page(part(3), 10).entries.length, 3);
  t.is(table.page({ ...part(0), upTo: 19 as Handle }, 10).entries.length, 2);
});

test('whatever is opened, closed, undone and discarded, index and rows agree', (t) => {
  const step = record({
    what: constantFrom('open', 'close', 'drop', 'commit', 'discard', 'undo'),
    file: integer({ min: 0, max: 3 }),
    by: integer({ min: 1, max: 3 }),
    wanted: integer({ min: 1, max: 3 }),
  });
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const { table, view, store, commit, file } = setUp();
      let lastCommit = view.mark();
      for (const { what, file: at, by, wanted } of steps) {
        const mark = { view: view.mark(), table: table.mark() };
        if (what === 'open') table.open(file(at), session(by), wanted, 7);
        else if (what === 'drop') table.drop(file(at).handle, session(by));
        else if (what === 'commit') {
          commit();
          lastCommit = view.mark();
        } else if (what === 'discard') {
          view.undo(lastCommit);
          table.discard();
        } else {
          try {
            table.close(file(at).handle, session(by), wanted);
          } catch {
            continue;
          }
          if (what === 'undo') {
            table.undo(mark.table);
            view.undo(mark.view);
          }
        }
      }
      commit();
      const rows: OpenRow[] = [...store.opens()];
      t.is(table.size, rows.length);
      for (const { layout, ...row } of store.opens()) {
        t.deepEqual(table.find(row.handle, row.session), row);
        t.deepEqual(layout, view.inode(row.handle)?.layout);
      }
      for (const at of [0, 1, 2, 3]) {
        const { handle } = file(at);
        const own = rows.filter((row) => row.handle === handle);
        t.is(table.holdersOf(handle), own.length);
        t.is(table.isHeld(handle), own.length > 0);
        t.is(table.writersOf(handle), own.filter(({ writers }) => writers > 0).length);
        t.is(table.page(part(at), 100).entries.length, own.length);
      }
    }),
    { numRuns: 60 },
  );
});
