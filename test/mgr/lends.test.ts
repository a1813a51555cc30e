/** New files that are lent to the clients that make them (decision 20). */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { byteString, rootHandle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { anyLayout, at, MgrWorld, type MgrClient, noChange } from './mgr-world.ts';
import { Asked, both, done, Mount, type Opened, settlement } from './mount.ts';

const { read, write, create, exclusive, lend } = openFlags;
const smallFileBytes = 100;

/** A mount that has just made `/f`, and somebody else. */
async function begin(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mount = await Mount.on(world);
  const other = await world.client();
  const lent = await world.complete(mount.make('/f'));
  const { handle } = lent.attr;
  return { world, mount, other, lent, handle };
}

/** Whoever asks is answered, and asks nobody. */
async function isHere(world: MgrWorld, mount: Mount, path: string): Promise<boolean> {
  const other = await world.client();
  const { length } = mount.recalled;
  await world.complete(other.stat(path));
  return mount.recalled.length === length;
}

test('a file is lent when a mount of root makes it at the mgr and asks for that', async (t) => {
  const world = new MgrWorld(1, { smallFileBytes });
  const mount = await Mount.on(world);
  const flags = read | write | create;
  t.like(await world.complete(mount.make('/f')), { lent: true, created: true });
  t.false((await world.complete(mount.make('/unasked', flags))).lent);
  t.false((await world.complete(mount.make('/only-read', read | create | lend))).lent);
  t.like(await world.complete(mount.make('/unasked')), { lent: false, created: false });
  const plain = await Mount.on(world, { caches: false });
  t.false((await world.complete(plain.make('/not-cached'))).lent);
  await world.complete(
    mount.client.call(nameOps.setAttr, { ...noChange, at: at('/'), mode: 0o777 }),
  );
  const user = await Mount.on(world, { uid: 1000 });
  t.false((await world.complete(user.make('/of-a-user'))).lent);
  const without = new MgrWorld(1);
  const there = await Mount.on(without);
  t.false((await without.complete(there.make('/at-the-iods'))).lent);
});

const sees: Record<string, (other: MgrClient, lent: Opened) => Promise<unknown>> = {
  lookup: async (other) => (await other.stat('/f')).attr,
  getAttr: async (other, { attr }) => (await other.getAttr(attr.handle)).attr,
  storedAttr: async (other, { attr }) =>
    (await other.call(nameOps.storedAttr, { handle: attr.handle })).attr,
  readDirectory: async (other) => {
    const request = { at: at('/'), after: 0, count: 10, attributes: true };
    return (await other.call(nameOps.readDirectory, request)).entries[0]?.attr;
  },
  open: async (other) => (await other.open('/f', read)).attr,
  create: async (other) => (await other.create('/f')).attr,
  link: async (other) => {
    const request = { from: at('/f'), to: at('/g'), follow: false };
    return (await other.call(nameOps.link, request)).attr;
  },
};

for (const [question, ask] of Object.entries(sees)) {
  test(`${question} of another waits until the file is back, and sees what was settled`, async (t) => {
    const { world, mount, other, lent, handle } = await begin(2);
    const settle = mount.holdRecalls(() => mount.settle(lent));
    const asked = new Asked(ask(other, lent));
    await world.pass(500);
    t.deepEqual(mount.recalled, [handle]);
    t.false(asked.isOver);
    settle();
    const { bytes, ...attr } = done;
    t.like(await world.complete(asked.answer), { handle, size: bytes.length, ...attr });
    t.is(mount.recalled.length, 1);
  });
}

const changes: Record<string, (other: MgrClient) => Promise<unknown>> = {
  unlink: (other) => other.unlink('/f'),
  setAttr: (other) => other.call(nameOps.setAttr, { ...noChange, at: at('/f'), mode: 0o600 }),
  'setAttr with a size': (other) => other.truncate('/f', 2),
  'setAttr with a size for the iods': (other) => other.truncate('/f', 2 * smallFileBytes),
  rename: (other) => other.call(nameOps.rename, { from: at('/f'), to: at('/g'), flags: 0 }),
  'rename over it': async (other) => {
    await other.mkdir('/d');
    await other.create('/d/g');
    return other.call(nameOps.rename, { from: at('/d/g'), to: at('/f'), flags: 0 });
  },
  setXattr: (other) => {
    const name = byteString('user.a');
    const value = Buffer.from('1');
    return other.call(nameOps.setXattr, {
      at: at('/f'),
      follow: true,
      name,
      value,
      mustExist: false,
      mustNotExist: false,
    });
  },
  access: (other) => other.call(nameOps.access, { at: at('/f'), mask: 4 }),
};

for (const [change, make] of Object.entries(changes)) {
  test(`${change} by another waits until the file is back, and happens to what was settled`, async (t) => {
    const { world, mount, other, lent, handle } = await begin(3);
    let isKept: boolean | undefined;
    const settle = mount.holdRecalls(async () => {
      isKept = (await mount.settle(lent, { rights: 0 })).attr !== undefined;
    });
    const asked = new Asked(make(other));
    await world.pass(500);
    t.deepEqual(mount.recalled, [handle]);
    t.false(asked.isOver);
    settle();
    await world.complete(asked.answer);
    t.true(isKept);
    await world.complete(mount.client.close(handle, both));
  });
}

test('to list names alone nobody is asked', async (t) => {
  const { world, mount, other } = await begin(4);
  const request = { at: at('/'), after: 0, count: 10, attributes: false };
  const { entries } = await world.complete(other.call(nameOps.readDirectory, request));
  t.deepEqual([entries[0]?.name, mount.recalled], [byteString('f'), []]);
});

test('who asks for its own in another way is asked back like others', async (t) => {
  const ways: ((client: MgrClient, lent: Opened) => Promise<unknown>)[] = [
    (client) => client.stat('/f'),
    (client, { attr }) => client.readSmall(attr.handle),
    (client, { attr }) => client.writeSmall(attr.handle, '!'),
    (client, { attr }) => client.extend(attr.handle, 5),
    (client, { attr }) => client.reserve(attr.handle, 1),
    (client, { attr }) => client.moveOut(attr.handle),
    (client, { attr }) => client.call(fileOps.renew, { handle: attr.handle }),
    (client, { attr }) => client.close(attr.handle, both),
    (client) => client.truncate('/f', 1),
    (client) => client.unlink('/f'),
  ];
  for (const [i, ask] of ways.entries()) {
    const { world, mount, lent, handle } = await begin(5);
    let isKept: boolean | undefined;
    mount.onRecall = async () => {
      isKept = (await mount.settle(lent, { rights: 0 })).attr !== undefined;
    };
    await world.complete(ask(mount.client, lent));
    // To give back an open, or a cap, tells nothing of what is in the file.
    if (mount.recalled.length === 0) t.true([3, 6, 7].includes(i), `way ${i}`);
    else t.deepEqual([mount.recalled[0], isKept], [handle, true], `way ${i}`);
  }
});

test('what was done to it is stored exactly, with the close, and may be cached from then on', async (t) => {
  const { world, mount, other, lent, handle } = await begin(6);
  const { attr } = await world.complete(mount.settle(lent));
  const { bytes, ...kept } = done;
  const { changed } = lent.attr;
  t.like(attr, { size: bytes.length, sizeExact: true, changed, ...kept, right: true });
  t.is(world.store?.openCount(), 0);
  t.true(await isHere(world, mount, '/f'));
  await world.complete(other.open('/f'));
  t.deepEqual(mount.recalled, [handle], 'only now somebody may write it');
  t.is(await world.complete(other.readSmall(handle)), 'hello');
  t.like((await world.complete(other.getAttr(handle))).attr, kept);
});

test('one that is settled without its close is written on as any other', async (t) => {
  const { world, mount, other, lent, handle } = await begin(7);
  t.false((await world.complete(mount.settle(lent, { rights: 0 }))).attr?.right);
  t.is(await world.complete(mount.client.writeSmall(handle, '!')), 5);
  await world.complete(mount.client.close(handle, both));
  t.like(await world.complete(other.stat('/f')), { attr: { size: 6 } });
});

test('an empty one is settled too, and nothing is stored of a time to come', async (t) => {
  const { world, mount, lent, handle } = await begin(8);
  const bytes = Buffer.alloc(0);
  const changed = { seconds: lent.attr.changed.seconds + 1000, nanoseconds: 0 };
  const { attr } = await world.complete(mount.settle(lent, { bytes, changed }));
  t.like(attr, { size: 0, mode: done.mode });
  t.true((attr?.changed.seconds ?? Infinity) < changed.seconds);
  t.is(world.store?.contents(handle), undefined);
});

test('an open whose reply was lost lends the file, and gets the same reply again', async (t) => {
  const { world } = await begin(43);
  const mount = await Mount.on(world);
  const request = {
    at: at('/lost'),
    flags: read | write | create | lend,
    mode: 0o644,
    layout: anyLayout,
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  const first = await world.complete(mount.client.once(fileOps.open, request, 200, 1));
  const again = await world.complete(mount.client.once(fileOps.open, request, 200, 1));
  t.true(first.lent);
  t.deepEqual(again, first);
  t.deepEqual(mount.recalled, []);
});

test('a settle whose reply was lost is not done twice', async (t) => {
  const { world, mount, other, lent, handle } = await begin(9);
  const request = settlement(lent, { rights: 0 });
  const first = await world.complete(mount.client.once(fileOps.settle, request, 200, 1));
  await world.complete(mount.client.writeSmall(handle, '!'));
  const again = await world.complete(mount.client.once(fileOps.settle, request, 200, 1));
  t.deepEqual(again, first);
  t.like(await world.complete(other.stat('/f')), { attr: { size: 6 } });
});

test('of a file that is not as it was made nothing is stored, yet it is closed', async (t) => {
  const mode = 0o600;
  const meanwhile: Record<string, (client: MgrClient, lent: Opened) => Promise<unknown>> = {
    mode: (client) => client.call(nameOps.setAttr, { ...noChange, at: at('/f'), mode }),
    bytes: (client, { attr }) => client.writeSmall(attr.handle, 'theirs'),
    place: (client, { attr }) => client.moveOut(attr.handle),
  };
  for (const [what, change] of Object.entries(meanwhile)) {
    const { world, mount, other, lent, handle } = await begin(10);
    await world.complete(other.open('/f'));
    await world.complete(change(other, lent));
    const before = (await world.complete(other.getAttr(handle))).attr;
    t.is((await world.complete(mount.settle(lent))).attr, undefined, what);
    const { attr } = await world.complete(other.getAttr(handle));
    t.like(attr, { size: before.size, mode: before.mode, uid: 0, place: before.place }, what);
    t.is(world.store?.openCount(), 1, what);
  }
});

test('what was settled is not settled again, also when its times say that it is as it was made', async (t) => {
  const { world, mount, other, lent } = await begin(17);
  await world.complete(mount.settle(lent, { rights: 0 }));
  const { attr } = await world.complete(mount.settle(lent, { bytes: Buffer.from('again') }));
  t.is(attr, undefined);
  await world.complete(other.open('/f'));
  t.is(await world.complete(other.readSmall(lent.attr.handle)), 'hello');
});

test('only root settles, and what it has open for writing', async (t) => {
  const { world, mount, other, lent } = await begin(11);
  const settle = (client: MgrClient, of: Opened) =>
    world.complete(client.call(fileOps.settle, settlement(of)));
  await t.throwsAsync(settle(other, lent), { code: 'EBADF' });
  t.deepEqual(mount.recalled, []);
  await world.complete(other.open('/f', read));
  await t.throwsAsync(settle(other, lent), { code: 'EBADF' });
  const root = { ...noChange, at: { directory: rootHandle, path: byteString('') } };
  await world.complete(mount.client.call(nameOps.setAttr, { ...root, mode: 0o777 }));
  const user = await world.client({ uid: 1000 });
  const own = await world.complete(user.create('/own'));
  await t.throwsAsync(settle(user, own), { code: 'EPERM' });
  t.like(await world.complete(user.stat('/own')), { attr: { size: 0, uid: 1000 } });
});

test('a settle that fails has changed nothing: the file is lent as before', async (t) => {
  const { world, mount, other, lent, handle } = await begin(12);
  const bytes = Buffer.alloc(smallFileBytes + 1);
  await t.throwsAsync(world.complete(mount.settle(lent, { bytes })), { code: 'EFBIG' });
  t.is(world.store?.openCount(), 1);
  mount.onRecall = () => mount.settle(lent);
  t.like(await world.complete(other.stat('/f')), { attr: { size: 5 } });
  t.deepEqual(mount.recalled, [handle]);
});

test('a settle that fails with its commit leaves the file lent, and nobody sees it empty', async (t) => {
  const { world, mount, other, lent, handle } = await begin(13);
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  await t.throwsAsync(world.complete(mount.settle(lent)), { code: 'EIO' });
  mount.onRecall = () => mount.settle(lent);
  t.like(await world.complete(other.stat('/f')), { attr: { size: 5, uid: done.uid } });
  t.deepEqual(mount.recalled, [handle]);
});

test('whoever waits while the commit of a settle fails waits for the next one', async (t) => {
  const { world, mount, other, lent } = await begin(14);
  const codes: string[] = [];
  mount.onRecall = async () => {
    world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
    await mount.settle(lent).catch((error: FsError) => codes.push(error.code));
    await mount.settle(lent);
  };
  t.like(await world.complete(other.stat('/f')), { attr: { size: 5 } });
  t.deepEqual(codes, ['EIO']);
});

test('a file whose making fails with its commit is lent to nobody', async (t) => {
  const { world, mount, other } = await begin(15);
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  const flags = write | create | exclusive | lend;
  await t.throwsAsync(world.complete(mount.make('/g', flags)), { code: 'EIO' });
  await t.throwsAsync(world.complete(other.stat('/g')), { code: 'ENOENT' });
  t.false((await world.complete(other.create('/g'))).lent);
  t.like(await world.complete(mount.make('/g')), { lent: false, created: false });
  t.true(await isHere(world, mount, '/g'));
});

test('who meant to make a file and finds that of another is lent nothing', async (t) => {
  const world = new MgrWorld(16, { smallFileBytes });
  const mount = await Mount.on(world);
  const second = await Mount.on(world);
  const other = await world.client();
  // Both have to wait for the names of the directory, which somebody else may cache.
  await world.complete(second.client.stat('/'));
  const answer = second.holdRecalls();
  const theirs = new Asked(other.create('/f'));
  await world.pass(100);
  const ours = new Asked(mount.make('/f'));
  await world.pass(100);
  t.deepEqual([theirs.isOver, ours.isOver], [false, false]);
  answer();
  t.true((await world.complete(theirs.answer)).created);
  t.like(await world.complete(ours.answer), { created: false, lent: false });
});
