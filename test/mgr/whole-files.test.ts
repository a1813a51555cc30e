/** Small files that are read and written by their paths, without an open. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { anyLayout, at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';
import { Mount } from './mount.ts';

const { write, create, exclusive, noFollow, truncate } = openFlags;
const replace = create | truncate;
const smallFileBytes = 100;

interface Writing {
  readonly flags?: number;
  readonly mode?: number;
  readonly append?: boolean;
  readonly ssize?: number;
}

function requestOf(path: string, text: string, wish: Writing = {}) {
  const { flags = replace, mode = 0o644, append = false, ssize } = wish;
  const bytes = Buffer.from(text, 'latin1');
  return { at: at(path), flags, mode, layout: { ...anyLayout, ssize }, append, bytes };
}

/** A mgr that keeps small files, and somebody who reads and writes them. */
class Scene {
  readonly world: MgrWorld;
  readonly client: MgrClient;

  constructor(world: MgrWorld, client: MgrClient) {
    this.world = world;
    this.client = client;
  }

  static async begin(seed: number, bytes = smallFileBytes): Promise<Scene> {
    const world = new MgrWorld(seed, { smallFileBytes: bytes });
    return new Scene(world, await world.client());
  }

  as(client: MgrClient): Scene {
    return new Scene(this.world, client);
  }

  async write(path: string, text: string, wish?: Writing): Promise<boolean> {
    const writing = this.client.call(fileOps.writeFile, requestOf(path, text, wish));
    return (await this.world.complete(writing)).stored;
  }

  async read(path: string): Promise<string | undefined> {
    const reading = this.client.call(fileOps.readFile, { at: at(path) });
    const { bytes } = await this.world.complete(reading);
    return bytes && Buffer.from(bytes).toString('latin1');
  }

  async stat(path: string) {
    return (await this.world.complete(this.client.stat(path))).attr;
  }

  async set(path: string, change: object): Promise<void> {
    await this.world.complete(
      this.client.call(nameOps.setAttr, { ...noChange, at: at(path), ...change }),
    );
  }

  async link(path: string, target: string): Promise<void> {
    const link = { at: at(path), target: byteString(target), maker: undefined };
    await this.world.complete(this.client.call(nameOps.symlink, link));
  }

  /** A file whose bytes are at the iods. */
  async large(path: string): Promise<Handle> {
    const { handle } = (await this.world.complete(this.client.create(path))).attr;
    await this.world.complete(this.client.moveOut(handle));
    return handle;
  }
}

test('a file is made and read in one round trip each, and nobody has it open or hears of it', async (t) => {
  const scene = await Scene.begin(1);
  const { world } = scene;
  t.true(await scene.write('/f', 'hello', { mode: 0o640 }));
  t.is(world.waited ?? 'disk', 'disk', 'its bytes are as durable as its name');
  t.is(await scene.read('/f'), 'hello');
  t.like(await scene.stat('/f'), { size: 5, sizeExact: true, mode: 0o640, place: 'mgr' });
  t.deepEqual([...(world.store?.opens() ?? [])], []);
  t.is(world.iods.asked, 0);
});

test('it is one commit, also where there was something else', async (t) => {
  const scene = await Scene.begin(2);
  await scene.write('/f', 'a longer text');
  const before = scene.world.commits.length;
  t.true(await scene.write('/f', 'short'));
  t.is(scene.world.commits.length, before + 1);
  t.is(scene.world.waited ?? 'disk', 'disk');
  t.is(await scene.read('/f'), 'short');
  t.like(await scene.stat('/f'), { size: 5 });
});

test('without truncation it overwrites from the begin, or appends', async (t) => {
  const scene = await Scene.begin(3);
  await scene.write('/f', 'hello');
  t.true(await scene.write('/f', 'J', { flags: 0 }));
  t.is(await scene.read('/f'), 'Jello');
  t.true(await scene.write('/f', '!?', { flags: create, append: true }));
  t.is(await scene.read('/f'), 'Jello!?');
  t.true(await scene.write('/new', 'a', { flags: create, append: true }));
  t.is(await scene.read('/new'), 'a');
});

test('nothing at all may be written: it is made, emptied, or left as it is', async (t) => {
  const scene = await Scene.begin(4);
  t.true(await scene.write('/f', ''));
  t.is(await scene.read('/f'), '');
  await scene.write('/f', 'hello');
  const before = await scene.stat('/f');
  await scene.world.pass(1000);
  t.true(await scene.write('/f', '', { flags: create, append: true }));
  t.deepEqual(await scene.stat('/f'), before);
  t.true(await scene.write('/f', ''));
  const after = await scene.stat('/f');
  t.is(after.size, 0);
  t.notDeepEqual(after.modified, before.modified);
  t.is(scene.world.store?.contents(after.handle), undefined);
  t.true(await scene.write('/f', ''), 'also what is empty');
});

test('what is at the iods is not touched, and neither is what would have to go there', async (t) => {
  const scene = await Scene.begin(5);
  const handle = await scene.large('/large');
  t.false(await scene.write('/large', 'hello'));
  t.is(await scene.read('/large'), undefined);
  t.false(await scene.write('/new', 'x'.repeat(smallFileBytes + 1)));
  await t.throwsAsync(scene.stat('/new'), { code: 'ENOENT' });
  t.true(await scene.write('/f', 'x'.repeat(smallFileBytes)));
  t.false(await scene.write('/f', 'y', { flags: create, append: true }));
  t.is(await scene.read('/f'), 'x'.repeat(smallFileBytes));
  t.deepEqual(scene.world.iods.truncated, []);
  t.false(scene.world.iods.placed.has(handle));
  t.is(scene.world.store?.pendingCount(), 0);
});

test('one that is longer than its first stripe is not made', async (t) => {
  const scene = await Scene.begin(17, 10_000);
  t.false(await scene.write('/new', 'x'.repeat(5000), { ssize: 4096 }));
  await t.throwsAsync(scene.stat('/new'), { code: 'ENOENT' });
  t.true(await scene.write('/new', 'x'.repeat(4096), { ssize: 4096 }));
});

test('a mgr that keeps no small files has all of them opened', async (t) => {
  const scene = await Scene.begin(6, 0);
  for (const text of ['hello', '']) t.false(await scene.write('/f', text));
  t.is(scene.world.waited, 'nothing', 'no disk for that');
  await t.throwsAsync(scene.read('/f'), { code: 'ENOENT' });
  await scene.large('/f');
  t.is(await scene.read('/f'), undefined);
});

test('what an open would say is said here', async (t) => {
  const scene = await Scene.begin(7);
  await scene.world.complete(scene.client.mkdir('/d'));
  await scene.write('/f', 'hello');
  await scene.link('/l', 'f');
  await scene.link('/loop', 'loop');
  const failures: readonly (readonly [() => Promise<unknown>, string])[] = [
    [() => scene.write('/f', 'a', { flags: replace | exclusive }), 'EEXIST'],
    [() => scene.write('/none', 'a', { flags: 0 }), 'ENOENT'],
    [() => scene.write('/none/f', 'a'), 'ENOENT'],
    [() => scene.write('/f/g', 'a'), 'ENOTDIR'],
    [() => scene.write('/d', 'a'), 'EISDIR'],
    [() => scene.write('/d/', 'a'), 'EISDIR'],
    [() => scene.write('/loop', 'a'), 'ELOOP'],
    [() => scene.write('/l', 'a', { flags: replace | noFollow }), 'ELOOP'],
    [() => scene.read('/none'), 'ENOENT'],
    [() => scene.read('/f/'), 'ENOTDIR'],
    [() => scene.read('/loop'), 'ELOOP'],
  ];
  for (const [fail, code] of failures) await t.throwsAsync(fail, { code }, code);
  t.is(await scene.read('/l'), 'hello', 'links are followed');
  t.is(await scene.read('/d'), undefined, 'a directory is to be opened');
  t.true(await scene.write('/l', 'through it'));
  t.is(await scene.read('/f'), 'through it');
});

test('who may not read or write it does not, and what he writes loses its set-id bits', async (t) => {
  const scene = await Scene.begin(8);
  const user = scene.as(await scene.world.client({ uid: 1000 }));
  await scene.write('/f', 'hello', { mode: 0o600 });
  await t.throwsAsync(user.read('/f'), { code: 'EACCES' });
  await t.throwsAsync(user.write('/f', 'a'), { code: 'EACCES' });
  await t.throwsAsync(user.write('/mine', 'a'), { code: 'EACCES' });
  await scene.set('/f', { mode: 0o6777 });
  t.true(await user.write('/f', 'a'));
  t.is((await scene.stat('/f')).mode, 0o777);
  t.is(await user.read('/f'), 'a');
});

test('a user owns what he makes, and makes it also where he could not open it again', async (t) => {
  const scene = await Scene.begin(9);
  await scene.set('/', { mode: 0o777 });
  const user = scene.as(await scene.world.client({ uid: 1000 }));
  t.true(await user.write('/f', 'a', { mode: 0o444 }));
  t.like(await scene.stat('/f'), { uid: 1000, gid: 1000, mode: 0o444, size: 1 });
});

test('a write whose reply was lost is not done twice', async (t) => {
  const { client, world } = await Scene.begin(10);
  const request = requestOf('/f', 'ab', { flags: create, append: true });
  const first = await world.complete(client.once(fileOps.writeFile, request, 200, 1));
  const again = await world.complete(client.once(fileOps.writeFile, request, 200, 1));
  t.deepEqual([first, again], [{ stored: true }, { stored: true }]);
  t.is(await new Scene(world, client).read('/f'), 'ab');
});

test('one that fails with its commit has not happened, and one that does not is there after a restart', async (t) => {
  const scene = await Scene.begin(11);
  await scene.write('/f', 'before');
  scene.world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  await t.throwsAsync(scene.write('/f', 'after'), { code: 'EIO' });
  t.is(await scene.read('/f'), 'before');
  await scene.write('/f', 'after');
  scene.world.process.restart();
  t.is(await scene.read('/f'), 'after');
});

test('on a full disk nothing is made or filled, and all is read and emptied', async (t) => {
  const scene = await Scene.begin(12);
  await scene.write('/f', 'hello');
  scene.world.room.isLeft = false;
  await t.throwsAsync(scene.write('/f', 'a'), { code: 'ENOSPC' });
  await t.throwsAsync(scene.write('/new', ''), { code: 'ENOSPC' });
  t.is(await scene.read('/f'), 'hello');
  t.true(await scene.write('/f', ''));
});

test('while a file moves to the iods it is read at the mgr, and whoever writes opens it', async (t) => {
  const scene = await Scene.begin(13);
  const { client, world } = scene;
  await scene.write('/f', 'hello');
  const { handle } = (await world.complete(client.open('/f'))).attr;
  const release = world.iods.hold();
  const moving = client.moveOut(handle);
  await world.pass(50);
  t.is(await scene.read('/f'), 'hello');
  t.false(await scene.write('/f', 'a'));
  release();
  await world.complete(moving);
  t.is(world.iods.placed.get(handle), 'hello');
  t.is(await scene.read('/f'), undefined);
});

test('a file that is lent is asked for before it is read or written', async (t) => {
  const scene = await Scene.begin(14);
  const { world } = scene;
  const mount = await Mount.on(world);
  const settling: Promise<unknown>[] = [];
  for (const path of ['/read', '/written']) {
    const lent = await world.complete(mount.make(path));
    t.true(lent.lent);
    mount.onRecall = () => {
      const settled = mount.settle(lent);
      settling.push(settled);
      return settled;
    };
    if (path === '/read') t.is(await scene.read(path), 'hello');
    else t.true(await scene.write(path, '!', { flags: 0, append: true }));
  }
  t.is(settling.length, 2);
  t.is(await scene.read('/written'), 'hello!');
});

test('who may cache a file is told before it is changed', async (t) => {
  const scene = await Scene.begin(15);
  const { world } = scene;
  await scene.write('/f', 'hello');
  const mount = await Mount.on(world);
  const { attr } = await world.complete(mount.client.stat('/f'));
  t.true(attr.right);
  t.is(await scene.read('/f'), 'hello');
  t.deepEqual(mount.recalled, []);
  const release = mount.holdRecalls();
  let written = false;
  const call = scene.client.call(fileOps.writeFile, requestOf('/f', 'jello'));
  const writing = call.then(() => (written = true));
  await world.pass(100);
  t.false(written);
  t.deepEqual(mount.recalled, [attr.handle]);
  release();
  await world.complete(writing);
  t.is(await scene.read('/f'), 'jello');
});

test('who has it open goes on with what is there then', async (t) => {
  const scene = await Scene.begin(16);
  const { client, world } = scene;
  const { handle } = (await world.complete(client.create('/f'))).attr;
  await world.complete(client.writeSmall(handle, 'hello', 0));
  const other = scene.as(await world.client());
  t.true(await other.write('/f', 'J', { flags: write }));
  t.is(await world.complete(client.readSmall(handle)), 'Jello');
  t.is(await world.complete(client.writeSmall(handle, '!')), 5);
  t.is(await other.read('/f'), 'Jello!');
});
