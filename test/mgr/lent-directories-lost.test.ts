/** What becomes of lent directories when their clients, or the mgr, are lost (decision 21). */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { fileOps, nameOps, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { Lends, LentError, type Loan } from '../../mgr/lends.ts';
import { anyLayout, at, MgrWorld, type MgrClient } from './mgr-world.ts';
import { Asked, both, type LentDirectory, Mount, namesSettlement, type NewName } from './mount.ts';

const smallFileBytes = 100;
const patienceMs = 10 * limits.sessionLeaseMs;

/** A mount to which `/d` is lent, what it makes there, and somebody else. */
async function begin(seed: number, config: { readonly cause?: 'host-restart' } = {}) {
  const world = new MgrWorld(seed, { smallFileBytes, ...config });
  const mount = await Mount.on(world);
  const other = await world.client();
  const lent = await world.complete(mount.makeDirectory('/d'));
  const handles = await world.complete(mount.takeHandles());
  const [handle, sub] = handles;
  const made: readonly NewName[] = [
    { handle, name: 'f', content: 'hello' },
    { handle: sub, name: 'sub', kind: 'directory' },
  ];
  const cut = (): void => world.world.network.partition(mount.client.process.host.name, 'm');
  const heal = (): void => world.world.network.heal(mount.client.process.host.name, 'm');
  return { world, mount, other, lent, made, sub, handles, cut, heal };
}

type Begun = Awaited<ReturnType<typeof begin>>;

function list(client: MgrClient, path = '/d'): Asked<readonly string[]> {
  const request = { at: at(path), after: 0, count: 10, attributes: false };
  const page = client.call(nameOps.readDirectory, request, patienceMs);
  return new Asked(page.then(({ entries }) => entries.map(({ name }) => name)));
}

function settle({ world, mount, lent, made }: Begun, back = true) {
  const request = namesSettlement(lent, made, { back });
  return world.complete(mount.client.call(fileOps.settleNames, request, patienceMs));
}

/** The mgr starts anew, and both come back; the mount with what it owes. */
async function restart({ world, mount, other }: Begun, owes = true): Promise<void> {
  mount.client.owes = owes;
  world.process.restart();
  await world.complete(Promise.all([mount.client.ready(), other.ready()]));
}

for (const isAskedBefore of [false, true]) {
  const when = isAskedBefore ? 'while it is being asked' : 'before anybody asks';
  test(`a mount that is lost ${when} is waited for until it is back and has settled`, async (t) => {
    const begun = await begin(1);
    const { world, mount, other, cut, heal } = begun;
    cut();
    if (!isAskedBefore) mount.client.disconnect();
    mount.client.owes = true;
    const asked = list(other);
    await world.pass(5 * limits.rightAtMgrMs);
    t.false(asked.isOver);
    heal();
    await world.complete(mount.client.ready());
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(asked.isOver, 'it has not settled yet');
    await settle(begun);
    t.deepEqual(await world.complete(asked.answer), ['f', 'sub']);
  });
}

test('a mount that does not come back is waited for until its lease has ended', async (t) => {
  const { world, mount, other } = await begin(2);
  mount.client.process.kill();
  const asked = list(other);
  await world.pass(limits.sessionLeaseMs - 5000);
  t.false(asked.isOver);
  t.is(world.store?.lent().length, 1);
  await world.pass(limits.heartbeatSilenceMs + 10_000);
  t.true(asked.isOver);
  t.deepEqual(await asked.answer, []);
  t.deepEqual(world.store?.lent(), []);
});

test('a mount that ends its session has nothing lent to it any more', async (t) => {
  const { world, mount, other } = await begin(3);
  const end = mount.holdRecalls();
  const asked = list(other);
  await world.pass(100);
  t.false(asked.isOver);
  await world.complete(mount.client.call(sessionOps.closeSession, {}));
  t.deepEqual(await world.complete(asked.answer), []);
  t.deepEqual(world.store?.lent(), []);
  end();
});

test('a mount that comes back and owes nothing frees what was lent to it', async (t) => {
  const begun = await begin(4);
  const { world, mount, other } = begun;
  mount.client.disconnect();
  const asked = list(other);
  await world.complete(mount.client.ready());
  t.deepEqual(await world.complete(asked.answer), []);
  t.deepEqual(world.store?.lent(), []);
  await t.throwsAsync(settle(begun), { code: 'EPERM' });
});

test('what a mount has not settled when it asks for rights anew is not lent to it', async (t) => {
  const { world, mount, other } = await begin(5);
  mount.client.owes = true;
  mount.client.disconnect();
  const asked = list(other);
  await world.complete(mount.client.ready());
  await world.pass(100);
  t.false(asked.isOver);
  t.is(world.store?.lent().length, 1);
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(asked.answer), []);
  t.deepEqual(world.store?.lent(), []);
});

test('what is made in a directory by who does not cache yet others see when he does', async (t) => {
  const begun = await begin(6);
  const { world, mount, other, sub, handles } = begun;
  mount.client.owes = true;
  mount.client.disconnect();
  await world.complete(mount.client.ready());
  const [, , , open] = handles;
  t.true((await world.complete(mount.makeIn(begun.lent, 'open', open))).lent);
  const { rights } = await settle(begun);
  t.deepEqual([...rights], [0, 0]);
  t.deepEqual(
    world.store?.lent().map(({ handle }) => handle),
    [sub],
  );
  t.deepEqual(await world.complete(list(other).answer), ['open', 'f', 'sub']);
  const asked = list(other, '/d/sub');
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver, 'it may know more of this one');
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(asked.answer), []);
  t.deepEqual(world.store?.lent(), []);
});

const questions: Record<string, (other: MgrClient, lent: LentDirectory) => Promise<unknown>> = {
  lookup: (other) => other.call(nameOps.lookup, { at: at('/d/f'), follow: true }, patienceMs),
  getAttr: (other, { attr }) => other.call(nameOps.getAttr, { handle: attr.handle }, patienceMs),
  readDirectory: (other) => list(other).answer,
  unlink: (other) => other.call(nameOps.unlink, { at: at('/d/f') }, patienceMs),
  rename: (other) =>
    other.call(nameOps.rename, { from: at('/d/f'), to: at('/g'), flags: 0 }, patienceMs),
  'rename of another directory': (other) =>
    other.call(nameOps.rename, { from: at('/x'), to: at('/y/x'), flags: 0 }, patienceMs),
  setDefaults: (other) => {
    const request = { at: at('/x'), layout: anyLayout, retentionSeconds: 60 };
    return other.call(nameOps.setDefaults, request, patienceMs);
  },
};

for (const [question, ask] of Object.entries(questions)) {
  test(`after a restart ${question} waits until the mount has settled and caches again`, async (t) => {
    const begun = await begin(7);
    const { world, mount, other, lent, sub } = begun;
    await world.complete(other.mkdir('/x'));
    await world.complete(other.mkdir('/y'));
    await restart(begun);
    const asked = new Asked(ask(other, lent));
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(asked.isOver);
    await settle(begun, false);
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(asked.isOver, 'it may make more there');
    t.deepEqual(
      world.store?.lent().map(({ handle }) => handle),
      [lent.attr.handle, sub],
    );
    await world.complete(mount.cache());
    await world.complete(asked.answer);
    t.deepEqual(world.store?.lent(), []);
    t.is((await world.complete(other.stat('/d'))).attr.links, 3);
  });
}

test('after a restart a mount makes what is open there before it is back', async (t) => {
  const begun = await begin(13);
  const { world, mount, other, handles } = begun;
  const [, , , open] = handles;
  await restart(begun);
  t.like(await world.complete(mount.makeIn(begun.lent, 'open', open)), {
    created: true,
    lent: true,
  });
  await settle(begun);
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(list(other).answer), ['open', 'f', 'sub']);
});

test('after a restart a mount makes a file elsewhere before it is back', async (t) => {
  const begun = await begin(14);
  const { world, mount } = begun;
  await restart(begun);
  const before = world.world.nowMs;
  t.like(await world.complete(mount.make('/new')), { created: true });
  t.true(world.world.nowMs - before < limits.rightAtMgrMs);
});

test('what is lent outlives restart after restart', async (t) => {
  const begun = await begin(8);
  const { world, mount, other } = begun;
  await restart(begun);
  await settle(begun, false);
  await restart(begun);
  const [whole, below] = [list(other), list(other, '/d/sub')];
  await world.pass(2 * limits.rightAtMgrMs);
  t.deepEqual([whole.isOver, below.isOver], [false, false]);
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(whole.answer), ['f', 'sub']);
  t.deepEqual(await world.complete(below.answer), []);
});

test('after a restart a mount that owes nothing holds nobody up', async (t) => {
  const begun = await begin(9);
  const { world, other } = begun;
  await restart(begun, false);
  const before = world.world.nowMs;
  t.deepEqual(await world.complete(list(other).answer), []);
  t.true(world.world.nowMs - before < limits.rightAtMgrMs);
  t.deepEqual(world.store?.lent(), []);
});

test('after a restart one that was given back before is lent to nobody', async (t) => {
  const begun = await begin(10);
  const { world, other } = begun;
  const gone = { ...begun, made: begun.made.slice(0, 1) };
  await settle(gone);
  begun.cut();
  world.process.restart();
  await world.complete(other.ready());
  const before = world.world.nowMs;
  t.deepEqual(await world.complete(list(other).answer), ['f']);
  t.true(world.world.nowMs - before < limits.rightAtMgrMs);
});

test('after a restart who does not come back is waited for as long as it may come back', async (t) => {
  const { world, mount, other } = await begin(11);
  mount.client.process.kill();
  world.process.restart();
  await world.complete(other.ready());
  const asked = list(other);
  await world.pass(limits.reclaimWindowMs - 5000);
  t.false(asked.isOver);
  await world.pass(10_000);
  t.true(asked.isOver);
  t.deepEqual(await asked.answer, []);
  t.deepEqual(world.store?.lent(), []);
});

test('after a loss of the host a mount declares what it has open, then settles, and then is back', async (t) => {
  const begun = await begin(12, { cause: 'host-restart' });
  const { world, mount, other, handles } = begun;
  const [, , , open] = handles;
  const { cap } = await world.complete(mount.makeIn(begun.lent, 'open', open));
  await restart(begun);
  const asked = list(other);
  t.true(mount.client.session?.declare);
  await world.complete(mount.declare([{ cap, rights: both, slot: 0, sequence: 0 }]));
  await settle(begun);
  await world.pass(2 * limits.rightAtMgrMs);
  t.true(asked.isOver, 'it has given this one back');
  const [below, file] = [list(other, '/d/sub'), new Asked(other.stat('/d/open'))];
  await world.pass(2 * limits.rightAtMgrMs);
  t.deepEqual([below.isOver, file.isOver], [false, false], 'it may owe more');
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(below.answer), []);
  t.like(await world.complete(file.answer), { attr: { size: 0 } });
  t.deepEqual(await asked.answer, ['open', 'f', 'sub']);
});

/** Alone: whoever has it cannot be asked, as he does not cache. */
function alone() {
  const [handle, session] = [5 as Handle, 2 as SessionId];
  const remembered: (SessionId | undefined)[] = [];
  const lends = new Lends({
    rights: { lend: () => false, askBack: () => undefined, givenBack: () => undefined },
    openTable: { opensOf: () => [] },
    sessions: { missing: new Set(), isMissing: () => false },
    remember: (_, to) => void remembered.push(to),
  });
  const isLent = (): boolean => {
    try {
      lends.requireHere(handle);
      return false;
    } catch (error) {
      if (error instanceof LentError) return true;
      throw error;
    }
  };
  const lend = (when: Loan['when']) =>
    lends.lend(undefined as never, session, { handle, kind: 'directory', when, isStored: true });
  return { lends, handle, session, remembered, isLent, lend };
}

test('what its client knows more of is lent also when he cannot be asked, and nothing else', (t) => {
  const { session, remembered, isLent, lend } = alone();
  t.false(lend('if-room'));
  t.false(isLent());
  t.deepEqual(remembered, []);
  t.true(lend('always'));
  t.true(isLent());
  t.deepEqual(remembered, [session]);
});

test('what becomes of a lent directory in a tick whose commit fails has not become of it', (t) => {
  const { lends, handle, session, isLent, lend } = alone();
  lend('always');
  lends.commits.discard();
  t.false(isLent());
  t.throws(
    () => {
      lends.requireNoDirectories();
      lends.requireLent(session, handle);
    },
    { code: 'EPERM' },
  );
  lend('always');
  lends.commits.settle();
  lends.settle(handle);
  t.notThrows(() => {
    lends.requireNoDirectories();
  });
  lends.commits.discard();
  t.true(isLent());
  t.throws(
    () => {
      lends.requireNoDirectories();
    },
    { instanceOf: LentError },
  );
  lends.requireLent(session, handle);
});
