/** What the mgr tells of files that take less than their size. */
import test from 'ava';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import { at, MgrWorld } from './mgr-world.ts';
import { both, Mount } from './mount.ts';

/** A file of 1 000 bytes, of which 400 are a hole, closed by who has left it there. */
async function scene(seed: number) {
  const world = new MgrWorld(seed);
  const [writer, mount] = [await world.client(), await Mount.on(world)];
  const { handle } = (await world.complete(writer.create('/f'))).attr;
  const hole = (size: number, holes: number): void => {
    world.iods.sizes.set(handle, size);
    world.iods.holes.set(handle, holes);
  };
  hole(1000, 400);
  const close = (mayHaveHoles: boolean) =>
    world.complete(writer.close(handle, both, 1000, mayHaveHoles));
  const { client } = mount;
  /** What a mount is told, and whether the iods were asked for it. */
  const seen = async () => {
    const { asked } = world.iods;
    const { attr } = await world.complete(client.stat('/f'));
    return { holes: attr.holes, right: attr.right, isAsked: world.iods.asked > asked };
  };
  return { world, writer, mount, handle, hole, close, seen };
}

const page = { at: at('/'), after: 0, count: 10, attributes: true };

test('of a file that may have holes the iods are asked; who caches it has a right to the answer', async (t) => {
  const { seen, close, mount, world, writer } = await scene(1);
  await close(true);
  t.deepEqual(await seen(), { holes: 400, right: true, isAsked: true });
  await world.complete(writer.open('/f'));
  t.deepEqual(mount.recalled.length, 1, 'it is about to be written');
});

test('of any other nobody is asked', async (t) => {
  const { seen, close } = await scene(2);
  await close(false);
  t.deepEqual(await seen(), { holes: 0, right: true, isAsked: false });
});

test('what has no holes after all is not asked for again', async (t) => {
  const { seen, close, hole, world } = await scene(3);
  hole(1000, 0);
  await close(true);
  t.deepEqual(await seen(), { holes: 0, right: false, isAsked: true });
  t.deepEqual(await seen(), { holes: 0, right: true, isAsked: false });
  world.process.restart();
  hole(1000, 400);
  t.like(await seen(), { holes: 0, isAsked: false }, 'nor by the next mgr');
});

test('an iod that cannot be asked leaves it open; nobody waits, and nobody caches that', async (t) => {
  const { seen, close, world } = await scene(4);
  await close(true);
  world.iods.exact = false;
  t.deepEqual(await seen(), { holes: undefined, right: false, isAsked: true });
  world.iods.exact = true;
  t.like(await seen(), { holes: 400, right: true });
});

test('a listing asks nobody, and gives no right to what it leaves open', async (t) => {
  const { close, mount, world } = await scene(5);
  await close(true);
  const { asked } = world.iods;
  const { entries } = await world.complete(mount.client.call(nameOps.readDirectory, page));
  t.like(entries[0]?.attr, { size: 1000, holes: undefined, right: false, sizeExact: true });
  t.is(world.iods.asked, asked);
});

test('a file that is made longer has a hole, one that is cut to nothing has none', async (t) => {
  const { seen, close, hole, world, writer } = await scene(6);
  await close(false);
  hole(2000, 1000);
  const longer = await world.complete(writer.truncate('/f', 2000));
  t.is(longer.attr.holes, undefined);
  t.like(await seen(), { holes: 1000, isAsked: true });
  await world.complete(writer.truncate('/f', 0));
  t.like(await seen(), { holes: 0, isAsked: false });
});

test('what a writer cannot know the iods say: of one that was cut meanwhile', async (t) => {
  const { seen, close, world, writer } = await scene(7);
  await world.complete(writer.truncate('/f', 10));
  await close(false);
  t.like(await seen(), { holes: 400, isAsked: true });
});

test('and of one that has gone', async (t) => {
  const { seen, world, writer } = await scene(8);
  writer.disconnect();
  await world.pass(120_000);
  t.like(await seen(), { holes: 400, isAsked: true });
});

test('an fsync tells of holes as a close does', async (t) => {
  const { handle, seen, world, writer } = await scene(9);
  await world.complete(writer.extend(handle, 1000, true));
  await world.complete(writer.close(handle, both));
  t.like(await seen(), { holes: 400, isAsked: true });
});

test('who asks while the file is changed, and closed, gets no right to what it was before', async (t) => {
  const { handle, mount, world, writer } = await scene(10);
  const release = world.iods.hold();
  const asking = mount.client.stat('/f');
  await world.pass(10);
  const others = { uid: undefined, gid: undefined, size: undefined };
  const times = { accessed: undefined, modified: undefined };
  const change = { at: at('/f'), follow: true, mode: 0o600, ...others, ...times };
  await world.complete(writer.call(nameOps.setAttr, change));
  await world.complete(writer.close(handle, both));
  release();
  t.like((await world.complete(asking)).attr, { mode: 0o644, right: false });
});
