/** New directories that are lent to the clients that make them (decision 21). */
import test from 'ava';
import { byteString, type Handle } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { anyLayout, at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';
import { Asked, both, type LentDirectory, Mount } from './mount.ts';

const { read, write, create } = openFlags;
const smallFileBytes = 100;

/** A mount to which `/d` is lent, handles for what it makes there, and somebody else. */
async function begin(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mount = await Mount.on(world);
  const other = await world.client();
  const lent = await world.complete(mount.makeDirectory('/d'));
  const handles = await world.complete(mount.takeHandles());
  return { world, mount, other, lent, handles, directory: lent.attr.handle };
}

function rename(client: MgrClient, from: string, to: string) {
  return client.call(nameOps.rename, { from: at(from), to: at(to), flags: 0 });
}

function setDefaults(client: MgrClient, path: string, retentionSeconds?: number) {
  return client.call(nameOps.setDefaults, { at: at(path), layout: anyLayout, retentionSeconds });
}

/** What is in a directory, as somebody sees it who has to ask for nothing. */
async function list(client: MgrClient, path: string): Promise<readonly string[]> {
  const request = { at: at(path), after: 0, count: 100, attributes: true };
  return (await client.call(nameOps.readDirectory, request)).entries.map(({ name }) => name);
}

test('a directory is lent when a mount of root makes it and asks for that', async (t) => {
  const world = new MgrWorld(1, { smallFileBytes });
  const mount = await Mount.on(world);
  const lent = await world.complete(mount.makeDirectory('/d'));
  t.like(lent, { lent: true, roomAtMgr: smallFileBytes, attr: { right: true, links: 2 } });
  t.deepEqual(world.store?.lent(), [{ handle: lent.attr.handle, session: mount.client.id }]);
  t.false((await world.complete(mount.client.mkdir('/unasked'))).lent);
  const file = { at: at('/f'), kind: 'file', mode: 0o644, device: 0 } as const;
  const asked = mount.client.call(nameOps.makeNode, { ...file, maker: undefined, lend: true });
  t.like(await world.complete(asked), { lent: false, roomAtMgr: 0 });
  const plain = await Mount.on(world, { caches: false });
  t.false((await world.complete(plain.makeDirectory('/not-cached'))).lent);
  const opened = mount.client.call(nameOps.setAttr, { ...noChange, at: at('/'), mode: 0o777 });
  await world.complete(opened);
  const user = await Mount.on(world, { uid: 1000 });
  t.false((await world.complete(user.makeDirectory('/of-a-user'))).lent);
  t.is(world.store?.lent().length, 1);
  t.false(mount.recalled.includes(lent.attr.handle));
  const without = new MgrWorld(1);
  const there = await Mount.on(without);
  const roomless = await without.complete(there.makeDirectory('/d'));
  t.like(roomless, { lent: true, roomAtMgr: 0 });
});

test('none is lent where files remove themselves', async (t) => {
  const world = new MgrWorld(2, { smallFileBytes });
  const mount = await Mount.on(world);
  await world.complete(mount.client.mkdir('/scratch'));
  await world.complete(setDefaults(mount.client, '/scratch', 60));
  t.false((await world.complete(mount.makeDirectory('/scratch/d'))).lent);
  t.false((await world.complete(mount.makeDirectory('/scratch/d/deep'))).lent);
  t.true((await world.complete(mount.makeDirectory('/beside'))).lent);
});

type Ask = (other: MgrClient, directory: Handle) => Promise<unknown>;

const questions: Record<string, Ask> = {
  lookup: async (other) => (await other.stat('/d')).attr.links,
  'lookup of what is in it': async (other) => (await other.stat('/d/sub/..')).attr.links,
  getAttr: async (other, directory) => (await other.getAttr(directory)).attr.links,
  storedAttr: async (other, handle) =>
    (await other.call(nameOps.storedAttr, { handle })).attr.links,
  open: async (other) => (await other.open('/d', read)).attr.links,
  'readDirectory of it': async (other) => {
    const request = { at: at('/d'), after: 0, count: 10, attributes: false };
    return (await other.call(nameOps.readDirectory, request)).entries.length + 1;
  },
  'readDirectory of where it is': async (other) => {
    const request = { at: at('/'), after: 0, count: 10, attributes: true };
    return (await other.call(nameOps.readDirectory, request)).entries[0]?.attr?.links;
  },
  access: async (other) => {
    await other.call(nameOps.access, { at: at('/d'), mask: 4 });
    return 3;
  },
  handleOf: async (other, directory) => {
    const { handle } = await other.call(clusterOps.handleOf, { at: at('/d/f') });
    return Number(handle > directory) + 2;
  },
};

for (const [question, ask] of Object.entries(questions)) {
  test(`${question} by another waits until a directory is back, and sees what was settled`, async (t) => {
    const { world, mount, other, lent, handles, directory } = await begin(3);
    const names = [
      { handle: handles[0], name: 'f' },
      { handle: handles[1], name: 'sub', kind: 'directory' as const },
    ];
    const settle = mount.holdRecalls(async (asked) => {
      if (asked.includes(directory)) await mount.settleNames(lent, names);
    });
    const asked = new Asked(ask(other, directory));
    await world.pass(500);
    t.deepEqual(mount.recalled, [directory]);
    t.false(asked.isOver);
    settle();
    t.is(await world.complete(asked.answer), 3);
  });
}

/** Each with the error that it meets because of what was settled. */
const changes: Record<string, { readonly make: Ask; readonly fails?: string }> = {
  removeDirectory: {
    make: (other) => other.call(nameOps.removeDirectory, { at: at('/d') }),
    fails: 'ENOTEMPTY',
  },
  unlink: { make: (other) => other.unlink('/d/f') },
  rename: { make: (other) => rename(other, '/d', '/e') },
  'rename of what is in it': { make: (other) => rename(other, '/d/f', '/g') },
  'rename over it': {
    make: async (other) => {
      await other.mkdir('/x');
      return rename(other, '/x', '/d');
    },
    fails: 'ENOTEMPTY',
  },
  link: {
    make: (other) => other.call(nameOps.link, { from: at('/d/f'), to: at('/g'), follow: false }),
  },
  mkdir: { make: (other) => other.mkdir('/d/f'), fails: 'EEXIST' },
  'create in it': {
    make: (other) => other.open('/d/f', write | create | openFlags.exclusive),
    fails: 'EEXIST',
  },
  setAttr: {
    make: (other) => other.call(nameOps.setAttr, { ...noChange, at: at('/d/f'), mode: 0o600 }),
  },
  setXattr: {
    make: (other) => {
      const value = Buffer.from('1');
      const request = { at: at('/d'), follow: true, name: byteString('user.a'), value };
      return other.call(nameOps.setXattr, { ...request, mustExist: false, mustNotExist: false });
    },
  },
};

for (const [change, { make, fails }] of Object.entries(changes)) {
  test(`${change} by another waits until a directory is back, and happens to what was settled`, async (t) => {
    const { world, mount, other, lent, handles, directory } = await begin(4);
    const settle = mount.holdRecalls(async (asked) => {
      if (asked.includes(directory)) {
        await mount.settleNames(lent, [{ handle: handles[0], name: 'f' }]);
      }
    });
    const asked = new Asked(make(other, directory));
    await world.pass(500);
    t.deepEqual(mount.recalled, [directory]);
    t.false(asked.isOver);
    settle();
    if (fails === undefined) await world.complete(asked.answer);
    else await t.throwsAsync(world.complete(asked.answer), { code: fails });
  });
}

test('who lists many that are lent asks for all of them at once', async (t) => {
  const { world, mount, other, directory } = await begin(16);
  const second = await Mount.on(world);
  const more = [
    await world.complete(mount.makeDirectory('/e')),
    await world.complete(second.makeDirectory('/g')),
  ];
  const answers = [mount, second].map((one) => one.holdRecalls());
  const listed = new Asked(list(other, '/'));
  await world.pass(500);
  t.deepEqual(
    [...mount.recalled, ...second.recalled],
    [directory, ...more.map(({ attr }) => attr.handle)],
  );
  answers[0]?.();
  await world.pass(500);
  t.false(listed.isOver);
  answers[1]?.();
  t.deepEqual(await world.complete(listed.answer), ['d', 'e', 'g']);
});

test('to list the names beside it nobody is asked', async (t) => {
  const { world, mount, other } = await begin(5);
  const request = { at: at('/'), after: 0, count: 10, attributes: false };
  const { entries } = await world.complete(other.call(nameOps.readDirectory, request));
  t.deepEqual([entries[0]?.name, mount.recalled], [byteString('d'), []]);
});

test('who asks about its own directory in another way is asked back like others', async (t) => {
  const { world, mount, lent, handles, directory } = await begin(6);
  mount.onRecall = () => mount.settleNames(lent, [{ handle: handles[0], name: 'f' }]);
  t.like(await world.complete(mount.client.stat('/d/f')), { attr: { handle: handles[0] } });
  t.deepEqual(mount.recalled, [directory]);
});

test('who lists its own directory is asked for nothing, and finds what he has told', async (t) => {
  const { world, mount, lent, handles, directory } = await begin(16);
  const [file, sub] = handles;
  const names = [
    { handle: file, name: 'f' },
    { handle: sub, name: 'sub', kind: 'directory' as const },
  ];
  await world.complete(mount.settleNames(lent, names, { back: false }));
  const request = { at: at('/d'), after: 0, count: 10, attributes: true };
  const page = await world.complete(mount.client.call(nameOps.readDirectory, request));
  t.like(page, { done: true, directory: { handle: directory, links: 3, right: true } });
  t.like(page.entries[0], { name: 'f', attr: { handle: file, right: true } });
  t.like(page.entries[1], { name: 'sub', handle: sub, attr: undefined });
  t.deepEqual(mount.recalled, []);
  t.is(world.store?.lent().length, 2, 'both are lent as before');
});

test('who answers without having settled has given it back', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(7);
  t.deepEqual(await world.complete(list(other, '/d')), []);
  t.deepEqual(mount.recalled, [directory]);
  await world.complete(other.stat('/d'));
  t.deepEqual(mount.recalled, [directory], 'nobody is asked again');
  t.deepEqual(world.store?.lent(), []);
  const late = mount.settleNames(lent, [{ handle: handles[0], name: 'f' }]);
  await t.throwsAsync(world.complete(late), { code: 'EPERM' });
  t.deepEqual(await world.complete(list(other, '/d')), []);
});

test('one that is settled in parts stays lent until it is given back', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(8);
  const part = (i: 0 | 1, back: boolean) =>
    mount.settleNames(lent, [{ handle: handles[i], name: `f${i}` }], { back });
  const first = await world.complete(part(0, false));
  t.true(first.attr.right);
  t.deepEqual([...first.rights], [1]);
  const answer = mount.holdRecalls(() => part(1, true));
  const asked = new Asked(list(other, '/d'));
  await world.pass(500);
  t.false(asked.isOver);
  answer();
  t.deepEqual(await world.complete(asked.answer), ['f0', 'f1']);
  t.deepEqual(mount.recalled, [directory]);
  t.deepEqual(world.store?.lent(), []);
});

test('what is given back unasked may be seen by all, and is cached on', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(9);
  const { attr } = await world.complete(
    mount.settleNames(lent, [{ handle: handles[0], name: 'f' }]),
  );
  t.true(attr.right);
  t.deepEqual(world.store?.lent(), []);
  t.deepEqual(await world.complete(list(other, '/d')), ['f']);
  t.deepEqual(mount.recalled, []);
  await world.complete(other.mkdir('/d/sub'));
  t.deepEqual(mount.recalled, [directory], 'only now its names have changed');
});

test('a file that is made open in a lent directory is lent too', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(10);
  const [handle] = handles;
  const opened = await world.complete(mount.makeIn(lent, 'f', handle));
  t.like(opened, { created: true, lent: true, roomAtMgr: smallFileBytes, attr: { handle } });
  t.deepEqual(mount.recalled, [], 'its directory is lent as before');
  mount.onRecall = async (asked) => {
    if (asked.includes(directory)) await mount.settleNames(lent, []);
    if (asked.includes(handle)) await mount.settle(opened);
  };
  t.like(await world.complete(other.stat('/d/f')), { attr: { handle, size: 5 } });
  t.deepEqual(mount.recalled, [directory, handle]);
});

test('a handle for a new file is one that was given out, and is free', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(11);
  const taken = [directory, (handles[3] + 5000) as Handle, 0 as Handle, 1 as Handle];
  for (const handle of taken) {
    await t.throwsAsync(world.complete(mount.makeIn(lent, 'f', handle)), { code: 'EINVAL' });
  }
  const flags = read | write | create;
  await world.complete(mount.makeIn(lent, 'f', handles[0], flags));
  await world.complete(mount.client.close(handles[0], both));
  const again = await world.complete(mount.makeIn(lent, 'f', handles[1], flags));
  t.like(again, { created: false, lent: false, attr: { handle: handles[0] } });
  mount.onRecall = () => mount.settleNames(lent, []);
  t.deepEqual(await world.complete(list(other, '/d')), ['f']);
});

test('a listing asks nobody for what is lent to him, and tells him nothing of it', async (t) => {
  const { world, mount, directory } = await begin(15);
  const request = { at: at('/'), after: 0, count: 10, attributes: true };
  const { entries } = await world.complete(mount.client.call(nameOps.readDirectory, request));
  t.like(entries[0], { handle: directory, attr: undefined });
  t.deepEqual(mount.recalled, []);
});

test('handles are taken and used by sessions of root only', async (t) => {
  const { world, mount, lent, handles } = await begin(14);
  const root = { ...noChange, at: at('/') };
  await world.complete(mount.client.call(nameOps.setAttr, { ...root, mode: 0o777 }));
  const user = await Mount.on(world, { uid: 1000 });
  await t.throwsAsync(world.complete(user.takeHandles()), { code: 'EPERM' });
  // Otherwise what the mount makes of it could not be settled.
  await t.throwsAsync(world.complete(user.makeIn(lent, 'f', handles[0])), { code: 'EPERM' });
  await t.throwsAsync(world.complete(user.client.stat('/d/f')), { code: 'ENOENT' });
  const nobody = world.newClient({ begin: false });
  const taken = nobody.call(nameOps.takeHandles, {});
  await t.throwsAsync(world.complete(taken), { code: 'EPERM' });
});

/** Two mounts, a directory lent to each, and somebody else with directories of his own. */
async function beginTwo(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mounts = [await Mount.on(world), await Mount.on(world)] as const;
  const other = await world.client();
  for (const path of ['/x', '/y']) await world.complete(other.mkdir(path));
  await world.complete(other.create('/f'));
  const lent: LentDirectory[] = [];
  for (const [i, mount] of mounts.entries()) {
    lent.push(await world.complete(mount.makeDirectory(`/lent${i}`)));
  }
  const asked = () => mounts.map(({ recalled }) => recalled.length);
  return { world, mounts, other, lent, asked };
}

const moves: Record<string, (other: MgrClient) => Promise<unknown>> = {
  'a rename of a directory to another parent': (other) => rename(other, '/x', '/y/x'),
  'an exchange of a directory with something elsewhere': async (other) => {
    await other.create('/y/g');
    return other.call(nameOps.rename, { from: at('/x'), to: at('/y/g'), flags: 2 });
  },
  'a change of what new files get': (other) => setDefaults(other, '/x', 60),
};

for (const [move, make] of Object.entries(moves)) {
  test(`${move} waits until nothing is lent`, async (t) => {
    const { world, mounts, other, asked } = await beginTwo(12);
    const answers = mounts.map((mount) => mount.holdRecalls());
    const moved = new Asked(make(other));
    await world.pass(500);
    t.deepEqual(asked(), [1, 1]);
    answers[0]?.();
    await world.pass(500);
    t.false(moved.isOver, 'one is still lent');
    answers[1]?.();
    await world.complete(moved.answer);
    t.deepEqual(world.store?.lent(), []);
  });
}

test('who waits until nothing is lent is not kept waiting by what is made meanwhile', async (t) => {
  const { world, mounts, other } = await beginTwo(15);
  const [mount] = mounts;
  const made: boolean[] = [];
  mount.onRecall = async () => {
    if (made.length < 10) made.push((await mount.makeDirectory(`/new${made.length}`)).lent);
  };
  await world.complete(rename(other, '/x', '/y/x'));
  t.deepEqual(made, [false]);
  t.true((await world.complete(mount.makeDirectory('/after'))).lent);
});

test('other renames ask nobody', async (t) => {
  const { world, other, asked } = await beginTwo(13);
  await world.complete(rename(other, '/x', '/z'));
  await world.complete(rename(other, '/f', '/y/f'));
  t.deepEqual(asked(), [0, 0]);
});
