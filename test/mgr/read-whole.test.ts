/** Bytes of several small files by one message, without an open. */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { fileOps, nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';
import { both, Mount } from './mount.ts';

const { write, truncate } = openFlags;
const smallFileBytes = 100;

/** Files with their names in them, and a client that has none of them open. */
async function begin(seed: number, names: readonly string[], bytes = smallFileBytes) {
  const world = new MgrWorld(seed, { smallFileBytes: bytes });
  const maker = await world.client();
  const handles: Handle[] = [];
  for (const name of names) handles.push(await made(world, maker, name));
  const client = await world.client();
  return { world, maker, client, handles };
}

async function made(
  world: MgrWorld,
  maker: MgrClient,
  name: string,
  text = `in ${name}`,
): Promise<Handle> {
  const { handle } = (await world.complete(maker.create(`/${name}`))).attr;
  await world.complete(maker.writeSmall(handle, text, 0));
  await world.complete(maker.close(handle, both));
  return handle;
}

/** Of each its bytes; `undefined`: nothing is told. */
async function readWhole(
  world: MgrWorld,
  client: MgrClient,
  handles: readonly Handle[],
): Promise<(string | undefined)[]> {
  const { lengths, contents } = await world.complete(client.call(fileOps.readWhole, { handles }));
  let end = 0;
  const texts = lengths.map((length) =>
    length === undefined
      ? undefined
      : Buffer.from(contents)
          .subarray(end, (end += length))
          .toString(),
  );
  if (end !== contents.length) throw new Error(`${contents.length - end} bytes are of no file`);
  return texts;
}

test('the bytes of small files come in the order in which they were asked for', async (t) => {
  const { world, client, handles } = await begin(1, ['a', 'b', 'c']);
  const [a, b, c] = handles as [Handle, Handle, Handle];
  t.deepEqual(await readWhole(world, client, [c, a, b, a]), ['in c', 'in a', 'in b', 'in a']);
  t.deepEqual(await readWhole(world, client, []), []);
  t.deepEqual([...(world.store?.opens() ?? [])], [], 'nobody has anything open by that');
  t.is(world.iods.asked, 0);
});

test('an empty file is told, as having no bytes', async (t) => {
  const { world, maker, client } = await begin(2, []);
  const { handle } = (await world.complete(maker.create('/empty'))).attr;
  t.deepEqual(await readWhole(world, client, [handle]), ['']);
});

test('all bytes are told, as long as the file is, and also what was just written', async (t) => {
  const { world, maker, client, handles } = await begin(3, ['a']);
  const [a] = handles as [Handle];
  await world.complete(maker.open('/a', write));
  await world.complete(maker.writeSmall(a, '!', 6));
  t.deepEqual(await readWhole(world, client, [a]), ['in a\0\0!']);
  await world.complete(maker.truncate('/a', 2));
  t.deepEqual(await readWhole(world, client, [a]), ['in']);
  await world.complete(maker.open('/a', write | truncate));
  t.deepEqual(await readWhole(world, client, [a]), ['']);
});

test('of what is gone, is no file, or is at the iods nothing is told, and the others are', async (t) => {
  const { world, maker, client, handles } = await begin(4, ['a', 'gone', 'moved', 'z']);
  const [a, gone, moved, z] = handles as [Handle, Handle, Handle, Handle];
  const { handle: directory } = (await world.complete(maker.mkdir('/d'))).attr;
  const link = { at: at('/l'), target: byteString('a'), maker: undefined };
  const symlink = (await world.complete(maker.call(nameOps.symlink, link))).attr.handle;
  await world.complete(maker.unlink('/gone'));
  await world.complete(maker.open('/moved'));
  await world.complete(maker.moveOut(moved));
  const asked = [a, gone, moved, directory, symlink, 999_999 as Handle, rootHandle, z];
  const none = [undefined, undefined, undefined, undefined, undefined, undefined];
  t.deepEqual(await readWhole(world, client, asked), ['in a', ...none, 'in z']);
});

test('a file without a name is told as long as somebody has it open', async (t) => {
  const { world, maker, client, handles } = await begin(5, ['a']);
  const [a] = handles as [Handle];
  await world.complete(maker.open('/a'));
  await world.complete(maker.unlink('/a'));
  t.deepEqual(await readWhole(world, client, [a]), ['in a']);
  await world.complete(maker.close(a, both));
  t.deepEqual(await readWhole(world, client, [a]), [undefined]);
});

test('who may not read a file as he is by now is told nothing of it', async (t) => {
  const { world, maker, handles } = await begin(6, ['a', 'b']);
  const [a, b] = handles as [Handle, Handle];
  const set = (path: string, change: object) =>
    world.complete(maker.call(nameOps.setAttr, { ...noChange, at: at(path), ...change }));
  await set('/b', { mode: 0o600 });
  const user = world.newClient({ uid: 1000 });
  await world.complete(user.ready());
  t.deepEqual(await readWhole(world, user, [a, b]), ['in a', undefined]);
  await set('/b', { uid: 1000 });
  t.deepEqual(await readWhole(world, user, [a, b]), ['in a', 'in b']);
  await set('/a', { mode: 0 });
  t.deepEqual(await readWhole(world, user, [a, b]), [undefined, 'in b']);
  t.deepEqual(await readWhole(world, maker, [a]), ['in a'], 'root may');
});

test('what there is no room for is left out, and what is smaller comes behind it', async (t) => {
  const bytes = limits.smallFileBytesMax;
  const { world, maker, client, handles } = await begin(7, ['last'], bytes);
  const large: Handle[] = [];
  const perMessage = limits.smallFilesReadBytesMax / bytes;
  for (let i = 0; i <= perMessage; i++) {
    large.push(await made(world, maker, `large-${i}`, `${i}`.repeat(bytes)));
  }
  const [last] = handles as [Handle];
  const full = await readWhole(world, client, [...large, last]);
  t.deepEqual(
    full.map((text) => text?.length),
    [...large.slice(1).map(() => bytes), undefined, undefined],
    'not a byte more',
  );
  const [one, ...others] = large as [Handle, ...Handle[]];
  const mixed = [last, one, ...others];
  t.deepEqual(
    (await readWhole(world, client, [...mixed, last])).map((text) => text?.length),
    [7, ...large.slice(2).map(() => bytes), undefined, undefined, 7],
  );
});

test('of what is lent nothing is told, and nobody is asked for it', async (t) => {
  const { world, client, handles } = await begin(8, ['a']);
  const [a] = handles as [Handle];
  const mount = await Mount.on(world);
  const lent = await world.complete(mount.make('/new'));
  t.true(lent.lent);
  const { handle } = lent.attr;
  t.deepEqual(await readWhole(world, client, [handle, a]), [undefined, 'in a']);
  t.deepEqual(await readWhole(world, mount.client, [handle]), [undefined], 'nor its own holder');
  await world.pass(500);
  t.deepEqual(mount.recalled, []);
  await world.complete(mount.settle(lent));
  t.deepEqual(await readWhole(world, client, [handle]), ['hello']);
});

test('of what may have been lent before a restart nothing is told until that is known', async (t) => {
  const { world, client, handles } = await begin(9, ['a']);
  const [a] = handles as [Handle];
  const mount = await Mount.on(world);
  const lent = await world.complete(mount.make('/new'));
  const { handle } = lent.attr;
  await world.complete(client.call(sessionOps.cache, { attributes: true }));
  world.world.network.partition(mount.client.process.host.name, 'm');
  world.process.restart();
  await world.complete(client.ready());
  t.deepEqual(await readWhole(world, client, [a, handle]), ['in a', undefined]);
  mount.client.owes = true;
  world.world.network.heal(mount.client.process.host.name, 'm');
  await world.complete(mount.client.ready());
  t.deepEqual(await readWhole(world, client, [handle]), [undefined], 'it has settled nothing yet');
  await world.complete(mount.settle(lent));
  t.deepEqual(await readWhole(world, client, [handle]), ['hello']);
});

test('all of it is there after a restart', async (t) => {
  const { world, client, handles } = await begin(10, ['a', 'b']);
  world.process.restart();
  t.deepEqual(await readWhole(world, client, handles), ['in a', 'in b']);
});

test('who reads nobody’s right away takes none, and gets none', async (t) => {
  const { world, handles } = await begin(11, ['a']);
  const mount = await Mount.on(world);
  const other = await Mount.on(world);
  t.true((await world.complete(mount.client.stat('/a'))).attr.right);
  t.deepEqual(await readWhole(world, other.client, handles), ['in a']);
  await world.complete(mount.client.call(nameOps.setAttr, { ...noChange, at: at('/a'), uid: 5 }));
  t.deepEqual([mount.recalled, other.recalled], [[], []]);
});
