import test from 'ava';
import { tokenKey } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import { anonymous } from '../../shared/rpc/handshake.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { syncOps } from '../../shared/wire/sync-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { at, type MgrClient, MgrWorld } from './mgr-world.ts';

async function statusOf(world: MgrWorld, client: MgrClient) {
  return world.complete(client.call(clusterOps.status, {}));
}

test('a session whose client is gone ends with its lease: fenced first, exactly its own opens go', async (t) => {
  const world = new MgrWorld(1);
  const [gone, stays] = [await world.client(), await world.client()];
  const opened = await world.complete(gone.create('/f'));
  const { handle } = opened.attr;
  await world.complete(gone.open('/f', openFlags.read));
  await world.complete(stays.open('/f'));
  const { attr: merelyRead } = await world.complete(stays.create('/g'));
  await world.complete(stays.close(merelyRead.handle, rights.read | rights.write));
  await world.complete(gone.open('/g', openFlags.read));
  world.iods.sizes.set(handle, 4096);
  const release = world.iods.hold();
  const before = world.iods.entries.length;
  gone.process.kill();
  await world.pass(limits.heartbeatSilenceMs + limits.sessionLeaseMs + 5000);
  // Not fenced yet: nothing of it may go to others.
  t.is(world.iods.entries.length, before);
  release();
  await world.pass(2000);
  t.deepEqual(world.iods.fenced, [gone.id]);
  const dropped = world.iods.entries.slice(before);
  t.like(
    dropped.toSorted((a, b) => a.handle - b.handle),
    [
      { handle, session: gone.id, rights: 0 },
      { handle: merelyRead.handle, session: gone.id, rights: 0 },
    ],
  );
  t.like(await statusOf(world, stays), { sessions: 1, opens: 1 });
  t.deepEqual(
    [...(world.store?.opens() ?? [])].map(({ session }) => session),
    [stays.id],
  );
  // What it had written is part of the file.
  t.is(world.store?.inode(handle)?.size, 4096);
});

test('a session lives on while its client is away for less than the lease', async (t) => {
  const world = new MgrWorld(2);
  const client = await world.client();
  const { attr } = await world.complete(client.create('/f'));
  const before = client.id;
  world.world.network.partition('client0', 'm');
  await world.pass(limits.sessionLeaseMs - 5000);
  world.world.network.heal('client0', 'm');
  await world.complete(client.ready());
  t.is(client.id, before);
  await world.complete(client.close(attr.handle, rights.read | rights.write));
  t.deepEqual(world.iods.fenced, []);
});

test('each session has a lease of its own, whenever that of another ends', async (t) => {
  const world = new MgrWorld(21);
  const [first, second] = [await world.client(), await world.client()];
  const { id } = second;
  first.process.kill();
  // The second is missed just before the lease of the first ends.
  await world.pass(limits.sessionLeaseMs - limits.heartbeatSilenceMs - 2000);
  world.world.network.partition('client1', 'm');
  await world.pass(2 * limits.heartbeatSilenceMs + 4000);
  world.world.network.heal('client1', 'm');
  await world.complete(second.ready());
  t.is(second.id, id);
  t.deepEqual(world.iods.fenced, []);
  t.like(await statusOf(world, second), { sessions: 1 });
});

test('a client that comes back after its lease is told that the session is lost (SCENARIOS 282)', async (t) => {
  const world = new MgrWorld(3);
  const client = await world.client();
  await world.complete(client.create('/f'));
  world.world.network.partition('client0', 'm');
  await world.pass(limits.heartbeatSilenceMs * 2 + limits.sessionLeaseMs);
  world.world.network.heal('client0', 'm');
  await t.throwsAsync(world.complete(client.stat('/f')), { message: /ESTALE.*session/ });
  t.is(client.final?.weftCode, 'WEFT_E_SESSION_LOST');
});

test('after a restart of the mgr sessions come back with all they have, and it is active at once (SCENARIOS 70)', async (t) => {
  const world = new MgrWorld(4);
  const [one, two] = [await world.client(), await world.client()];
  const { attr } = await world.complete(one.create('/f'));
  two.process.pause();
  world.process.restart();
  await world.complete(one.ready());
  t.is((await statusOf(world, one)).state, 'RECOVERING');
  two.process.resume();
  await world.complete(two.ready());
  t.like(await statusOf(world, one), { state: 'ACTIVE', sessions: 2, opens: 1 });
  await world.complete(one.close(attr.handle, rights.read | rights.write));
});

test('a session that does not come back after a restart ends with the window, no sooner (SCENARIOS 81)', async (t) => {
  const world = new MgrWorld(5);
  const [stays, gone] = [await world.client(), await world.client()];
  const { attr } = await world.complete(gone.create('/f'));
  await world.complete(gone.unlink('/f'));
  gone.process.kill();
  world.process.restart();
  await world.complete(stays.ready());
  await world.pass(limits.reclaimWindowMs - 5000);
  t.like(await statusOf(world, stays), { state: 'RECOVERING', sessions: 2, files: 1 });
  await world.pass(10_000);
  t.like(await statusOf(world, stays), { state: 'ACTIVE', sessions: 1, opens: 0, files: 0 });
  t.deepEqual(world.iods.fenced, [gone.id]);
  // The unlinked file went with its last holder.
  t.is(world.store?.inode(attr.handle), undefined);
  t.is(world.store?.pendingCount(), 4);
});

test('names are served while sessions are still missing (SCENARIOS 73)', async (t) => {
  const world = new MgrWorld(6);
  const [stays, gone] = [await world.client(), await world.client()];
  await world.complete(gone.ready());
  gone.process.kill();
  world.process.restart();
  const { created } = await world.complete(stays.create('/g'));
  t.true(created);
  t.is((await statusOf(world, stays)).state, 'RECOVERING');
});

test('a session that ends while an iod cannot be asked keeps its opens until it can', async (t) => {
  const world = new MgrWorld(7);
  const [gone, stays] = [await world.client(), await world.client()];
  const { attr } = await world.complete(gone.create('/f'));
  world.iods.exact = false;
  gone.process.kill();
  await world.pass(limits.heartbeatSilenceMs + limits.sessionLeaseMs + 10_000);
  t.like(await statusOf(world, stays), { sessions: 2, opens: 1 });
  const seen = await world.complete(stays.getAttr(attr.handle));
  t.false(seen.attr.sizeExact);
  world.iods.exact = true;
  world.iods.sizes.set(attr.handle, 77);
  await world.pass(5000);
  t.like(await statusOf(world, stays), { sessions: 1, opens: 0 });
  t.is((await world.complete(stays.getAttr(attr.handle))).attr.size, 77);
});

test('the end of a session survives a kill of the mgr at the fence (SCENARIOS 281)', async (t) => {
  const world = new MgrWorld(8);
  const [gone, stays] = [await world.client(), await world.client()];
  await world.complete(gone.create('/f'));
  world.iods.hold();
  gone.process.kill();
  await world.pass(limits.heartbeatSilenceMs + limits.sessionLeaseMs + 5000);
  world.process.kill();
  world.iods.gate = Promise.resolve();
  world.process.start();
  await world.pass(limits.reclaimWindowMs + 5000);
  t.like(await statusOf(world, stays), { sessions: 1, opens: 0 });
});

test('a session that its client closes is gone when it is answered', async (t) => {
  const world = new MgrWorld(9);
  const [client, other] = [await world.client(), await world.client()];
  const { attr } = await world.complete(client.create('/f'));
  world.iods.sizes.set(attr.handle, 5);
  await world.complete(client.call(sessionOps.closeSession, {}));
  t.like(await statusOf(world, other), { sessions: 1, opens: 0 });
  t.is((await world.complete(other.stat('/f'))).attr.size, 5);
  await t.throwsAsync(world.complete(client.stat('/f')), { message: /ESTALE/ });
});

test('a connection has one session at a time', async (t) => {
  const world = new MgrWorld(10);
  const client = await world.client();
  const wish = { name: 'again', uid: 0, gid: 0, groups: [] };
  const again = client.call(sessionOps.openSession, wish);
  await t.throwsAsync(world.complete(again), { message: /EINVAL/ });
});

test('a later connection of a session fences the earlier one (SCENARIOS 117)', async (t) => {
  const world = new MgrWorld(11);
  const client = await world.client();
  const { key, id } = client;
  t.truthy(key);
  const twin = world.newClient({
    credential: { kind: 'session', name: String(id), key: key ?? Buffer.alloc(0) },
    attach: id,
  });
  const earlier = client.connection;
  await world.complete(twin.ready());
  t.false(earlier?.isOpen);
});

test('the key of a session alone does nothing: it must be taken up first', async (t) => {
  const world = new MgrWorld(18);
  const client = await world.client();
  const credential = {
    kind: 'session',
    name: String(client.id),
    key: client.key ?? Buffer.alloc(0),
  } as const;
  client.process.kill();
  const twin = world.newClient({ credential, begin: false });
  await t.throwsAsync(world.complete(twin.stat('/')), { message: /EPERM.*not attached/ });
});

test('a wrong key, a forged session and an unknown one are refused before anything is read (SCENARIOS 74)', async (t) => {
  const world = new MgrWorld(12);
  const honest = await world.client();
  const wrong = Buffer.alloc(32, 1);
  const cases = [
    [{ kind: 'cluster', name: '', key: wrong }, 'WEFT_E_BAD_KEY'],
    [{ kind: 'session', name: String(honest.id), key: wrong }, 'WEFT_E_BAD_KEY'],
    [{ kind: 'session', name: '999', key: wrong }, 'WEFT_E_SESSION_LOST'],
    [{ kind: 'session', name: '-1', key: wrong }, 'WEFT_E_SESSION_LOST'],
    [{ kind: 'token', name: 'root', key: wrong }, 'WEFT_E_BAD_KEY'],
    [anonymous, 'WEFT_E_NO_KEY'],
  ] as const;
  for (const [credential, id] of cases) {
    const client = world.newClient({ credential });
    await t.throwsAsync(world.complete(client.ready()));
    t.is(client.final?.weftCode, id);
  }
  t.is((await statusOf(world, honest)).sessions, 1);
  t.true(honest.connection?.isOpen);
});

test('a token stands for its user, whatever its holder claims, and not for the cluster', async (t) => {
  const users = new Map([['alice', { uid: 1000, gid: 100, groups: [7] }]]);
  const world = new MgrWorld(13, { policy: { rootSquash: false, users } });
  const token = (name: string) =>
    ({ kind: 'token', name, key: tokenKey(world.secret, name) }) as const;
  const alice = await world.client({ credential: token('alice'), uid: 0 });
  t.like(alice.session, { uid: 1000, gid: 100, groups: [7] });
  const number = await world.client({ credential: token('1234:5'), uid: 0 });
  t.like(number.session, { uid: 1234, gid: 5, groups: [] });
  await t.throwsAsync(world.complete(alice.mkdir('/d')), { message: /EACCES/ });
  const list = alice.call(clusterOps.listFiles, { after: 0 as never });
  await t.throwsAsync(world.complete(list), { message: /EACCES/ });
  const path = alice.call(clusterOps.pathOf, { handle: 1 as never });
  await t.throwsAsync(world.complete(path), { message: /EACCES/ });
});

test('a token keeps its user and gains no trust when its session is taken up again', async (t) => {
  const world = new MgrWorld(14);
  const credential = {
    kind: 'token',
    name: '1000',
    key: tokenKey(world.secret, '1000'),
  } as const;
  const client = await world.client({ credential });
  world.process.restart();
  await world.complete(client.ready());
  const list = client.call(clusterOps.listFiles, { after: 0 as never });
  await t.throwsAsync(world.complete(list), { message: /EACCES/ });
  await t.throwsAsync(world.complete(client.mkdir('/d')), { message: /uid 1000/ });
});

test('with root squash root of a client is nobody', async (t) => {
  const world = new MgrWorld(15, { policy: { rootSquash: true, users: new Map() } });
  const client = await world.client({ uid: 0 });
  t.like(client.session, { uid: 65_534, gid: 65_534 });
});

test('what needs no session is answered without one, and nothing else is', async (t) => {
  const world = new MgrWorld(16);
  const client = world.newClient({ begin: false });
  t.is((await world.complete(client.call(clusterOps.status, {}))).sessions, 0);
  t.like(await world.complete(client.call(nameOps.statFs, {})), { totalBytes: 100, files: 0 });
  await t.throwsAsync(world.complete(client.stat('/')), { message: /EPERM/ });
  const make = client.once(
    nameOps.makeNode,
    { at: at('/d'), kind: 'directory', mode: 0, device: 0, maker: undefined, lend: false },
    0,
    1,
  );
  await t.throwsAsync(world.complete(make), { message: /EPERM/ });
});

test('a client may not send what is for iods, nor say that it is a mgr', async (t) => {
  const world = new MgrWorld(17);
  const client = await world.client();
  const draining = client.call(syncOps.draining, {});
  await t.throwsAsync(world.complete(draining), { message: /EPERM/ });
});
