import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import type { clientOps } from '../../shared/wire/client-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import type { Committed } from '../../mgr/store/batch.ts';
import type { DirentRow, Inode } from '../../mgr/store/rows.ts';
import { Watches } from '../../mgr/watches.ts';

type Told = RequestOf<typeof clientOps.changes>;
const [below, deep, file] = [2, 3, 4] as readonly number[] as [Handle, Handle, Handle];
const ann = { uid: 1000, gid: 1000, groups: [] };
const root = { uid: 0, gid: 0, groups: [] };

const inode = (handle: Handle, kind: Inode['kind'], mode: number) =>
  [handle, { handle, kind, mode, uid: 0, gid: 0 } as Inode] as const;

const dirent = (parent: Handle, name: string, handle: Handle) =>
  ({ parent, name: byteString(name), handle }) as DirentRow;

/** Directories `/below/deep`, the deeper one with this mode, and a file of two names in it. */
function makeWatches({ deepMode = 0o755 } = {}) {
  const inodes = new Map([
    inode(rootHandle, 'directory', 0o755),
    inode(below, 'directory', 0o755),
    inode(deep, 'directory', deepMode),
    inode(file, 'file', 0o644),
  ]);
  const dirents = [
    dirent(rootHandle, 'below', below),
    dirent(below, 'deep', deep),
    dirent(deep, 'one', file),
    dirent(deep, 'two', file),
  ];
  const of = (handle: Handle): DirentRow[] => dirents.filter((row) => row.handle === handle);
  const stored = (handle: Handle) => inodes.get(handle);
  const watches = new Watches({
    clock: { now: () => 0 } as never,
    view: { inode: stored, stored },
    store: { direntOf: (handle) => of(handle)[0], direntsOf: (handle) => of(handle) },
  });
  return { watches, inodes };
}

/** A client that acknowledges when it is told to. */
function makeClient() {
  const told: Told[] = [];
  let acknowledge: ((error?: FsError) => void) | undefined;
  const connection = {
    isOpen: true,
    call(_: unknown, request: Told) {
      told.push(request);
      return new Promise((resolve, reject) => {
        acknowledge = (error) => (error ? reject(error) : resolve({}));
      });
    },
  };
  const answer = async (error?: FsError): Promise<void> => {
    acknowledge?.(error);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { told, answer, connection: connection as unknown as Connection, state: connection };
}

function made(parent: Handle, ...names: readonly string[]): Committed {
  return {
    names: names.map((name) => ({
      parent,
      name: byteString(name),
      before: undefined,
      after: 99 as Handle,
    })),
    inodes: new Set(),
  };
}

const changed = (handle: Handle): Committed => ({ names: [], inodes: new Set([handle]) });
const paths = (told: readonly Told[]): string[] =>
  told.flatMap(({ changes }) => changes.map(({ kind, path }) => `${kind} ${path}`));

test('who watches a directory hears of its names and of its files, under each of their names', (t) => {
  const { watches } = makeWatches();
  const { told, connection } = makeClient();
  t.false(watches.isNeeded);
  watches.add(connection, ann, { watch: 1, handle: deep, recursive: false });
  t.true(watches.isNeeded);
  watches.committed({ ...made(deep, 'new'), inodes: new Set([file]) });
  watches.committed(made(below, 'elsewhere'));
  t.deepEqual(paths(told), ['rename new', 'change one', 'change two']);
});

test('what is watched itself has no path; a name that leads there no more is told', (t) => {
  const { watches } = makeWatches();
  const { told, connection } = makeClient();
  watches.add(connection, ann, { watch: 1, handle: file, recursive: false });
  const names = [{ parent: deep, name: byteString('one'), before: file, after: undefined }];
  watches.committed({ names, inodes: new Set([file]) });
  t.deepEqual(paths(told), ['rename ', 'change ']);
});

test('what is below is told to those who watch recursively and may see it', (t) => {
  for (const [deepMode, who, expected] of [
    [0o755, ann, ['rename below/deep/new']],
    [0o700, ann, []],
    [0o711, ann, []],
    [0o700, root, ['rename below/deep/new']],
  ] as const) {
    const { watches } = makeWatches({ deepMode });
    const { told, connection } = makeClient();
    watches.add(connection, who, { watch: 1, handle: rootHandle, recursive: true });
    watches.add(connection, who, { watch: 2, handle: below, recursive: false });
    watches.committed(made(deep, 'new'));
    t.deepEqual(paths(told), expected);
  }
});

test('who may not read it may not watch it, and what is not there cannot be', (t) => {
  const { watches } = makeWatches({ deepMode: 0o711 });
  const { connection } = makeClient();
  const wish = { watch: 1, recursive: false };
  t.throws(() => watches.add(connection, ann, { ...wish, handle: deep }), { code: 'EACCES' });
  t.throws(() => watches.add(connection, ann, { ...wish, handle: 77 as Handle }), {
    code: 'ENOENT',
  });
  t.false(watches.isNeeded);
});

test('one message is on its way at a time; what comes meanwhile goes with the next', async (t) => {
  const { watches } = makeWatches();
  const { told, answer, connection } = makeClient();
  watches.add(connection, ann, { watch: 1, handle: deep, recursive: false });
  watches.committed(made(deep, 'a'));
  watches.committed(made(deep, 'b'));
  watches.committed(made(deep, 'c'));
  t.deepEqual(paths(told), ['rename a']);
  await answer();
  t.is(told.length, 2);
  t.deepEqual(paths(told), ['rename a', 'rename b', 'rename c']);
  t.true(told.every(({ lost }) => !lost));
});

test('a client that is too slow is told that it has missed some, and then goes on', async (t) => {
  const { watches } = makeWatches();
  const { told, answer, connection } = makeClient();
  watches.add(connection, ann, { watch: 1, handle: deep, recursive: false });
  watches.committed(made(deep, 'first'));
  for (let i = 0; i <= limits.watchChangesQueuedMax; i++) watches.committed(made(deep, `n${i}`));
  watches.committed(made(deep, 'last'));
  await answer();
  t.deepEqual(told[1], {
    changes: [{ watch: 1, kind: 'rename', path: byteString('last') }],
    lost: true,
  });
});

test('a message that was not acknowledged may be lost, and the next one says so', async (t) => {
  const { watches } = makeWatches();
  const { told, answer, connection, state } = makeClient();
  watches.add(connection, ann, { watch: 1, handle: deep, recursive: false });
  watches.committed(made(deep, 'a'));
  await answer(new FsError('ETIMEDOUT'));
  t.deepEqual(told[1], { changes: [], lost: true });
  state.isOpen = false;
  await answer(new FsError('EPIPE'));
  t.is(told.length, 2, 'a connection that has ended is not told');
});

test('a change that follows the same one is told once', (t) => {
  const { watches } = makeWatches();
  const { told, answer, connection } = makeClient();
  watches.add(connection, ann, { watch: 1, handle: file, recursive: false });
  watches.committed(changed(file));
  for (let i = 0; i < 10; i++) watches.committed(changed(file));
  return answer().then(() => {
    t.deepEqual(paths(told), ['change ', 'change ']);
  });
});

test('what is unwatched, or whose client is gone, costs nothing any more; there is a bound', (t) => {
  const { watches } = makeWatches();
  const { told, connection } = makeClient();
  const watch = (number: number): void =>
    watches.add(connection, ann, { watch: number, handle: deep, recursive: true });
  watch(1);
  watch(1);
  watches.remove(connection, 1);
  watches.remove(connection, 1);
  t.false(watches.isNeeded);
  for (let i = 0; i < limits.watchesPerClientMax; i++) watch(i);
  t.throws(() => watch(limits.watchesPerClientMax), { code: 'ENOSPC' });
  watch(0);
  watches.disconnected(connection);
  t.false(watches.isNeeded);
  watches.committed(made(deep, 'new'));
  t.is(told.length, 0);
});
