import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { fileOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { MgrWorld, type MgrClient } from './mgr-world.ts';

const { read, write, create, truncate } = openFlags;
const smallFileBytes = 100;
const tooMuch = 'x'.repeat(smallFileBytes + 1);

/** A mgr that keeps small files, and a client that has just made one. */
async function begin(seed: number) {
  const world = new MgrWorld(seed, { smallFileBytes });
  const client = await world.client();
  const opened = await world.complete(client.create('/f'));
  const { handle } = opened.attr;
  return { world, client, opened, handle };
}

function pendingOf({ store }: MgrWorld): number {
  return store?.pendingCount() ?? -1;
}

async function placeOf(world: MgrWorld, client: MgrClient, handle: Handle): Promise<string> {
  return (await world.complete(client.getAttr(handle))).attr.place;
}

test('a new file has its bytes at the mgr, and says how many there may be', async (t) => {
  const { opened, world, client } = await begin(1);
  t.like(opened, { roomAtMgr: smallFileBytes, attr: { place: 'mgr', size: 0, sizeExact: true } });
  t.like(await world.complete(client.mkdir('/d')), { attr: { place: 'iods' } });
});

test('the bytes of a file at the mgr all belong to its first stripe', async (t) => {
  const world = new MgrWorld(2, { smallFileBytes: limits.smallFileBytesMax });
  const client = await world.client();
  const request = {
    flags: read | write | create,
    mode: 0o644,
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  const layout = { base: undefined, pcount: undefined, ssize: 4096 };
  const at = { directory: 1 as Handle, path: 'f' as never };
  const opened = await world.complete(client.call(fileOps.open, { ...request, at, layout }));
  t.is(opened.roomAtMgr, 4096);
});

test('without the setting a file is made at the iods, as ever', async (t) => {
  const world = new MgrWorld(3);
  const client = await world.client();
  const { attr } = await world.complete(client.create('/f'));
  t.is(attr.place, 'iods');
  t.is(await world.complete(client.readSmall(attr.handle)), undefined);
  t.is(await world.complete(client.writeSmall(attr.handle, 'a')), undefined);
});

test('what is written is read, its size is exact, and no iod is asked', async (t) => {
  const { world, client, handle } = await begin(4);
  t.is(await world.complete(client.writeSmall(handle, 'hello', 0)), 0);
  t.is(await world.complete(client.writeSmall(handle, 'J', 0)), 0);
  t.is(await world.complete(client.writeSmall(handle, '!', 7)), 7);
  t.is(await world.complete(client.readSmall(handle)), 'Jello\0\0!');
  t.is(await world.complete(client.readSmall(handle, 1, 3)), 'ell');
  t.is(await world.complete(client.readSmall(handle, 8, 3)), '');
  t.like((await world.complete(client.stat('/f'))).attr, { size: 8, sizeExact: true });
  t.is(world.iods.asked, 0);
});

test('appends of two clients each get a place of their own', async (t) => {
  const { world, client, handle } = await begin(5);
  const other = await world.client();
  await world.complete(other.open('/f'));
  const places = await world.complete(
    Promise.all(
      ['aa', 'bb', 'cc'].flatMap((text) => [
        client.writeSmall(handle, text),
        other.writeSmall(handle, text),
      ]),
    ),
  );
  t.deepEqual(
    places.toSorted((a = 0, b = 0) => a - b),
    [0, 2, 4, 6, 8, 10],
  );
  const text = (await world.complete(client.readSmall(handle))) ?? '';
  t.is(text.length, 12);
});

test('all of it is there after a restart, and so is who has it open', async (t) => {
  const { world, client, handle } = await begin(6);
  await world.complete(client.writeSmall(handle, 'kept'));
  world.process.restart();
  t.is(await world.complete(client.readSmall(handle)), 'kept');
  t.is(await world.complete(client.writeSmall(handle, '!')), 4);
});

test('a write whose reply was lost is not done twice', async (t) => {
  const { world, client, handle } = await begin(7);
  const bytes = Buffer.from('ab');
  const request = { handle, offset: undefined, bytes };
  const first = await world.complete(client.once(fileOps.writeSmall, request, 200, 1));
  const again = await world.complete(client.once(fileOps.writeSmall, request, 200, 1));
  t.deepEqual([first, again], [{ offset: 0 }, { offset: 0 }]);
  t.is(await world.complete(client.readSmall(handle)), 'ab');
});

test('who has not opened it so neither reads nor writes it', async (t) => {
  const { world, handle } = await begin(8);
  const other = await world.client();
  await t.throwsAsync(world.complete(other.readSmall(handle)), { code: 'EBADF' });
  await world.complete(other.open('/f', read));
  await t.throwsAsync(world.complete(other.writeSmall(handle, 'a')), { code: 'EBADF' });
  await t.throwsAsync(world.complete(other.moveOut(handle)), { code: 'EBADF' });
  t.is(await world.complete(other.readSmall(handle)), '');
});

test('it is cut and extended where it is, and its bytes behind the end are zeros', async (t) => {
  const { world, client, handle } = await begin(9);
  await world.complete(client.writeSmall(handle, 'abcdef'));
  await world.complete(client.truncate('/f', 2));
  await world.complete(client.truncate('/f', 4));
  t.is(await world.complete(client.readSmall(handle)), 'ab\0\0');
  await world.complete(client.open('/f', write | truncate));
  t.is(await world.complete(client.readSmall(handle)), '');
  t.is(pendingOf(world), 0);
  t.is(world.store?.contents(handle), undefined);
});

test('a file that goes leaves nothing, and nothing to do for an iod', async (t) => {
  const { world, client, handle } = await begin(10);
  await world.complete(client.writeSmall(handle, 'gone'));
  await world.complete(client.unlink('/f'));
  t.is(await world.complete(client.readSmall(handle)), 'gone', 'as long as it is open');
  await world.complete(client.close(handle, rights.read | rights.write));
  t.is(world.store?.contents(handle), undefined);
  t.is(world.store?.inode(handle), undefined);
  t.is(pendingOf(world), 0);
});

test('what does not fit moves the file to the iods, and is for the client to write', async (t) => {
  const { world, client, handle } = await begin(11);
  await world.complete(client.writeSmall(handle, 'moved'));
  t.is(await world.complete(client.writeSmall(handle, tooMuch)), undefined);
  t.is(world.iods.placed.get(handle), 'moved');
  t.is(await placeOf(world, client, handle), 'iods');
  t.is(await world.complete(client.readSmall(handle)), undefined);
  t.is(world.store?.contents(handle), undefined);
  t.like(await world.complete(client.stat('/f')), { attr: { size: 5 } });
  await world.complete(client.unlink('/f'));
  await world.complete(client.close(handle, rights.read | rights.write));
  t.is(pendingOf(world), 4);
});

test('an empty file moves without a word to an iod, in one commit', async (t) => {
  const { world, client, handle } = await begin(12);
  const before = world.commits.length;
  await world.complete(client.moveOut(handle));
  t.is(world.commits.length, before + 1);
  t.false(world.iods.placed.has(handle));
  t.is(await placeOf(world, client, handle), 'iods');
});

test('to reserve a place, or to make it longer than it may be, moves it', async (t) => {
  const { world, client, handle } = await begin(13);
  await world.complete(client.writeSmall(handle, 'abc'));
  t.deepEqual(await world.complete(client.reserve(handle, 1000)), { offset: 3 });
  t.is(world.iods.placed.get(handle), 'abc');
  const { attr } = await world.complete(client.create('/g'));
  await world.complete(client.writeSmall(attr.handle, 'def'));
  t.like(await world.complete(client.truncate('/g', 1000)), {
    attr: { size: 1000, place: 'iods' },
  });
  t.is(world.iods.placed.get(attr.handle), 'def');
  t.deepEqual(world.iods.truncated, [attr.handle]);
});

test('who may not write a file does not move it', async (t) => {
  const { world, client, handle } = await begin(14);
  await world.complete(client.writeSmall(handle, 'abc'));
  const other = await world.client({ uid: 1000 });
  await t.throwsAsync(world.complete(other.truncate('/f', 1000)), { code: 'EACCES' });
  t.is(await placeOf(world, client, handle), 'mgr');
});

test('while it moves it is read from the mgr, and whoever writes waits', async (t) => {
  const { world, client, handle } = await begin(15);
  await world.complete(client.writeSmall(handle, 'abc'));
  const release = world.iods.hold();
  const moved = client.moveOut(handle);
  await world.pass(50);
  t.is(await placeOf(world, client, handle), 'moving');
  let written: unknown = 'waits';
  const writing = client.writeSmall(handle, 'd').then((offset) => (written = offset));
  let cut = false;
  const cutting = client.truncate('/f', 1).then(() => (cut = true));
  await world.pass(50);
  t.is(await world.complete(client.readSmall(handle)), 'abc');
  t.like((await world.complete(client.stat('/f'))).attr, { size: 3, sizeExact: true });
  t.is(written, 'waits');
  t.false(cut);
  release();
  await world.complete(Promise.all([moved, writing, cutting]));
  t.is(written, undefined, 'to the iods');
  t.deepEqual(world.iods.truncated, [handle]);
});

test('an iod that is away keeps it at the mgr, where it is read and written as before', async (t) => {
  const { world, client, handle } = await begin(16);
  await world.complete(client.writeSmall(handle, 'abc'));
  world.iods.away = true;
  const moving = client.call(fileOps.moveOut, { handle }, 1000);
  await t.throwsAsync(world.complete(moving), { any: true });
  t.is(await world.complete(client.writeSmall(handle, 'D')), 3);
  t.is(await world.complete(client.readSmall(handle)), 'abcD');
  t.is(await placeOf(world, client, handle), 'moving');
  world.iods.away = false;
  await world.complete(client.moveOut(handle));
  t.is(world.iods.placed.get(handle), 'abcD');
});

test('a file that goes while it moves is removed at the iods too', async (t) => {
  const { world, client, handle } = await begin(17);
  await world.complete(client.writeSmall(handle, 'abc'));
  await world.complete(client.close(handle, rights.read | rights.write));
  const release = world.iods.hold();
  const cutting = client.truncate('/f', 1000);
  await world.pass(50);
  await world.complete(client.unlink('/f'));
  t.is(pendingOf(world), 4);
  release();
  await t.throwsAsync(world.complete(cutting), { code: 'ENOENT' });
  t.is(world.store?.inode(handle), undefined);
  t.is(world.store?.contents(handle), undefined);
});

for (const point of ['mgr.move.begun', 'mgr.move.placed'] as const) {
  test(`a mgr that dies at ${point} has the bytes, and moves them when they must`, async (t) => {
    const { world, client, handle } = await begin(18);
    await world.complete(client.writeSmall(handle, 'abc'));
    world.world.killAt({ process: 'mgr', point, restartAfterMs: 100 });
    const reader = await world.client();
    await world.complete(reader.open('/f', read));
    await world.complete(client.moveOut(handle));
    t.is(world.process.starts, 2);
    t.is(world.iods.placed.get(handle), 'abc');
    t.is(await world.complete(reader.readSmall(handle)), undefined);
  });
}

test('a session that ends without a word leaves the size of a small file as it is', async (t) => {
  const { world, client, handle } = await begin(19);
  await world.complete(client.writeSmall(handle, 'abc'));
  const other = await world.client();
  client.process.kill();
  await world.pass(limits.sessionLeaseMs + 5000);
  t.like((await world.complete(other.stat('/f'))).attr, { size: 3, sizeExact: true });
  t.is(world.iods.asked, 0);
});

test('who writes without being root takes the set-id bits away', async (t) => {
  const { world, client } = await begin(20);
  await world.complete(client.open('/s', write | create, 0o6777));
  const user = await world.client({ uid: 1000 });
  const { attr } = await world.complete(user.open('/s', write));
  t.is(attr.mode, 0o6777);
  await world.complete(user.writeSmall(attr.handle, 'a'));
  t.is((await world.complete(client.stat('/s'))).attr.mode, 0o777);
});

test('when the disk of the mgr is full nothing is written, but all is read, cut and removed', async (t) => {
  const { world, client, handle } = await begin(21);
  await world.complete(client.writeSmall(handle, 'abc'));
  world.room.isLeft = false;
  await t.throwsAsync(world.complete(client.writeSmall(handle, 'd')), { code: 'ENOSPC' });
  t.is(await world.complete(client.readSmall(handle)), 'abc');
  await world.complete(client.truncate('/f', 1));
  await world.complete(client.unlink('/f'));
  await world.complete(client.close(handle, rights.read | rights.write));
  t.is(world.store?.contents(handle), undefined);
});

test('a mgr that keeps no small files any more has those that it has, until they are written', async (t) => {
  const settings = { smallFileBytes };
  const world = new MgrWorld(22, settings);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  await world.complete(client.writeSmall(handle, 'abc'));
  settings.smallFileBytes = 0;
  world.process.restart();
  t.is(await world.complete(client.readSmall(handle)), 'abc');
  t.is((await world.complete(client.create('/g'))).attr.place, 'iods');
  t.is(await world.complete(client.writeSmall(handle, 'd')), undefined);
  t.is(world.iods.placed.get(handle), 'abc');
});

test('a write that fails with its commit has not happened', async (t) => {
  const { world, client, handle } = await begin(23);
  await world.complete(client.writeSmall(handle, 'abc'));
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  await t.throwsAsync(world.complete(client.writeSmall(handle, 'xyz', 0)), { code: 'EIO' });
  t.is(await world.complete(client.readSmall(handle)), 'abc');
});
