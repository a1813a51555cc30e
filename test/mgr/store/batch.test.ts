import test from 'ava';
import * as fc from 'fast-check';
import { MetaView } from '../../../mgr/store/batch.ts';
import type { CommitWait } from '../../../mgr/store/meta-store.ts';
import type { DirentRow, Inode, Mutation } from '../../../mgr/store/rows.ts';
import { memoryDatabase, openSqliteStore } from '../../../mgr/store/sqlite-store.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { ByteString, Handle, SessionId } from '../../../shared/units.ts';
import { overriding } from '../../sim/sabotage.ts';

const time = { seconds: 1, nanoseconds: 2 };
const name = 'name' as ByteString;
const parent = 1 as Handle;

function inode(handle: number, size = 0): Inode {
  return {
    handle: handle as Handle,
    kind: 'file',
    mode: 0o644,
    links: 1,
    uid: 0,
    gid: 0,
    device: 0,
    size,
    accessed: time,
    modified: time,
    changed: time,
    born: time,
    layout: undefined,
    place: 'iods',
    mayHaveHoles: false,
    target: undefined,
    parent: undefined,
    defaults: undefined,
  };
}

function dirent(name: string, cookie: number, handle = 2): DirentRow {
  return { parent, name: name as ByteString, handle: handle as Handle, kind: 'file', cookie };
}

/** A view over a store that notes what is committed, and fails when told. */
function setup(inodesMax?: number, direntsMax?: number) {
  const database = memoryDatabase();
  const store = openSqliteStore({ database });
  const commits: (readonly Mutation[])[] = [];
  const waits: (CommitWait | undefined)[] = [];
  const faults: FsError[] = [];
  const asked: string[] = [];
  const spied = overriding(store, {
    commit(mutations: readonly Mutation[], generation: number, wait?: CommitWait) {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      commits.push(mutations);
      waits.push(wait);
      store.commit(mutations, generation, wait);
    },
    inode(handle: Handle) {
      asked.push(`inode ${handle}`);
      return store.inode(handle);
    },
    dirent(parent: Handle, name: ByteString) {
      asked.push(`dirent ${name}`);
      return store.dirent(parent, name);
    },
  });
  const view = new MetaView(spied, inodesMax, direntsMax);
  return { database, store, view, commits, waits, faults, asked };
}

test('changes are seen at once and stored with the commit', (t) => {
  const { store, view } = setup();
  view.putInode(inode(2));
  view.putDirent(dirent('a', 1));
  view.putXattr(2 as Handle, name, Buffer.from('x'));
  t.deepEqual(view.inode(2 as Handle), inode(2));
  t.is(view.dirent(parent, 'a' as ByteString)?.cookie, 1);
  t.is(store.inode(2 as Handle), undefined);
  view.commit(1);
  t.deepEqual(store.inode(2 as Handle), inode(2));
  t.is(store.dirent(parent, 'a' as ByteString)?.cookie, 1);
  t.deepEqual([...(store.xattr(2 as Handle, name) ?? [])], [0x78]);
});

test('a row changed many times in a tick is stored once', (t) => {
  const { view, commits } = setup();
  for (let size = 1; size <= 100; size++) view.putInode(inode(2, size));
  t.is(view.changeCount, 1);
  view.commit(1);
  t.deepEqual(commits, [[{ kind: 'put-inode', row: inode(2, 100) }]]);
  view.commit(1);
  t.is(commits.length, 1, 'nothing changed: nothing is committed');
});

test('what is known, and what is known not to exist, is not asked for again', (t) => {
  const { view, asked } = setup();
  for (let i = 0; i < 3; i++) {
    t.is(view.inode(9 as Handle), undefined);
    t.is(view.dirent(parent, name), undefined);
  }
  t.deepEqual(asked, ['inode 9', `dirent ${name}`]);
});

test('undo takes back what came after the mark and nothing else', (t) => {
  const { view, commits } = setup();
  view.putInode(inode(2, 1));
  view.putDirent(dirent('a', 1));
  view.commit(1);
  view.putInode(inode(2, 2));
  view.add({ kind: 'delete-session', session: 1 as SessionId });
  const mark = view.mark();
  view.putInode(inode(2, 3));
  view.putInode(inode(3));
  view.deleteDirent(parent, 'a' as ByteString);
  view.putDirent(dirent('b', 2));
  view.putXattr(2 as Handle, name, Buffer.from('x'));
  view.add({ kind: 'delete-session', session: 2 as SessionId });
  view.undo(mark);
  t.is(view.inode(2 as Handle)?.size, 2);
  t.is(view.inode(3 as Handle), undefined);
  t.is(view.dirent(parent, 'a' as ByteString)?.cookie, 1);
  t.is(view.dirent(parent, 'b' as ByteString), undefined);
  t.is(view.xattr(2 as Handle, name), undefined);
  view.commit(1);
  t.deepEqual(commits[1], [
    { kind: 'put-inode', row: inode(2, 2) },
    { kind: 'delete-session', session: 1 as SessionId },
  ]);
});

test('a change of what was never read is taken back to what the store says', (t) => {
  const { store, view } = setup();
  store.commit(
    [
      { kind: 'put-inode', row: inode(2, 5) },
      { kind: 'put-dirent', row: dirent('a', 1) },
    ],
    1,
  );
  const mark = view.mark();
  view.deleteInode(2 as Handle);
  view.deleteDirent(parent, 'a' as ByteString);
  view.undo(mark);
  t.is(view.inode(2 as Handle)?.size, 5);
  t.is(view.dirent(parent, 'a' as ByteString)?.cookie, 1);
});

test('after a commit that failed the store alone is right, and the next commit works', (t) => {
  const { store, view, faults } = setup();
  view.putInode(inode(2, 1));
  view.putDirent(dirent('a', 1));
  view.commit(1);
  view.putInode(inode(2, 2));
  view.deleteDirent(parent, 'a' as ByteString);
  view.putXattr(2 as Handle, name, Buffer.from('x'));
  view.add({ kind: 'put-setting', row: { key: 'k', value: 'v' } });
  faults.push(new FsError('ENOSPC'));
  t.throws(() => view.commit(1), { code: 'ENOSPC' });
  t.is(view.inode(2 as Handle)?.size, 1);
  t.is(view.dirent(parent, 'a' as ByteString)?.cookie, 1);
  t.is(view.xattr(2 as Handle, name), undefined);
  t.is(view.changeCount, 0);
  view.putInode(inode(3));
  view.commit(1);
  t.is(store.inode(2 as Handle)?.size, 1);
  t.truthy(store.inode(3 as Handle));
  t.is(store.setting('k'), undefined);
});

test('numbers are never given out twice, whatever crashes, fails or is taken back (SCENARIOS 191)', (t) => {
  const { store, view, faults } = setup();
  const seen = new Set<number>();
  const take = (from: MetaView, count: number): void => {
    for (let i = 0; i < count; i++) {
      const handle = from.allocateHandle();
      t.false(seen.has(handle));
      seen.add(handle);
    }
  };
  take(view, limits.counterBlock * 2);
  view.commit(1);
  faults.push(new FsError('ENOSPC'));
  view.add({ kind: 'delete-session', session: 1 as SessionId });
  take(view, limits.counterBlock);
  t.throws(() => view.commit(1));
  const mark = view.mark();
  take(view, 1);
  view.undo(mark);
  view.add({ kind: 'delete-session', session: 1 as SessionId });
  view.commit(1);
  take(new MetaView(store), 10);
});

test('a block of numbers costs one write, made before it is used up', (t) => {
  const { view, commits } = setup();
  view.reserveCounters();
  view.commit(1);
  const bound = (): number =>
    Math.max(
      ...commits
        .flat()
        .map((mutation) =>
          mutation.kind === 'put-setting' && mutation.row.key === 'next-sequence'
            ? Number(mutation.row.value)
            : 0,
        ),
    );
  for (let i = 0; i < limits.counterBlock * 4; i++) {
    t.true(view.nextSequence() < bound(), 'the store has the bound before the number leaves');
    if (i % 100 === 0) view.commit(1);
  }
  t.true(commits.length < 12);
});

test('the caches are bounded, and changes live through them until they are stored', (t) => {
  const { store, view } = setup(10, 10);
  for (let at = 2; at < 500; at++) {
    view.putInode(inode(at, at));
    view.putDirent(dirent(`n${at}`, at, at));
  }
  for (let at = 2; at < 500; at++) {
    t.is(view.inode(at as Handle)?.size, at);
    t.is(view.dirent(parent, `n${at}` as ByteString)?.handle, at as Handle);
  }
  view.commit(1);
  t.is(store.fileCount(), 498);
});

test('an attribute set on what goes in the same tick goes with it', (t) => {
  const { store, view } = setup();
  view.putInode(inode(2));
  view.commit(1);
  view.putXattr(2 as Handle, name, Buffer.from('x'));
  t.deepEqual(view.xattrNames(2 as Handle), [name]);
  view.deleteInode(2 as Handle);
  view.commit(1);
  t.deepEqual(store.xattrNames(2 as Handle), []);
});

type Step =
  | { kind: 'put'; name: number; cookie: number }
  | { kind: 'delete'; name: number }
  | { kind: 'commit' | 'fail' | 'attempt' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), name: fc.nat(15), cookie: fc.nat() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), name: fc.nat(15) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'fail' as const, 'attempt' as const),
    }),
  },
);

test('a directory is listed right in pages of any size, over stored and pending changes alike', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, count) => {
        const { view, faults } = setup(4, 4);
        let cookie = 0;
        let stored = new Map<string, number>();
        let model = new Map<string, number>();
        for (const step of steps) {
          if (step.kind === 'put') {
            const kept = model.get(`n${step.name}`);
            const next = kept !== undefined && step.cookie % 2 === 0 ? kept : ++cookie;
            model.set(`n${step.name}`, next);
            view.putDirent(dirent(`n${step.name}`, next));
          } else if (step.kind === 'delete') {
            model.delete(`n${step.name}`);
            view.deleteDirent(parent, `n${step.name}` as ByteString);
          } else if (step.kind === 'commit') {
            view.commit(1);
            stored = new Map(model);
          } else if (step.kind === 'fail') {
            faults.push(new FsError('EIO'));
            if (view.changeCount > 0) t.throws(() => view.commit(1));
            faults.length = 0;
            model = new Map(stored);
          } else {
            const mark = view.mark();
            view.putDirent(dirent('n3', ++cookie));
            view.deleteDirent(parent, 'n4' as ByteString);
            t.is(view.dirents(parent, 0, 99).at(-1)?.name, 'n3' as ByteString);
            view.undo(mark);
          }
          const listed: [string, number][] = [];
          for (let after = 0; ;) {
            const page = view.dirents(parent, after, count);
            for (const row of page) listed.push([row.name, row.cookie]);
            if (page.length < count) break;
            after = page.at(-1)?.cookie ?? 0;
          }
          const expected = [...model].toSorted((a, b) => a[1] - b[1]);
          if (JSON.stringify(listed) !== JSON.stringify(expected)) return false;
          for (const [name, cookie] of expected) {
            if (view.dirent(parent, name as ByteString)?.cookie !== cookie) return false;
          }
        }
        return true;
      },
    ),
    { numRuns: 150 },
  );
  t.pass();
});

test('a tick of relaxed changes alone does not wait for the disk, and any other does', (t) => {
  const { store, view, waits } = setup();
  view.reserveCounters();
  view.commit(1);
  view.relaxed(() => view.putInode(inode(2, 1)));
  view.add({
    kind: 'put-reply',
    row: { session: 1 as SessionId, slot: 0, sequence: 1, op: 1, body },
  });
  view.commit(1);
  t.true(store.isBehind);
  view.relaxed(() => view.putInode(inode(2, 2)));
  view.putInode(inode(3));
  view.commit(1);
  t.false(store.isBehind);
  view.relaxed(() => t.throws(() => view.relaxed(() => raise())));
  view.relaxed(() => view.putInode(inode(2, 3)));
  view.commit(1);
  t.deepEqual(waits, ['disk', 'nothing', 'disk', 'nothing']);
});

test('what did not wait is made durable without another change, once', (t) => {
  const { store, view, waits } = setup();
  view.relaxed(() => view.putInode(inode(2, 1)));
  view.commit(1);
  view.requireDisk();
  t.true(view.hasWork);
  view.commit(1);
  t.false(store.isBehind);
  view.requireDisk();
  t.false(view.hasWork);
  view.commit(1);
  t.deepEqual(waits, ['nothing', 'disk']);
});

test('numbers are reserved on the disk, also when what takes them need not wait for it', (t) => {
  const { store, view, commits, waits } = setup();
  view.reserveCounters();
  view.commit(1);
  for (let i = 0; i < limits.counterBlock; i++) {
    view.relaxed(() => view.nextSequence());
    view.commit(1);
  }
  t.is(commits.length, 2);
  t.deepEqual(waits, ['disk', 'disk']);
  t.false(store.isBehind);
});

const body = new Uint8Array();

function raise(): never {
  throw new Error('a change that failed');
}

test('bytes of a small file are there at once, go with what failed, and are kept with the commit', (t) => {
  const store = openSqliteStore({ database: memoryDatabase() });
  const view = new MetaView(store);
  const handle = 7 as Handle;
  t.is(view.contents(handle).length, 0);
  view.putContents(handle, Buffer.from('first'));
  const mark = view.mark();
  view.putContents(handle, Buffer.from('second'));
  t.is(String(view.contents(handle)), 'second');
  view.undo(mark);
  t.is(String(view.contents(handle)), 'first');
  view.commit(1);
  t.is(String(store.contents(handle)), 'first');
  view.putContents(handle, Buffer.alloc(0));
  t.is(view.contents(handle).length, 0);
  view.commit(1);
  t.is(store.contents(handle), undefined);
});
