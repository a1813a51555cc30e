/** What was made in lent directories is told to the mgr (decision 21). */
import test from 'ava';
import { FsError, type Errno } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { at, MgrWorld, type MgrClient } from './mgr-world.ts';
import { Mount, namesSettlement, type NewName } from './mount.ts';

const smallFileBytes = 100;
const diskError = () => new FsError('EIO', { id: 'WEFT_E_DISK' });

/** A mount to which `/d` is lent, handles for what it makes there, and somebody else. */
async function begin(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const mount = await Mount.on(world);
  const other = await world.client();
  const lent = await world.complete(mount.makeDirectory('/d'));
  const handles = await world.complete(mount.takeHandles());
  const [handle] = handles;
  const file: NewName = { handle, name: 'f', content: 'hello' };
  return { world, mount, other, lent, handles, file, directory: lent.attr.handle };
}

function list(client: MgrClient, path: string) {
  const request = { at: at(path), after: 0, count: 100, attributes: true };
  return client.call(nameOps.readDirectory, request);
}

async function names(client: MgrClient, path: string): Promise<readonly string[]> {
  return (await list(client, path)).entries.map(({ name }) => name);
}

test('files, links and directories are made as they are told', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(1);
  const times = {
    accessed: { seconds: 10, nanoseconds: 11 },
    modified: { seconds: 20, nanoseconds: 21 },
    changed: { seconds: 30, nanoseconds: 31 },
  };
  const owner = { uid: 5, gid: 6 };
  const attributes = { ...times, ...owner, mode: 0o4750, born: { seconds: 40, nanoseconds: 41 } };
  const made: NewName[] = [
    { handle: handles[0], name: 'f', content: 'hello', attributes },
    { handle: handles[1], name: 'empty' },
    { handle: handles[2], name: 'link', kind: 'symlink', content: 'f' },
    { handle: handles[3], name: 'sub', kind: 'directory', attributes: { mode: 0o1777 } },
  ];
  const settled = await world.complete(
    mount.settleNames(lent, made, { ...times, ...owner, mode: 0o2750 }),
  );
  t.like(settled, { isFull: false, attr: { ...times, ...owner, mode: 0o2750, links: 3 } });
  t.deepEqual([...settled.rights], [1, 1, 1, 1]);
  const { entries } = await world.complete(list(other, '/d'));
  t.deepEqual(
    entries.map(({ name, kind, attr }) => [name, kind, attr?.size, attr?.links, attr?.mode]),
    [
      ['f', 'file', 5, 1, 0o4750],
      ['empty', 'file', 0, 1, 0o644],
      ['link', 'symlink', 1, 1, 0o644],
      ['sub', 'directory', 0, 2, 0o1777],
    ],
  );
  t.like((await world.complete(other.stat('/d/f'))).attr, { ...attributes, place: 'mgr' });
  t.is((await world.complete(other.stat('/d/link'))).attr.handle, handles[0]);
  t.is((await world.complete(other.stat('/d/sub/..'))).attr.handle, directory);
  t.like((await world.complete(other.stat('/d'))).attr, { ...times, ...owner, links: 3 });
  await world.complete(other.open('/d/f'));
  t.is(await world.complete(other.readSmall(handles[0])), 'hello');
  t.is(world.store?.contents(handles[1]), undefined);
  t.is(world.store?.fileCount(), 2);
});

test('what was settled can be used, changed and removed like all else', async (t) => {
  const { world, mount, other, lent, handles, file } = await begin(2);
  const sub: NewName = { handle: handles[1], name: 'sub', kind: 'directory' };
  await world.complete(mount.settleNames(lent, [file, sub]));
  await world.complete(other.open('/d/f'));
  t.is(await world.complete(other.writeSmall(handles[0], ' world')), 5);
  await world.complete(other.close(handles[0], rights.read | rights.write));
  await world.complete(other.create('/d/sub/g'));
  await t.throwsAsync(world.complete(other.call(nameOps.removeDirectory, { at: at('/d/sub') })), {
    code: 'ENOTEMPTY',
  });
  await world.complete(other.unlink('/d/sub/g'));
  await world.complete(other.call(nameOps.removeDirectory, { at: at('/d/sub') }));
  t.is((await world.complete(other.stat('/d'))).attr.links, 2);
  await world.complete(other.unlink('/d/f'));
  await world.complete(other.call(nameOps.removeDirectory, { at: at('/d') }));
});

test('no time of a change or of making lies ahead of the clock of the mgr', async (t) => {
  const { world, mount, other, lent, file } = await begin(3);
  const later = { seconds: lent.attr.changed.seconds + 1000, nanoseconds: 0 };
  const attributes = { changed: later, born: later, modified: later, accessed: later };
  const settled = mount.settleNames(lent, [{ ...file, attributes }], { changed: later });
  const isPast = ({ seconds }: { readonly seconds: number }) => seconds < later.seconds;
  t.true(isPast((await world.complete(settled)).attr.changed));
  const { attr } = await world.complete(other.stat('/d/f'));
  t.true(isPast(attr.changed) && isPast(attr.born));
  // Those anybody may set as he likes.
  t.deepEqual([attr.modified, attr.accessed], [later, later]);
});

test('directories that were made in a lent one are lent too', async (t) => {
  const { world, mount, other, lent, handles, directory } = await begin(4);
  const [sub, inner, file] = handles;
  const made: NewName[] = [{ handle: sub, name: 'sub', kind: 'directory' }];
  const { attr } = await world.complete(mount.settleNames(lent, made, { back: false }));
  t.is(attr.links, 3);
  t.is(world.store?.lent().length, 2);
  const of = (handle: Handle) => ({ ...lent, attr: { ...lent.attr, handle } });
  await world.complete(
    mount.settleNames(of(sub), [{ handle: inner, name: 'inner', kind: 'directory' }]),
  );
  t.deepEqual(
    world.store?.lent().map(({ handle }) => handle),
    [directory, inner],
  );
  mount.onRecall = async (asked) => {
    if (asked.includes(directory)) await mount.settleNames(lent, []);
    if (asked.includes(inner)) await mount.settleNames(of(inner), [{ handle: file, name: 'f' }]);
  };
  t.is((await world.complete(other.stat('/d/sub/inner/f'))).attr.handle, file);
  t.deepEqual(mount.recalled, [directory, inner]);
  t.is((await world.complete(other.stat('/d/sub'))).attr.links, 3);
  t.deepEqual(world.store?.lent(), []);
});

type Begun = Awaited<ReturnType<typeof begin>>;

/** What cannot be made after `f`. */
const refused: Record<string, { readonly code: Errno; readonly bad: (of: Begun) => NewName }> = {
  'a name that is there': {
    code: 'EEXIST',
    bad: ({ handles }) => ({ handle: handles[1], name: 'f' }),
  },
  'a handle twice': { code: 'EINVAL', bad: ({ handles }) => ({ handle: handles[0], name: 'g' }) },
  'a handle in use': { code: 'EINVAL', bad: ({ directory }) => ({ handle: directory, name: 'g' }) },
  'the root': { code: 'EINVAL', bad: () => ({ handle: 1 as Handle, name: 'g' }) },
  'a handle of nobody': {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: (handles[0] + limits.handlesPerTake) as Handle, name: 'g' }),
  },
  'a link to nothing': {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: handles[1], name: 'g', kind: 'symlink' }),
  },
  'a link with a NUL in it': {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: handles[1], name: 'g', kind: 'symlink', content: 'a\0b' }),
  },
  'a fifo': {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: handles[1], name: 'g', kind: 'fifo' }),
  },
  'less than it says': {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: handles[1], name: 'g', attributes: { length: 1 } }),
  },
};
for (const name of ['', '.', '..', 'a/b', 'a\0b']) {
  refused[`the name ${JSON.stringify(name)}`] = {
    code: 'EINVAL',
    bad: ({ handles }) => ({ handle: handles[1], name }),
  };
}

for (const [what, { code, bad }] of Object.entries(refused)) {
  test(`with ${what} nothing is settled, and all is lent as before`, async (t) => {
    const begun = await begin(5);
    const { world, mount, other, lent, handles, file, directory } = begun;
    const sub: NewName = { handle: handles[2], name: 'sub', kind: 'directory' };
    const settled = mount.settleNames(lent, [file, sub, bad(begun)], { mode: 0o700 });
    await t.throwsAsync(world.complete(settled), { code });
    t.deepEqual(
      world.store?.lent().map(({ handle }) => handle),
      [directory],
    );
    mount.onRecall = () => mount.settleNames(lent, [file]);
    t.deepEqual(await world.complete(names(other, '/d')), ['f']);
    t.like((await world.complete(other.stat('/d'))).attr, { mode: 0o755, links: 2 });
    t.deepEqual(mount.recalled, [directory]);
  });
}

test('only root settles, and what is lent to that session', async (t) => {
  const { world, mount, other, lent, handles, file } = await begin(6);
  const request = namesSettlement(lent, [file]);
  const settle = (client: MgrClient, changes: Partial<typeof request> = {}) =>
    world.complete(client.call(fileOps.settleNames, { ...request, ...changes }));
  await t.throwsAsync(settle(other), { code: 'EPERM' });
  await t.throwsAsync(settle(await world.client({ uid: 1000 })), { code: 'EPERM' });
  const own = await world.complete(mount.client.mkdir('/own'));
  const opened = await world.complete(mount.make('/file'));
  for (const { handle } of [own.attr, opened.attr, { handle: handles[3] }]) {
    await t.throwsAsync(settle(mount.client, { directory: handle }), { code: 'EPERM' });
  }
  t.deepEqual(mount.recalled, []);
  await settle(mount.client);
  await t.throwsAsync(settle(mount.client), { code: 'EPERM' });
});

for (const isRestarted of [false, true]) {
  const when = isRestarted ? 'also when the mgr has restarted' : 'once';
  test(`what is settled twice is settled once, ${when}`, async (t) => {
    const { world, mount, other, lent, handles, file } = await begin(7);
    const sub: NewName = { handle: handles[1], name: 'sub', kind: 'directory' };
    const request = namesSettlement(lent, [file, sub], { back: false });
    const settle = () => mount.client.once(fileOps.settleNames, request, 200, 1);
    const first = await world.complete(settle());
    if (isRestarted) {
      mount.client.owes = true;
      world.process.restart();
      await world.complete(mount.client.ready());
    }
    t.deepEqual(await world.complete(settle()), first);
    t.is(world.store?.lent().length, 2);
    t.is(world.store?.fileCount(), 1);
    await world.complete(mount.settleNames(lent, []));
    await world.complete(mount.cache());
    await world.complete(other.ready());
    t.deepEqual(await world.complete(names(other, '/d')), ['f', 'sub']);
    t.is((await world.complete(other.stat('/d'))).attr.links, 3);
  });
}

test('a settlement that fails with its commit has not happened', async (t) => {
  const { world, mount, other, lent, handles, file, directory } = await begin(8);
  const sub: NewName = { handle: handles[1], name: 'sub', kind: 'directory' };
  world.commitFailure = diskError();
  await t.throwsAsync(world.complete(mount.settleNames(lent, [file, sub])), { code: 'EIO' });
  t.deepEqual(
    world.store?.lent().map(({ handle }) => handle),
    [directory],
  );
  mount.onRecall = () => mount.settleNames(lent, [file]);
  t.deepEqual(await world.complete(names(other, '/d')), ['f']);
  t.deepEqual(mount.recalled, [directory], 'and what it made there was lent to nobody');
  t.deepEqual(world.store?.lent(), []);
});

test('whoever waits while the commit of a settlement fails waits for the next one', async (t) => {
  const { world, mount, other, lent, file } = await begin(9);
  const codes: string[] = [];
  mount.onRecall = async () => {
    world.commitFailure = diskError();
    await mount.settleNames(lent, [file]).catch((error: FsError) => codes.push(error.code));
    await mount.settleNames(lent, [file]);
  };
  t.deepEqual(await world.complete(names(other, '/d')), ['f']);
  t.deepEqual(codes, ['EIO']);
});

test('a directory whose making fails with its commit is lent to nobody', async (t) => {
  const { world, mount, other } = await begin(10);
  world.commitFailure = diskError();
  await t.throwsAsync(world.complete(mount.makeDirectory('/e')), { code: 'EIO' });
  t.is(world.store?.lent().length, 1);
  await world.complete(other.mkdir('/e'));
  t.deepEqual(await world.complete(names(other, '/e')), []);
  t.deepEqual(
    mount.recalled.filter((handle) => handle > 3),
    [],
  );
});

test('when the disk of the mgr is full what was made is settled, and no more is to be made', async (t) => {
  const { world, mount, other, lent, handles, file } = await begin(11);
  world.room.isLeft = false;
  t.true((await world.complete(mount.makeIn(lent, 'open', handles[1]))).created);
  await t.throwsAsync(world.complete(mount.makeDirectory('/e')), { code: 'ENOSPC' });
  t.true((await world.complete(mount.settleNames(lent, [file]))).isFull);
  await world.complete(other.open('/d/f', openFlags.read));
  t.is(await world.complete(other.readSmall(file.handle)), 'hello');
});

test('handles are given out once, also when the mgr has restarted', async (t) => {
  const { world, mount, other, handles } = await begin(12);
  const seen = new Set<Handle>();
  const { first } = await world.complete(mount.client.call(nameOps.takeHandles, {}));
  t.is(first, (handles[0] + limits.handlesPerTake) as Handle);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 6; i++) {
      for (const client of [mount.client, other]) {
        const taken = await world.complete(client.call(nameOps.takeHandles, {}));
        t.is(taken.count, limits.handlesPerTake);
        for (let i = 0; i < taken.count; i++) seen.add((taken.first + i) as Handle);
      }
      const { attr } = await world.complete(other.create(`/f${round}.${i}`));
      t.false(seen.has(attr.handle));
      seen.add(attr.handle);
    }
    t.is(seen.size, (round + 1) * 6 * (2 * limits.handlesPerTake + 1));
    world.process.restart();
    await world.complete(Promise.all([mount.client.ready(), other.ready()]));
  }
});

test('handles that were taken while the commit failed are given to nobody', async (t) => {
  const { world, mount } = await begin(13);
  const taken: number[] = [];
  let failures = 0;
  for (let i = 0; i < 10; i++) {
    world.commitFailure = diskError();
    const { first } = await world.complete(mount.client.call(nameOps.takeHandles, {}));
    if (world.commitFailure === undefined) failures++;
    world.commitFailure = undefined;
    taken.push(first);
  }
  t.true(failures > 2);
  world.process.restart();
  await world.complete(mount.client.ready());
  taken.push((await world.complete(mount.client.call(nameOps.takeHandles, {}))).first);
  const gaps = taken.slice(1).map((first, i) => first - (taken[i] ?? 0));
  t.true(
    gaps.every((gap) => gap >= limits.handlesPerTake),
    gaps.join(),
  );
});

test('a name that was settled is byte for byte what was told', async (t) => {
  const { world, mount, other, lent, handles } = await begin(14);
  const name = '\xff\x80 x';
  await world.complete(mount.settleNames(lent, [{ handle: handles[0], name }]));
  const [entry] = (await world.complete(list(other, '/d'))).entries;
  t.is(entry?.name, byteString(name));
});
