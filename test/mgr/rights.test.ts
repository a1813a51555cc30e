import test from 'ava';
import { Rights } from '../../mgr/rights.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import { World } from '../sim/runtime/world.ts';

const file = 5 as Handle;
const other = 6 as Handle;

/** A client that answers recalls when it is told to. */
class FakeClient {
  readonly recalled: Handle[][] = [];
  readonly connection: Connection;
  isClosed = false;
  isOpen = true;
  silentMs = 0;
  #answers: ((error?: Error) => void)[] = [];

  constructor(onClosed: (connection: Connection) => void) {
    const connection = {
      call: (_: unknown, { handles }: { handles: Handle[] }) => {
        this.recalled.push(handles);
        return new Promise<object>((resolve, reject) => {
          this.#answers.push((error) => (error ? reject(error) : resolve({})));
        });
      },
      close: () => {
        if (this.isClosed) return;
        this.isClosed = true;
        this.isOpen = false;
        onClosed(this.connection);
      },
    };
    Object.defineProperty(connection, 'silentMs', { get: () => this.silentMs });
    Object.defineProperty(connection, 'isOpen', { get: () => this.isOpen });
    this.connection = connection as unknown as Connection;
  }

  answer(error?: Error): void {
    for (const answer of this.#answers.splice(0)) answer(error);
  }
}

async function stage() {
  const world = new World({ seed: 1 });
  const process = world.process('mgr', { host: world.host('m'), main: () => undefined });
  const remembered: boolean[] = [];
  const written = new Set<Handle>();
  const returned: Handle[] = [];
  const released: SessionId[] = [];
  const begun = process.call(
    (runtime) =>
      new Rights({
        runtime,
        isWritten: (handle) => written.has(handle),
        lends: () => ({
          comesAfterOthers: () => undefined,
          returned: (handle) => void returned.push(handle),
          released: (session) => void released.push(session),
        }),
        remember: (mayBeHeld) => remembered.push(mayBeHeld),
      }),
  );
  const rights = await world.complete(begun);
  const client = (session: number, attributes = true): FakeClient => {
    const made = new FakeClient((connection) => rights.disconnected(connection));
    rights.hold(session as SessionId, made.connection, { attributes });
    return made;
  };
  const pass = async (ms: number): Promise<void> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    await world.run({ untilMs: world.nowMs + ms });
  };
  /** Asks within the process, as its handlers do. */
  const clear = (changer: FakeClient | undefined, ...handles: Handle[]) => {
    const state = { isOver: false, isFree: false };
    void process.call(async () => {
      const inTheWay = rights.clear(changer?.connection, handles);
      state.isFree = inTheWay === undefined;
      await inTheWay;
      state.isOver = true;
    });
    return state;
  };
  const grant = (to: FakeClient, handle: Handle, kind: Attr['kind'] = 'file'): boolean =>
    rights.grant(to.connection, { handle, kind, sizeExact: true, holes: 0, right: false } as Attr)
      .right;
  return { rights, client, clear, grant, pass, remembered, written, returned, released };
}

test('who has not asked for it gets no right, nor is there one to a file that is written', async (t) => {
  const { client, grant, written, rights } = await stage();
  const [one, stranger] = [client(1), new FakeClient(() => undefined)];
  t.false(grant(stranger, file));
  t.true(grant(one, file));
  t.true(grant(one, file), 'again');
  t.is(rights.count, 1);
  written.add(other);
  t.false(grant(one, other));
  t.true(grant(one, other, 'directory'));
});

test('who caches only what is lent to him gets that, and no other right', async (t) => {
  const { client, grant, rights } = await stage();
  const one = client(1, false);
  t.false(grant(one, file));
  t.true(rights.lend(one.connection, { handle: file, kind: 'file' }, 'if-room'));
  t.is(rights.count, 1);
});

test('a change of the mgr itself waits for everybody', async (t) => {
  const { client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  for (const holder of [one, two]) grant(holder, file);
  const change = clear(undefined, file);
  await pass(1);
  t.deepEqual([one.recalled, two.recalled], [[[file]], [[file]]]);
  one.answer();
  await pass(1);
  t.false(change.isOver);
  two.answer();
  await pass(1);
  t.true(change.isOver);
});

test('a change waits until all others have given their rights back, and no longer', async (t) => {
  const { client, clear, grant, pass, rights } = await stage();
  const [one, two, three] = [client(1), client(2), client(3)];
  for (const holder of [one, two, three]) grant(holder, file);
  grant(two, other);
  const change = clear(one, file, other);
  await pass(1);
  t.deepEqual(one.recalled, [], 'its own it keeps');
  t.deepEqual(two.recalled, [[file, other]], 'in one message');
  t.deepEqual(three.recalled, [[file]]);
  t.false(grant(three, file), 'none is given meanwhile');
  two.answer();
  await pass(1);
  t.false(change.isOver);
  three.answer();
  await pass(1);
  t.true(change.isOver);
  t.is(rights.count, 1);
  const next = clear(one, file, other);
  await pass(1);
  t.true(next.isFree);
  t.true(grant(three, file));
});

test('two changes of the same inode recall a right once', async (t) => {
  const { client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(two, file);
  const changes = [clear(one, file), clear(one, file)];
  await pass(1);
  t.is(two.recalled.length, 1);
  two.answer();
  await pass(1);
  t.true(changes.every(({ isOver }) => isOver));
});

test('a client that is not heard of delays a change until its rights are surely over', async (t) => {
  const { client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(two, file);
  const change = clear(one, file);
  await pass(1);
  two.silentMs = 500;
  two.answer(new FsError('EPIPE'));
  await pass(limits.rightAtMgrMs - 500 - 10);
  t.true(two.isClosed, 'it must not hear of us');
  t.false(change.isOver);
  await pass(20);
  t.true(change.isOver);
});

test('a client that comes back has given its rights back', async (t) => {
  const { client, clear, grant, pass, rights } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(two, file);
  two.connection.close(new FsError('EPIPE'));
  const change = clear(one, file);
  await pass(1);
  two.answer(new FsError('EPIPE'));
  await pass(1);
  t.false(change.isOver);
  rights.release(2 as SessionId);
  await pass(1);
  t.true(change.isOver);
});

test('after a start no change is made while rights of before may be used (SCENARIOS 72)', async (t) => {
  for (const end of ['time', 'all are back'] as const) {
    const { client, clear, pass, rights, remembered } = await stage();
    rights.openWindow();
    const one = client(1);
    const change = clear(one, file);
    const nothing = clear(one);
    await pass(1);
    t.true(nothing.isFree, 'what touches nothing is not held up');
    await pass(limits.rightAtMgrMs - 10);
    t.false(change.isOver, end);
    if (end === 'time') await pass(20);
    else rights.closeWindow();
    await pass(1);
    t.true(change.isOver, end);
    t.deepEqual(remembered, [true], 'somebody holds rights again');
  }
});

test('when nobody came back who caches, the next start need not wait', async (t) => {
  const { pass, rights, remembered } = await stage();
  rights.openWindow();
  await pass(limits.rightAtMgrMs + 10);
  t.deepEqual(remembered, [false]);
  t.false(rights.mayBeHeld);
});

test('what our own change has touched a client is told, and nobody waits for it', async (t) => {
  const { client, grant, pass, rights } = await stage();
  const one = client(1);
  grant(one, file);
  rights.tell(one.connection, [file, other]);
  await pass(1);
  t.deepEqual(one.recalled, [[file]]);
  t.is(rights.count, 0);
});

test('a change of another waits until the client has heard what its own change took', async (t) => {
  const { rights, client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(one, file);
  rights.tell(one.connection, [file]);
  t.deepEqual(one.recalled, [[file]], 'before its reply');
  const free = [clear(one, file), clear(two, other)];
  const change = clear(two, file);
  await pass(1);
  t.true(
    free.every(({ isFree }) => isFree),
    'its own, and of other inodes',
  );
  t.false(change.isOver);
  t.false(rights.isOwnOf(two.connection, file));
  t.true(rights.isOwnOf(one.connection, file));
  one.answer();
  await pass(1);
  t.true(change.isOver);
  t.true(rights.isOwnOf(two.connection, file));
  const next = clear(two, file);
  await pass(1);
  t.true(next.isFree);
});

test('so it does when there are several such changes, and when a new right was given meanwhile', async (t) => {
  const { rights, client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(one, file);
  rights.tell(one.connection, [file]);
  grant(one, file);
  rights.tell(one.connection, [file]);
  grant(one, file);
  const change = clear(two, file);
  await pass(1);
  t.deepEqual(one.recalled, [[file], [file], [file]]);
  t.false(change.isOver);
  one.answer();
  await pass(1);
  t.true(change.isOver);
  const next = clear(two, file);
  await pass(1);
  t.true(next.isFree);
});

test('who does not hear of his own change is waited for until his rights have ended', async (t) => {
  const { rights, client, clear, grant, pass } = await stage();
  const [one, two] = [client(1), client(2)];
  grant(one, file);
  rights.tell(one.connection, [file]);
  const change = clear(two, file);
  one.answer(new FsError('ETIMEDOUT'));
  await pass(1);
  t.true(one.isClosed);
  t.false(change.isOver);
  await pass(limits.rightAtMgrMs);
  t.true(change.isOver);
  const next = clear(two, file);
  await pass(1);
  t.true(next.isFree);
});

test('a client with too many rights gives the oldest back', async (t) => {
  const { client, grant, pass, rights } = await stage();
  const one = client(1);
  for (let i = 0; i < limits.rightsPerSessionMax; i++) grant(one, (10 + i) as Handle);
  t.false(grant(one, file));
  await pass(1);
  t.is(one.recalled[0]?.[0], 10 as Handle);
  one.answer();
  await pass(1);
  t.true(grant(one, file));
  t.true(rights.count < limits.rightsPerSessionMax);
});

test('a client with too many rights keeps those to directories for longest, and gets more of them', async (t) => {
  const { client, grant, pass, rights } = await stage();
  const one = client(1);
  const root = 1 as Handle;
  t.true(grant(one, root, 'directory'));
  for (let i = 1; i < limits.rightsPerSessionMax; i++) grant(one, (10 + i) as Handle);
  t.true(grant(one, file, 'directory'), 'there are more for a while');
  t.true(rights.lend(one.connection, { handle: other, kind: 'directory' }, 'if-room'));
  t.false(grant(one, 7 as Handle));
  await pass(1);
  t.is(one.recalled[0]?.[0], 11 as Handle);
  t.is(one.recalled.flat().length, limits.rightsPerRecall);
  one.answer();
  await pass(1);
  t.true(rights.count < limits.rightsPerSessionMax);
  t.true(grant(one, 7 as Handle));
});

test('a client with rights to directories only gives the oldest of them back', async (t) => {
  const { client, grant, pass } = await stage();
  const one = client(1);
  for (let i = 0; i <= limits.rightsPerSessionMax; i++) grant(one, (10 + i) as Handle, 'directory');
  await pass(1);
  t.is(one.recalled[0]?.[0], 10 as Handle);
});

test('when all clients together have too many rights, not even directories get in', async (t) => {
  const { client, grant, rights } = await stage();
  const holders = limits.rightsMax / limits.rightsPerSessionMax;
  for (let session = 1; session <= holders; session++) {
    const one = client(session);
    for (let i = 0; i < limits.rightsPerSessionMax; i++) grant(one, (10 + i) as Handle);
  }
  const next = client(holders + 1);
  t.false(grant(next, file, 'directory'));
  t.false(rights.lend(next.connection, { handle: other, kind: 'directory' }, 'if-room'));
  t.true(rights.lend(next.connection, { handle: other, kind: 'directory' }, 'always'));
  t.is(rights.count, limits.rightsMax + 1);
});

test('what is lent is asked back once, and returned with the answer', async (t) => {
  const { client, pass, rights, returned } = await stage();
  const one = client(1);
  t.true(rights.lend(one.connection, { handle: file, kind: 'file' }, 'if-room'));
  t.is(rights.count, 1);
  const asked = [1, 2].map(() => rights.askBack(1 as SessionId, file) ?? Promise.resolve());
  await pass(1);
  t.deepEqual(one.recalled, [[file]]);
  t.deepEqual(returned, []);
  one.answer();
  await Promise.all(asked);
  t.deepEqual(returned, [file]);
  t.is(rights.count, 0);
  t.is(rights.askBack(1 as SessionId, file), undefined, 'it has nothing of it');
});

test('who is not heard of when it is asked has given nothing back', async (t) => {
  const { client, pass, rights, returned, released } = await stage();
  const one = client(1);
  rights.lend(one.connection, { handle: file, kind: 'file' }, 'if-room');
  const asked = rights.askBack(1 as SessionId, file);
  await pass(1);
  one.answer(new FsError('EPIPE'));
  await pass(limits.rightAtMgrMs + 10);
  await asked;
  t.deepEqual(returned, []);
  t.is(rights.askBack(1 as SessionId, file), undefined);
  released.length = 0;
  rights.release(1 as SessionId);
  t.deepEqual(released, [1 as SessionId]);
});

test('nothing is lent to who does not cache, is gone, or has too many rights', async (t) => {
  const { client, rights, pass } = await stage();
  t.false(
    rights.lend(
      new FakeClient(() => undefined).connection,
      { handle: file, kind: 'file' },
      'if-room',
    ),
  );
  const [one, two] = [client(1), client(2)];
  rights.lend(one.connection, { handle: file, kind: 'file' }, 'if-room');
  one.connection.close(new FsError('EPIPE'));
  t.is(rights.askBack(1 as SessionId, file), undefined, 'it cannot be asked now');
  for (let i = 0; i < limits.rightsPerSessionMax; i++) {
    rights.lend(two.connection, { handle: (10 + i) as Handle, kind: 'file' }, 'if-room');
  }
  t.false(rights.lend(two.connection, { handle: other, kind: 'file' }, 'if-room'));
  await pass(1);
  t.is(two.recalled[0]?.[0], 10 as Handle);
  rights.givenBack(2 as SessionId, 11 as Handle);
  t.is(rights.askBack(2 as SessionId, 11 as Handle), undefined);
});

test('what its client knows more of is lent also to who has too many rights', async (t) => {
  const { client, rights, pass } = await stage();
  const one = client(1);
  for (let i = 0; i < limits.rightsPerSessionMax; i++) {
    rights.lend(one.connection, { handle: (10 + i) as Handle, kind: 'file' }, 'if-room');
  }
  t.true(rights.lend(one.connection, { handle: file, kind: 'file' }, 'always'));
  t.is(rights.count, limits.rightsPerSessionMax + 1);
  await pass(1);
  t.is(one.recalled[0]?.[0], 10 as Handle, 'the oldest are asked for');
  t.false(one.recalled.flat().includes(file));
  t.truthy(rights.askBack(1 as SessionId, file));
  const stranger = new FakeClient(() => undefined).connection;
  t.false(rights.lend(stranger, { handle: other, kind: 'file' }, 'always'), 'it cannot be asked');
});
