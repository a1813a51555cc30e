/** Directories that were there before: lent to who changes them alone (decision 21). */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import { anyLayout, at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';
import { Asked, Mount } from './mount.ts';

const smallFileBytes = 100;

/** A mount, somebody else, and a directory of his. */
async function begin(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mount = await Mount.on(world);
  const other = await world.client();
  const { attr } = await world.complete(other.mkdir('/d'));
  const borrow = (by = mount) => world.complete(by.borrow(attr.handle));
  return { world, mount, other, directory: attr.handle, borrow };
}

async function list(client: MgrClient, path: string): Promise<readonly string[]> {
  const request = { at: at(path), after: 0, count: 100, attributes: true };
  return (await client.call(nameOps.readDirectory, request)).entries.map(({ name }) => name);
}

test('a directory that nobody else cares for is lent, and others wait until it is back', async (t) => {
  const { world, mount, other, directory, borrow } = await begin(1);
  const reply = await borrow();
  t.like(reply, {
    lent: true,
    roomAtMgr: smallFileBytes,
    attr: { handle: directory, right: true },
  });
  t.true(reply.now.seconds >= reply.attr.changed.seconds);
  t.deepEqual(world.store?.lent(), [{ handle: directory, session: mount.client.id }]);
  const [handle] = await world.complete(mount.takeHandles());
  const release = mount.holdRecalls(() => mount.settleNames(reply, [{ handle, name: 'f' }]));
  const asked = new Asked(list(other, '/d'));
  await world.pass(500);
  t.deepEqual(mount.recalled, [directory]);
  t.false(asked.isOver);
  release();
  t.deepEqual(await world.complete(asked.answer), ['f']);
  t.deepEqual(world.store?.lent(), []);
});

test('one that another mount may cache is not lent', async (t) => {
  const { world, mount, borrow } = await begin(2);
  const second = await Mount.on(world);
  t.true((await world.complete(second.client.stat('/d'))).attr.right);
  t.like(await borrow(), { lent: false, attr: { right: true } });
  await world.complete(mount.client.mkdir('/d/a'));
  t.is(second.recalled.length, 1, 'for that it has given its right back');
  t.like(await borrow(), { lent: false, attr: { right: true } });
  await world.pass(limits.unsharedMs - 1000);
  t.false((await borrow()).lent, 'it has cared for it not long ago');
  await world.pass(1000);
  t.true((await borrow()).lent);
  t.is(second.recalled.length, 1);
});

test('what was shared is told from what was not', async (t) => {
  const { world, mount, other, borrow } = await begin(3);
  const second = await Mount.on(world);
  await world.complete(second.client.stat('/d'));
  await world.complete(mount.client.mkdir('/d/a'));
  const { attr } = await world.complete(other.mkdir('/e'));
  t.false((await borrow()).lent);
  t.true((await world.complete(mount.borrow(attr.handle))).lent);
});

test('none is lent where files remove themselves', async (t) => {
  const { world, other, mount, borrow } = await begin(4);
  const request = { at: at('/d'), layout: anyLayout, retentionSeconds: 60 };
  await world.complete(other.call(nameOps.setDefaults, request));
  const { attr } = await world.complete(other.mkdir('/d/deep'));
  t.false((await borrow()).lent);
  t.false((await world.complete(mount.borrow(attr.handle))).lent);
  t.deepEqual(world.store?.lent(), []);
});

test('none is lent to who is not root, or does not cache', async (t) => {
  const { world, other, directory, borrow } = await begin(5);
  await world.complete(
    other.call(nameOps.setAttr, { ...noChange, at: at('/d'), mode: 0o777, uid: 1000 }),
  );
  t.false((await borrow(await Mount.on(world, { uid: 1000 }))).lent);
  t.like(await borrow(await Mount.on(world, { caches: false })), {
    lent: false,
    attr: { handle: directory, right: false },
  });
});

test('what is no directory, or not there, is not lent', async (t) => {
  const { world, mount, other } = await begin(6);
  const fifo = { kind: 'fifo', mode: 0o644, device: 0, maker: undefined, lend: false } as const;
  const { attr } = await world.complete(other.call(nameOps.makeNode, { ...fifo, at: at('/p') }));
  await t.throwsAsync(world.complete(mount.borrow(attr.handle)), { code: 'ENOTDIR' });
  const gone = mount.borrow((attr.handle + 1) as Handle);
  await t.throwsAsync(world.complete(gone), { code: 'ENOENT' });
});

test('after a restart none is lent while somebody may have a right of before', async (t) => {
  const { world, mount, borrow } = await begin(7);
  const second = await Mount.on(world);
  await world.complete(second.client.stat('/d'));
  second.client.process.kill();
  world.process.restart();
  await world.complete(mount.client.ready());
  await world.complete(mount.cache());
  t.false((await borrow()).lent);
  await world.pass(limits.rightAtMgrMs);
  t.true((await borrow()).lent);
});

test('who asks for one that is lent to another waits until it is back', async (t) => {
  const { world, mount, directory, borrow } = await begin(8);
  const lent = await borrow();
  const second = await Mount.on(world);
  const [handle] = await world.complete(mount.takeHandles());
  const release = mount.holdRecalls(() =>
    mount.settleNames(lent, [{ handle, name: 'sub', kind: 'directory' }]),
  );
  const asked = new Asked(second.borrow(directory));
  await world.pass(500);
  t.false(asked.isOver);
  t.deepEqual(mount.recalled, [directory]);
  release();
  t.is((await world.complete(asked.answer)).attr.links, 3, 'and hears what was made there');
});

test('who asks for what is lent to it has given it back', async (t) => {
  const { world, mount, directory, borrow } = await begin(9);
  await borrow();
  t.true((await borrow()).lent);
  t.deepEqual(mount.recalled, [directory]);
  t.is(world.store?.lent().length, 1);
});

test('one that is lent in a commit that fails is lent when that is done again, or not at all', async (t) => {
  const { world, mount, other, directory, borrow } = await begin(10);
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  const { lent } = await borrow();
  t.falsy(world.commitFailure, 'it is durable to whom it is lent');
  t.is(world.store?.lent().length, Number(lent));
  t.deepEqual(await world.complete(list(other, '/d')), []);
  t.deepEqual(mount.recalled, lent ? [directory] : []);
});

test('a borrowed directory is lent to the same mount after a restart', async (t) => {
  const { world, mount, other, borrow } = await begin(11);
  const lent = await borrow();
  const [handle] = await world.complete(mount.takeHandles());
  mount.client.owes = true;
  world.process.restart();
  await world.complete(Promise.all([mount.client.ready(), other.ready()]));
  const asked = new Asked(list(other, '/d'));
  await world.pass(2 * limits.rightAtMgrMs);
  t.false(asked.isOver);
  await world.complete(mount.settleNames(lent, [{ handle, name: 'f' }]));
  await world.complete(mount.cache());
  t.deepEqual(await world.complete(asked.answer), ['f']);
});
