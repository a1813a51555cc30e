/** What becomes of lent files when their clients, or the mgr, are lost (decision 20). */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle, type SessionId } from '../../shared/units.ts';
import { fileOps, nameOps, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { Lends, LentError } from '../../mgr/lends.ts';
import { at, MgrWorld, type MgrClient, noChange } from './mgr-world.ts';
import { Asked, both, Mount, type Opened, settlement } from './mount.ts';

const smallFileBytes = 100;
const patienceMs = 10 * limits.sessionLeaseMs;

/** A mount that has just made `/f`, somebody else, and a third who keeps the mgr from being alone. */
async function begin(seed: number, config: { readonly cause?: 'host-restart' } = {}) {
  const world = new MgrWorld(seed, { smallFileBytes, ...config });
  const mount = await Mount.on(world);
  const other = await world.client();
  const lent = await world.complete(mount.make('/f'));
  const cut = (): void => world.world.network.partition(mount.client.process.host.name, 'm');
  const heal = (): void => world.world.network.heal(mount.client.process.host.name, 'm');
  return { world, mount, other, lent, cut, heal };
}

function stat(client: MgrClient) {
  return new Asked(client.call(nameOps.lookup, { at: at('/f'), follow: true }, patienceMs));
}

/** It comes back with what it owes, and settles it. */
function settleWhenBack(world: MgrWorld, mount: Mount, lent: Opened) {
  return world.complete(mount.client.call(fileOps.settle, settlement(lent), patienceMs));
}

for (const isAskedBefore of [false, true]) {
  const when = isAskedBefore ? 'while it is being asked' : 'before anybody asks';
  test(`a mount that is lost ${when} is waited for until it is back and has settled`, async (t) => {
    const { world, mount, other, lent, cut, heal } = await begin(1);
    cut();
    if (!isAskedBefore) mount.client.disconnect();
    mount.client.owes = true;
    const asked = stat(other);
    await world.pass(5 * limits.rightAtMgrMs);
    t.false(asked.isOver, 'its rights are over, but not what it knows');
    heal();
    await world.complete(mount.client.ready());
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(asked.isOver, 'it has not settled yet');
    await settleWhenBack(world, mount, lent);
    t.like(await world.complete(asked.answer), { attr: { size: 5 } });
  });
}

test('a mount that does not come back is waited for until its lease has ended', async (t) => {
  const { world, mount, other } = await begin(2);
  mount.client.process.kill();
  const asked = stat(other);
  await world.pass(limits.sessionLeaseMs - 5000);
  t.false(asked.isOver);
  await world.pass(limits.heartbeatSilenceMs + 10_000);
  t.true(asked.isOver);
  t.like(await asked.answer, { attr: { size: 0 } });
});

test('a mount that ends its session has nothing lent to it any more', async (t) => {
  const { world, mount, other } = await begin(3);
  const end = mount.holdRecalls();
  const asked = stat(other);
  await world.pass(100);
  t.false(asked.isOver);
  await world.complete(mount.client.call(sessionOps.closeSession, {}));
  t.like(await world.complete(asked.answer), { attr: { size: 0 } });
  end();
});

test('a mount that comes back and owes nothing frees what was lent to it', async (t) => {
  const { world, mount, other } = await begin(4);
  mount.client.disconnect();
  const asked = stat(other);
  await world.complete(mount.client.ready());
  t.like(await world.complete(asked.answer), { attr: { size: 0 } });
});

test('what a mount has not settled when it asks for rights anew is not lent to it', async (t) => {
  const { world, mount, other } = await begin(5);
  mount.client.owes = true;
  mount.client.disconnect();
  const asked = stat(other);
  await world.complete(mount.client.ready());
  await world.pass(100);
  t.false(asked.isOver);
  await world.complete(mount.cache());
  t.like(await world.complete(asked.answer), { attr: { size: 0 } });
});

test('who owes something has no rights before it asks for them anew', async (t) => {
  const { world, mount, lent } = await begin(6);
  mount.client.owes = true;
  mount.client.disconnect();
  await world.complete(mount.client.ready());
  t.false((await world.complete(mount.client.stat('/'))).attr.right);
  t.false((await world.complete(mount.make('/g'))).lent);
  await settleWhenBack(world, mount, lent);
  await world.complete(mount.cache());
  t.true((await world.complete(mount.client.stat('/f'))).attr.right);
  t.true((await world.complete(mount.make('/h'))).lent);
});

const questions: Record<string, (other: MgrClient, handle: Handle) => Promise<unknown>> = {
  lookup: (other) => other.stat('/f'),
  getAttr: (other, handle) => other.getAttr(handle),
  storedAttr: (other, handle) => other.call(nameOps.storedAttr, { handle }, patienceMs),
  readDirectory: async (other) => {
    const request = { at: at('/'), after: 0, count: 10, attributes: true };
    const { entries } = await other.call(nameOps.readDirectory, request);
    return { attr: entries[0]?.attr };
  },
  open: (other) => other.open('/f'),
  setAttr: (other) =>
    other.call(nameOps.setAttr, { ...noChange, at: at('/f'), size: 5 }, patienceMs),
  link: (other) =>
    other.call(nameOps.link, { from: at('/f'), to: at('/g'), follow: false }, patienceMs),
};

for (const [question, ask] of Object.entries(questions)) {
  test(`after a restart ${question} waits for a mount of before that may have a new file`, async (t) => {
    const { world, mount, other, lent } = await begin(7);
    mount.client.owes = true;
    world.process.restart();
    await world.complete(Promise.all([mount.client.ready(), other.ready()]));
    const asked = new Asked(ask(other, lent.attr.handle));
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(asked.isOver);
    await settleWhenBack(world, mount, lent);
    await world.complete(mount.cache());
    t.like(await world.complete(asked.answer), { attr: { size: 5 } });
  });
}

const changes: Record<string, (other: MgrClient) => Promise<unknown>> = {
  rename: (other) => other.call(nameOps.rename, { from: at('/f'), to: at('/g'), flags: 0 }),
  unlink: (other) => other.unlink('/f'),
  setXattr: (other) => {
    const [name, value] = [byteString('user.a'), Buffer.from('1')];
    const request = { at: at('/f'), follow: true, name, value };
    return other.call(nameOps.setXattr, { ...request, mustExist: false, mustNotExist: false });
  },
  'a cut at the iods': (other) => other.truncate('/f', 2 * smallFileBytes),
};

for (const [change, make] of Object.entries(changes)) {
  test(`after a restart ${change} happens to what was settled, not to what was made`, async (t) => {
    const { world, mount, other, lent } = await begin(8);
    mount.client.owes = true;
    world.process.restart();
    await world.complete(Promise.all([mount.client.ready(), other.ready()]));
    const changed = new Asked(make(other));
    await world.pass(2 * limits.rightAtMgrMs);
    t.false(changed.isOver);
    const { attr } = await settleWhenBack(world, mount, lent);
    t.like(attr, { size: 5 });
    await world.complete(mount.cache());
    await world.complete(changed.answer);
  });
}

test('after a restart a mount that has settled, and asks for rights anew, holds nobody up, whatever it has open', async (t) => {
  const { world, mount, other, lent } = await begin(13);
  mount.client.owes = true;
  world.process.restart();
  await world.complete(Promise.all([mount.client.ready(), other.ready()]));
  const asked = stat(other);
  const request = settlement(lent, { bytes: Buffer.alloc(0), rights: 0 });
  await world.complete(mount.client.call(fileOps.settle, request));
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver, 'it may owe more');
  await world.complete(mount.cache());
  t.like(await world.complete(asked.answer), { attr: { size: 0, mode: request.mode } });
  t.is(world.store?.openCount(), 1);
});

test('after a restart a mount that owes nothing, or has its file closed, holds nobody up', async (t) => {
  for (const isClosed of [false, true]) {
    const { world, mount, other, lent, cut } = await begin(9);
    if (isClosed) {
      await world.complete(mount.settle(lent, { bytes: Buffer.alloc(0) }));
      cut();
    }
    world.process.restart();
    await world.complete(other.ready());
    if (!isClosed) await world.complete(mount.client.ready());
    const before = world.world.nowMs;
    t.like(await world.complete(stat(other).answer), { attr: { size: 0 } });
    t.true(world.world.nowMs - before < limits.rightAtMgrMs);
  }
});

test('after a restart who does not come back is waited for as long as it may come back', async (t) => {
  const { world, mount, other } = await begin(10);
  mount.client.process.kill();
  world.process.restart();
  await world.complete(other.ready());
  const asked = stat(other);
  await world.pass(limits.reclaimWindowMs - 5000);
  t.false(asked.isOver);
  await world.pass(10_000);
  t.true(asked.isOver);
});

test('after a loss of the host a mount declares what it has open, then settles, and then is back', async (t) => {
  const { world, mount, other, lent } = await begin(11, { cause: 'host-restart' });
  mount.client.owes = true;
  world.process.restart();
  await world.complete(Promise.all([mount.client.ready(), other.ready()]));
  const asked = stat(other);
  t.true(mount.client.session?.declare);
  const open = { cap: lent.cap, rights: both, slot: 0, sequence: 0 };
  await world.complete(mount.declare([open]));
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver, 'it has not settled yet');
  await settleWhenBack(world, mount, lent);
  await world.complete(mount.cache());
  t.like(await world.complete(asked.answer), { attr: { size: 5 } });
  t.is(world.store?.openCount(), 0);
});

test('after a loss of the host a mount that owes nothing is back when it has declared', async (t) => {
  const { world, mount, other, lent } = await begin(14, { cause: 'host-restart' });
  world.process.restart();
  await world.complete(Promise.all([mount.client.ready(), other.ready()]));
  const asked = stat(other);
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver);
  await world.complete(mount.declare([{ cap: lent.cap, rights: both, slot: 0, sequence: 0 }]));
  await world.pass(100);
  t.true(asked.isOver);
});

test('a settle that closes, and was done before the loss of the host, is not open again', async (t) => {
  const { world, mount, lent } = await begin(12, { cause: 'host-restart' });
  const place = { slot: 200, sequence: 1 };
  const settle = () =>
    mount.client.once(fileOps.settle, settlement(lent), place.slot, place.sequence);
  await world.complete(settle());
  world.process.restart();
  await world.complete(mount.client.ready());
  await world.complete(mount.declare([{ cap: lent.cap, rights: both, ...place }]));
  t.is(world.store?.openCount(), 0);
  t.like(await world.complete(settle()), { attr: { size: 5 } });
});

/** Alone: whoever has it cannot be asked. */
function alone() {
  const [handle, session] = [5 as Handle, 2 as SessionId];
  const givenBack: Handle[] = [];
  const lends = new Lends({
    rights: {
      lend: () => true,
      askBack: () => undefined,
      givenBack: (_, one) => void givenBack.push(one),
    },
    openTable: { opensOf: () => [] },
    sessions: { missing: new Set(), isMissing: () => false },
    remember: () => undefined,
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
  const lend = () =>
    lends.lend(undefined as never, session, {
      handle,
      kind: 'file',
      when: 'if-room',
      isStored: false,
    });
  return { lends, handle, session, givenBack, isLent, lend };
}

test('what becomes of a lent file in a tick whose commit fails has not become of it', (t) => {
  const { lends, handle, givenBack, isLent, lend } = alone();
  lend();
  lends.commits.discard();
  t.false(isLent());
  t.deepEqual(givenBack, [handle]);
  lend();
  lends.settle(handle);
  lends.commits.discard();
  t.false(isLent(), 'made and settled in one tick');
  lend();
  lends.commits.settle();
  lends.settle(handle);
  t.false(isLent());
  lends.commits.discard();
  t.true(isLent());
  lends.settle(handle);
  lends.commits.settle();
  lends.commits.discard();
  t.false(isLent());
});

test('a commit that fails lends nothing again to a session that is free of it', (t) => {
  const { lends, handle, session, isLent, lend } = alone();
  lend();
  lends.commits.settle();
  lends.settle(handle);
  lends.released(session);
  lends.commits.discard();
  t.false(isLent());
});
