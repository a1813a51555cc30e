/** What was taken away in lent directories is told to the mgr (decision 21). */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { at, type MgrClient, MgrWorld } from './mgr-world.ts';
import { Asked, both, Mount, type NewName, type SettleNames } from './mount.ts';

const smallFileBytes = 100;

/** A directory `/d` with a file `f`, which somebody else has made, and which is lent to a mount. */
async function begin(seed: number, before: Before = () => Promise.resolve()) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mount = await Mount.on(world);
  const other = await world.client();
  const made = await world.complete(other.mkdir('/d'));
  const directory = made.attr.handle;
  const { attr } = await world.complete(other.create('/d/f'));
  const { handle: f } = attr;
  await world.complete(other.writeSmall(f, 'hello'));
  await world.complete(other.close(f, both));
  await before(world, other, f);
  const lent = await world.complete(mount.borrow(directory));
  if (!lent.lent) throw new Error('it is not lent');
  const handles = await world.complete(mount.takeHandles());
  const settle = (removed: readonly string[], names: readonly NewName[] = [], back = true) => {
    const changes: Partial<SettleNames> = {
      back,
      removed: removed.map((name) => byteString(name)),
    };
    return mount.settleNames(lent, names, changes);
  };
  return { world, mount, other, lent, directory, f, handles, settle };
}

type Before = (world: MgrWorld, other: MgrClient, f: Handle) => Promise<unknown>;

async function names(client: MgrClient, path = '/d'): Promise<readonly string[]> {
  const request = { at: at(path), after: 0, count: 100, attributes: true };
  return (await client.call(nameOps.readDirectory, request)).entries.map(({ name }) => name);
}

test('a file that was taken away goes with its bytes', async (t) => {
  const { world, mount, other, f, directory, lent } = await begin(1);
  const modified = { seconds: 20, nanoseconds: 21 };
  const removed = [byteString('f')];
  t.is(world.store?.contents(f)?.length, 5);
  const { attr } = await world.complete(mount.settleNames(lent, [], { removed, modified }));
  t.like(attr, { handle: directory, links: 2, modified, right: true });
  t.deepEqual(await world.complete(names(other)), []);
  await t.throwsAsync(world.complete(other.getAttr(f)), { code: 'ESTALE' });
  t.is(world.store?.contents(f), undefined);
  t.is(world.store?.fileCount(), 0);
  t.is(world.store?.pendingCount(), 0);
  await world.complete(other.call(nameOps.removeDirectory, { at: at('/d') }));
});

test('what a file has at the iods is to be removed there', async (t) => {
  const { world, f, settle } = await begin(2, async (before, other, handle) => {
    await before.complete(other.open('/d/f'));
    await before.complete(other.moveOut(handle));
    await before.complete(other.close(handle, both));
  });
  t.is(world.store?.inode(f)?.place, 'iods');
  const pending = world.store?.pendingCount() ?? -1;
  await world.complete(settle(['f']));
  t.is(world.store?.fileCount(), 0);
  t.is(world.store?.pendingCount(), pending + 4);
});

test('one that somebody has open stays until he closes it', async (t) => {
  const { world, other, f, settle } = await begin(3, async (before, client) =>
    before.complete(client.open('/d/f', openFlags.read)),
  );
  await world.complete(settle(['f']));
  t.deepEqual(await world.complete(names(other)), []);
  t.like((await world.complete(other.getAttr(f))).attr, { links: 0, size: 5 });
  t.is(await world.complete(other.readSmall(f)), 'hello');
  await world.complete(other.close(f, 1));
  t.is(world.store?.fileCount(), 0);
  t.is(world.store?.contents(f), undefined);
});

test('one that has another name keeps it', async (t) => {
  const { world, other, f, settle } = await begin(4, async (before, client) => {
    const request = { from: at('/d/f'), to: at('/g'), follow: false };
    await before.complete(client.call(nameOps.link, request));
  });
  const { changed } = (await world.complete(other.stat('/g'))).attr;
  await world.complete(settle(['f']));
  const { attr } = await world.complete(other.stat('/g'));
  t.like(attr, { handle: f, links: 1, size: 5 });
  t.notDeepEqual(attr.changed, changed);
  t.deepEqual(await world.complete(names(other)), []);
});

test('who may cache a file is asked before it goes', async (t) => {
  let second: Mount | undefined;
  const { world, f, settle } = await begin(5, async (before) => {
    second = await Mount.on(before);
    t.true((await before.complete(second.client.stat('/d/f'))).attr.right);
  });
  if (second === undefined) throw new Error('nobody');
  const release = second.holdRecalls();
  const settled = new Asked(settle(['f']));
  await world.pass(500);
  t.deepEqual(second.recalled, [f]);
  t.false(settled.isOver);
  t.is(world.store?.fileCount(), 1);
  release();
  await world.complete(settled.answer);
  t.is(world.store?.fileCount(), 0);
  t.deepEqual(world.store?.lent(), []);
});

test('what is made meanwhile is made once', async (t) => {
  let second: Mount | undefined;
  const { world, other, handles, settle } = await begin(6, async (before) => {
    second = await Mount.on(before);
    await before.complete(second.client.stat('/d/f'));
  });
  const sub: NewName = { handle: handles[1], name: 'sub', kind: 'directory' };
  const { attr } = await world.complete(settle(['f'], [sub], false));
  t.is(attr.links, 3);
  t.is(second?.recalled.length, 1);
  t.is(world.store?.lent().length, 2);
  await world.complete(settle([], []));
  t.deepEqual(await world.complete(names(other)), ['sub']);
});

test('a name that is not there is passed over', async (t) => {
  const { world, other, settle } = await begin(7);
  await world.complete(settle(['no', 'f', 'f', 'neither']));
  t.deepEqual(await world.complete(names(other)), []);
});

test('an empty directory that is lent too goes, and who waits for it finds it gone', async (t) => {
  const { world, mount, other, handles, directory, settle } = await begin(12);
  const [sub] = handles;
  await world.complete(settle([], [{ handle: sub, name: 'sub', kind: 'directory' }], false));
  t.is(world.store?.lent().length, 2);
  mount.onRecall = () => settle(['sub'], [], false);
  await t.throwsAsync(world.complete(other.getAttr(sub)), { code: 'ESTALE' });
  t.deepEqual(
    world.store?.lent().map(({ handle }) => handle),
    [directory],
  );
  t.is(world.store?.inode(sub), undefined);
  mount.onRecall = () => settle([]);
  t.is((await world.complete(other.stat('/d'))).attr.links, 2);
});

test('a lent directory with something in it does not go, and with it nothing', async (t) => {
  const { world, mount, other, handles, lent, settle } = await begin(13);
  const [sub, file] = handles;
  await world.complete(settle([], [{ handle: sub, name: 'sub', kind: 'directory' }], false));
  const inside = { ...lent, attr: { ...lent.attr, handle: sub } };
  await world.complete(
    mount.settleNames(inside, [{ handle: file, name: 'inside' }], { back: false }),
  );
  await t.throwsAsync(world.complete(settle(['f', 'sub'])), { code: 'ENOTEMPTY' });
  await world.complete(mount.settleNames(inside, []));
  await world.complete(settle([]));
  t.deepEqual(await world.complete(names(other)), ['f', 'sub']);
  t.deepEqual(await world.complete(names(other, '/d/sub')), ['inside']);
});

test('a directory that is not lent is not taken away so, and with it nothing', async (t) => {
  const { world, other, directory, handles, settle } = await begin(8, (before, client) =>
    before.complete(client.mkdir('/d/sub')),
  );
  const refused = settle(['f', 'sub'], [{ handle: handles[0], name: 'new' }]);
  await t.throwsAsync(world.complete(refused), { code: 'EPERM' });
  t.deepEqual(
    world.store?.lent().map(({ handle }) => handle),
    [directory],
  );
  await world.complete(settle([]));
  t.deepEqual(await world.complete(names(other)), ['f', 'sub']);
  t.is((await world.complete(other.stat('/d'))).attr.links, 3);
});

test('a file that was lent too is so no longer', async (t) => {
  const { world, mount, other, lent, handles, settle } = await begin(9);
  const [handle] = handles;
  const opened = await world.complete(mount.makeIn(lent, 'open', handle));
  t.true(opened.lent);
  await world.complete(settle(['open']));
  t.is((await world.complete(other.getAttr(handle))).attr.links, 0);
  t.deepEqual(mount.recalled, [], 'nobody waits for what was done to it');
  t.is((await world.complete(mount.settle(opened))).attr, undefined);
  t.is(world.store?.fileCount(), 1);
});

test('a new file may have the name of one that was taken away', async (t) => {
  const { world, other, f, handles, settle } = await begin(10);
  const [handle] = handles;
  await world.complete(settle(['f'], [{ handle, name: 'f', content: 'new' }]));
  t.like((await world.complete(other.stat('/d/f'))).attr, { handle, size: 3 });
  t.is(world.store?.fileCount(), 1);
  t.is(world.store?.contents(f), undefined);
});

test('what was taken away is there when the commit fails, and goes when it is told again', async (t) => {
  const { world, other, f, settle } = await begin(11);
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  await t.throwsAsync(world.complete(settle(['f'])), { code: 'EIO' });
  t.is(world.store?.contents(f)?.length, 5);
  t.is(world.store?.lent().length, 1);
  await world.complete(settle(['f']));
  t.deepEqual(await world.complete(names(other)), []);
});
