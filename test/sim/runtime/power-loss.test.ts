import test from 'ava';
import type { Disk } from '../../../shared/runtime/runtime.ts';
import type { HostDisk } from './host-disk.ts';
import { World } from './world.ts';

/** What the disk holds after a power loss at the end of `act`, for many seeds. */
async function after(
  act: (disk: Disk) => Promise<void>,
  look: (disk: HostDisk) => string,
  seeds = 40,
): Promise<string[]> {
  const found = new Set<string>();
  for (let seed = 0; seed < seeds; seed++) {
    const world = new World({ seed });
    const host = world.host('a');
    const process = world.process('p', { host, main: () => undefined });
    await world.complete(process.call(({ disk }) => act(disk)));
    host.powerLoss();
    host.powerOn();
    found.add(look(host.disk));
  }
  return [...found].toSorted();
}

async function put(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.write([Buffer.from(text)], 0);
  await file.sync();
  await file.close();
}

const content = (path: string) => (disk: HostDisk) => disk.content(path)?.toString() ?? 'gone';
const names = (disk: HostDisk): string => (disk.list('/') ?? []).join(' ');

test('content and name that were synced survive', async (t) => {
  const found = await after(async (disk) => {
    await disk.makeDirectory('/d');
    await put(disk, '/d/f', 'text');
    await disk.syncDirectory('/d');
    await disk.syncDirectory('/');
  }, content('/d/f'));
  t.deepEqual(found, ['text']);
});

test('a name that was not synced may be lost, whatever was synced below it', async (t) => {
  const file = await after(async (disk) => put(disk, '/f', 'text'), content('/f'));
  t.deepEqual(file, ['gone', 'text']);
  const below = await after(async (disk) => {
    await disk.makeDirectory('/d');
    await put(disk, '/d/f', 'text');
    await disk.syncDirectory('/d');
  }, content('/d/f'));
  t.deepEqual(below, ['gone', 'text']);
});

test('content that was not synced may be lost under a name that was', async (t) => {
  const found = await after(async (disk) => {
    const file = await disk.open('/f', 'create');
    await file.write([Buffer.from('text')], 0);
    await disk.syncDirectory('/');
  }, content('/f'));
  t.true(['', 'text', '\0\0\0\0'].every((text) => found.includes(text)));
});

async function renamed(disk: Disk): Promise<void> {
  await put(disk, '/f', 'old');
  await put(disk, '/new', 'new');
  await disk.syncDirectory('/');
  await disk.rename('/new', '/f');
}

const namesAndContent = (disk: HostDisk): string => `${names(disk)}: ${content('/f')(disk)}`;

test('a rename happened or did not; never is the target missing (SCENARIOS 196)', async (t) => {
  t.deepEqual(await after(renamed, namesAndContent), ['f new: old', 'f: new']);
  const synced = await after(async (disk) => {
    await renamed(disk);
    await disk.syncDirectory('/');
  }, namesAndContent);
  t.deepEqual(synced, ['f: new']);
});

test('a removal that was not synced may be undone, and leaves the content whole', async (t) => {
  const found = await after(async (disk) => {
    await put(disk, '/f', 'text');
    await disk.syncDirectory('/');
    await disk.remove('/f');
  }, content('/f'));
  t.deepEqual(found, ['gone', 'text']);
});

test('a removed file that came back takes room like any other', async (t) => {
  let cameBack = 0;
  for (let seed = 0; seed < 10; seed++) {
    const world = new World({ seed });
    const host = world.host('a');
    const process = world.process('p', { host, main: () => undefined });
    const on = <T>(act: (disk: Disk) => Promise<T>): Promise<T> =>
      world.complete(process.call(({ disk }) => act(disk)));
    const full = await on((disk) => disk.space('/'));
    await on((disk) => put(disk, '/f', 'text'));
    await on((disk) => disk.syncDirectory('/'));
    await on((disk) => disk.remove('/f'));
    host.powerLoss();
    host.powerOn();
    process.start();
    if (host.disk.list('/')?.length === 0) continue;
    cameBack++;
    await on(async (disk) => (await disk.open('/f', 'read')).close());
    t.is((await on((disk) => disk.space('/'))).freeBytes, full.freeBytes - 4096);
  }
  t.true(cameBack > 0);
});

test('room is counted anew, and the files can be used again', async (t) => {
  const world = new World({ seed: 5 });
  const host = world.host('a');
  const process = world.process('p', { host, main: () => undefined });
  await world.complete(
    process.call(async ({ disk }) => {
      await put(disk, '/kept', 'x'.repeat(5000));
      await disk.syncDirectory('/');
      await disk.lock('/', 'p');
      for (const name of ['a', 'b', 'c', 'd']) await put(disk, `/${name}`, 'x');
      await disk.remove('/kept');
      await disk.syncDirectory('/');
    }),
  );
  host.powerLoss();
  host.powerOn();
  process.start();
  const [taken, allocated] = await world.complete(
    process.call(async ({ disk }) => {
      const { totalBytes, freeBytes } = await disk.space('/');
      let bytes = 0;
      for (const name of await disk.list('/'))
        bytes += (await disk.stat(name))?.allocatedBytes ?? 0;
      return [totalBytes - freeBytes, bytes] as const;
    }),
  );
  t.is(taken, allocated);
  t.true(taken >= 4 * 4096);
  await t.notThrowsAsync(
    world.complete(
      process.call(async ({ disk }) => {
        await disk.lock('/', 'p again');
        await put(disk, '/a', 'y');
      }),
    ),
  );
});

test('an operation under way at the power loss happened or did not, and nobody is told', async (t) => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const world = new World({ seed });
    const host = world.host('a');
    const process = world.process('p', { host, main: () => undefined });
    await world.complete(process.call(({ disk }) => put(disk, '/f', 'text')));
    await world.complete(process.call(({ disk }) => disk.syncDirectory('/')));
    process.call(({ disk }) => disk.remove('/f').then(() => t.fail())).catch(() => undefined);
    await world.run({ steps: 1 });
    host.powerLoss();
    const left = content('/f')(host.disk);
    await world.run({ untilMs: 100 });
    t.is(content('/f')(host.disk), left, 'nothing happens on a disk without power');
    outcomes.add(left);
  }
  t.deepEqual([...outcomes].toSorted(), ['gone', 'text']);
});

test('a disk can be swapped, emptied, and put back to an earlier image (SCENARIOS 26, 27)', async (t) => {
  const world = new World({ seed: 1 });
  const host = world.host('a');
  const process = world.process('p', { host, main: () => undefined });
  await world.complete(process.call(({ disk }) => put(disk, '/f', 'early')));
  const image = host.disk.image();
  await world.complete(process.call(({ disk }) => put(disk, '/f', 'later')));
  process.kill();
  host.disk.restore(image);
  t.is(content('/f')(host.disk), 'early');
  host.disk.restore();
  t.is(names(host.disk), '');
  world.host('b').disk.restore(image);
  t.is(content('/f')(world.host('b').disk), 'early');
});

test('a bit can rot (SCENARIOS 222)', async (t) => {
  const world = new World({ seed: 1 });
  const host = world.host('a');
  const process = world.process('p', { host, main: () => undefined });
  await world.complete(process.call(({ disk }) => put(disk, '/f', 'text')));
  host.disk.flipBit('/f', 2);
  const rotten = host.disk.content('/f') ?? Buffer.alloc(0);
  t.is(rotten.toString('latin1').replace(rotten.toString('latin1')[2] ?? '', 'x'), 'text');
  t.throws(() => host.disk.flipBit('/f', 4), { name: 'AssertionError' });
});
