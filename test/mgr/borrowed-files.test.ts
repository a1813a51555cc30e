/** Files at the iods: lent to who alone has them open, and writes them (decision 24). */
import test from 'ava';
import { tokenKey } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { at, type MgrClient, MgrWorld } from './mgr-world.ts';
import { Asked, both, Mount } from './mount.ts';

const patienceMs = 10 * limits.sessionLeaseMs;

/** A mount that has a file open to write it, and somebody else. */
async function begin(seed: number) {
  const world = new MgrWorld(seed);
  const mount = await Mount.on(world);
  const other = await world.client();
  const { attr } = await world.complete(mount.client.create('/f'));
  const { handle } = attr;
  const borrow = (by = mount) => world.complete(by.borrow(handle));
  return { world, mount, other, handle, borrow };
}

function stat(client: MgrClient) {
  return new Asked(client.call(nameOps.lookup, { at: at('/f'), follow: true }, patienceMs));
}

function lentIn(world: MgrWorld): readonly Handle[] {
  return (world.store?.lent() ?? []).map(({ handle }) => handle);
}

test('who alone writes a file gets it lent, and others wait until he has given it back', async (t) => {
  const { world, mount, other, handle, borrow } = await begin(1);
  t.like(await borrow(), { lent: true, attr: { handle, right: false } });
  t.deepEqual(world.store?.lent(), [{ handle, session: mount.client.id }]);
  const release = mount.holdRecalls();
  const asked = stat(other);
  await world.pass(500);
  t.deepEqual(mount.recalled, [handle]);
  t.false(asked.isOver);
  release();
  await world.complete(asked.answer);
  t.deepEqual(lentIn(world), []);
});

test('an open of somebody else waits too, and then it is not lent again', async (t) => {
  const { world, mount, other, handle, borrow } = await begin(2);
  await borrow();
  const release = mount.holdRecalls();
  const opening = new Asked(other.open('/f', openFlags.read));
  await world.pass(500);
  t.false(opening.isOver);
  release();
  await world.complete(opening.answer);
  t.false((await borrow()).lent);
  await world.complete(other.close(handle, rights.read));
  t.true((await borrow()).lent);
});

test('it is not lent to who only reads it, or to a user who has not proved the key', async (t) => {
  const { world, mount, handle, borrow } = await begin(3);
  await world.complete(mount.client.close(handle, both));
  await world.complete(mount.client.open('/f', openFlags.read));
  t.false((await borrow()).lent);
  const { read, write, create } = openFlags;
  const made = await world.complete(mount.client.open('/g', read | write | create, 0o666));
  await world.complete(mount.client.close(made.attr.handle, both));
  const key = tokenKey(world.secret, '5');
  const user = await Mount.on(world, { credential: { kind: 'token', name: '5', key }, uid: 5 });
  const { attr } = await world.complete(user.client.open('/g', read | write));
  t.false((await world.complete(user.borrow(attr.handle))).lent);
  await world.complete(user.client.close(attr.handle, both));
  const holder = await Mount.on(world, { uid: 5 });
  await world.complete(holder.client.open('/g', read | write));
  t.true((await world.complete(holder.borrow(attr.handle))).lent, 'he could claim to be root');
  await world.complete(holder.client.close(attr.handle, both));
  await world.complete(mount.client.open('/g', read | write));
  t.true(
    (await world.complete(mount.borrow(attr.handle))).lent,
    'only he who asked was in the way',
  );
});

test('what has its bytes at the mgr is not lent so', async (t) => {
  const world = new MgrWorld(4, { smallFileBytes: 100 });
  const mount = await Mount.on(world);
  const { attr } = await world.complete(mount.client.create('/f'));
  t.false((await world.complete(mount.borrow(attr.handle))).lent);
});

test('who writes it learns and tells how long it is without giving it back, and gives it back with its close', async (t) => {
  const { world, mount, handle, borrow } = await begin(5);
  await borrow();
  await world.complete(mount.client.extend(handle, 100));
  const stored = await world.complete(mount.client.call(nameOps.storedAttr, { handle }));
  t.is(stored.attr.size, 100);
  t.deepEqual(mount.recalled, []);
  t.deepEqual(lentIn(world), [handle]);
  await world.complete(mount.client.close(handle, both, 100));
  t.deepEqual(lentIn(world), []);
});

test('its own other questions ask it back', async (t) => {
  const { world, mount, handle, borrow } = await begin(6);
  await borrow();
  await world.complete(mount.client.getAttr(handle));
  t.deepEqual(mount.recalled, [handle]);
  t.deepEqual(lentIn(world), []);
});

test('after a restart of the mgr others wait until the mount is back', async (t) => {
  const { world, mount, other, handle, borrow } = await begin(7);
  await borrow();
  const host = mount.client.process.host.name;
  world.world.network.partition(host, 'm');
  world.process.restart();
  await world.complete(other.ready());
  t.deepEqual(lentIn(world), [handle]);
  const asked = stat(other);
  await world.pass(5 * limits.rightAtMgrMs);
  t.false(asked.isOver);
  world.world.network.heal(host, 'm');
  await world.complete(mount.client.ready());
  await world.complete(asked.answer);
  t.deepEqual(lentIn(world), []);
});

test('a mount that comes back with writes under way is waited for until they have ended', async (t) => {
  const { world, mount, other, borrow } = await begin(8);
  await borrow();
  const host = mount.client.process.host.name;
  world.world.network.partition(host, 'm');
  mount.client.owes = true;
  const asked = stat(other);
  await world.pass(2 * limits.rightAtMgrMs);
  world.world.network.heal(host, 'm');
  await world.complete(mount.client.ready());
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver);
  await world.complete(mount.client.call(sessionOps.cache, { attributes: true }));
  await world.complete(asked.answer);
});

test('a mount that does not come back is waited for until its session has ended', async (t) => {
  const { world, mount, other, borrow } = await begin(9);
  await borrow();
  mount.client.process.kill();
  const asked = stat(other);
  await world.pass(limits.sessionLeaseMs - 5000);
  t.false(asked.isOver);
  await world.pass(limits.heartbeatSilenceMs + 10_000);
  t.true(asked.isOver);
  t.deepEqual(lentIn(world), []);
});
