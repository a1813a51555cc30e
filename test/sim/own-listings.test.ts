/** Who lists a directory that is lent to him keeps it, and finds what he has done there, whatever dies. */
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { MountCalls } from './mount-calls.ts';
import { Stage } from './stage.ts';

const perPage = limits.direntsPerPageMax;

async function begin(seed: number) {
  const stage = new Stage({ seed, iods: 1, programs: 2, smallFileBytes: 1000 });
  const [one, two] = (await stage.joinAll()) as [FileSystem, FileSystem];
  const mount = await stage.run(0, () => Promise.resolve(new MountCalls(one)));
  await stage.pass(100);
  return { stage, mount, other: two };
}

type Scene = Awaited<ReturnType<typeof begin>>;

/** Reads a directory page by page. @param between runs before each page but the first */
async function list(
  { stage, mount }: Scene,
  directory: Handle,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const names: string[] = [];
  for (let after = 0, page = 1; ; page++) {
    const from = after;
    const read = () => mount.volume.access.page(directory, from, {});
    const { entries, done } = await stage.run(0, read);
    names.push(...entries.map(({ name }) => String(name)));
    if (done) return names;
    after = entries.at(-1)?.cookie ?? 0;
    await between(page);
  }
}

function make({ stage, mount }: Scene, directory: Handle, names: readonly string[]) {
  return stage.run(0, async () => {
    for (const name of names) await mount.makeDirectory(name, directory);
  });
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `n${from + i}`);
}

/** What was there all the time is listed once, and nothing twice. */
function requireEach(t: ExecutionContext, listed: readonly string[], stays: readonly string[]) {
  t.is(new Set(listed).size, listed.length, 'nothing twice');
  const missing = new Set(stays);
  for (const name of listed) missing.delete(name);
  t.deepEqual([...missing], []);
}

test('several pages of a lent directory have each name that stays once, while others come and go', async (t) => {
  const scene = await begin(1);
  const { stage, mount, other } = scene;
  const directory = await stage.run(0, () => mount.makeDirectory('d'));
  const stays = range(0, 2 * perPage);
  await make(scene, directory, stays);
  await stage.run(0, async () => {
    for (let i = 0; i < 20; i++) await mount.writeFile(`f${i}`, `${i}`, directory);
  });
  mount.asked.length = 0;
  const listed = await list(scene, directory, async (page) => {
    await make(scene, directory, [`new-${page}`]);
    await stage.run(0, async () => {
      await mount.unlink(`f${page}`, directory);
      await mount.writeFile('tmp', 'x', directory);
      await mount.rename('tmp', `f${page + 10}`, directory);
      await mount.writeFile('tmp', 'x', directory);
      await mount.rename('tmp', `g${page}`, directory);
    });
  });
  requireEach(t, listed, [...stays, 'f0', 'f9']);
  t.truthy(mount.volume.access.here(directory), 'it is lent yet');
  const told = new Set(['settleNames', 'readDirectory', 'takeHandles']);
  t.deepEqual(
    mount.asked.filter((op) => !told.has(op)),
    [],
  );
  const again = await list(scene, directory);
  const seen = await stage.run(1, () => other.readdir('/d'));
  t.deepEqual(again.toSorted(), seen.map(({ name }) => name).toSorted());
  t.false(again.includes('f1'));
  t.true(again.includes('g1') && again.includes('new-1'));
});

test('so it is when the mgr dies between the pages, and the directory was given back then', async (t) => {
  for (let seed = 1; seed <= 4; seed++) {
    const scene = await begin(seed);
    const { stage, mount, other } = scene;
    const directory = await stage.run(0, () => mount.makeDirectory('d'));
    const stays = range(0, 2 * perPage);
    await make(scene, directory, stays);
    const listed = await list(scene, directory, async (page) => {
      await make(scene, directory, [`new-${page}`]);
      if (seed % 2 === 0) stage.bounce(stage.cluster.mgr, 50 * seed);
      else stage.world.killAt({ process: 'mgr', point: 'mgr.commit.after', restartAfterMs: 100 });
      await make(scene, directory, [`more-${page}`]);
    });
    requireEach(t, listed, stays);
    const again = await list(scene, directory);
    const seen = await stage.run(1, () => other.readdir('/d'));
    t.deepEqual(again.toSorted(), seen.map(({ name }) => name).toSorted(), `seed ${seed}`);
    t.true(again.includes('new-1') && again.includes('more-1'));
  }
});

test('what is in a borrowed directory is listed with what was made and taken away in it', async (t) => {
  const scene = await begin(2);
  const { stage, mount, other } = scene;
  await stage.run(1, async () => {
    await other.mkdir('/d');
    for (let i = 0; i < 50; i++) await other.writeFile(`/d/old-${i}`, `${i}`);
  });
  await stage.pass(limits.unsharedMs + 1000);
  const directory = await stage.run(0, () => mount.lookUp('d'));
  const old = await list(scene, directory);
  t.is(old.length, 50);
  // The mgr makes the first; whoever makes more borrows the directory.
  for (let i = 0; i < 3; i++) await make(scene, directory, [`sub-${i}`]);
  await stage.pass(20);
  t.truthy(mount.volume.access.here(directory), 'it is borrowed');
  await stage.run(0, async () => {
    await mount.open('old-7', directory);
    await mount.unlink('old-7', directory);
    await mount.writeFile('new', 'text', directory);
  });
  const listed = await list(scene, directory);
  t.true(mount.volume.access.here(directory) !== undefined, 'it is kept');
  const expected = old.filter((name) => name !== 'old-7');
  const whole = [...expected, 'new', 'sub-0', 'sub-1', 'sub-2'].toSorted();
  t.deepEqual(listed.toSorted(), whole);
  const seen = await stage.run(1, () => other.readdir('/d'));
  t.deepEqual(seen.map(({ name }) => name).toSorted(), whole);
});

test('a directory is listed as it is while another one waits to look into it', async (t) => {
  const scene = await begin(3);
  const { stage, mount, other } = scene;
  const directory = await stage.run(0, () => mount.makeDirectory('d'));
  await make(scene, directory, range(0, 100));
  const looking = stage.begin(1, () => other.readdir('/d'));
  t.deepEqual((await list(scene, directory)).toSorted(), range(0, 100).toSorted());
  t.is((await stage.settle(looking)).length, 100);
});

test('what is told of a listed directory is what has been done to it here', async (t) => {
  const scene = await begin(4);
  const { stage, mount } = scene;
  const directory = await stage.run(0, () => mount.makeDirectory('d'));
  await make(scene, directory, range(0, 3));
  const { access } = mount.volume;
  const page = await stage.run(0, () => access.page(directory, 0, {}));
  t.is(page.directory.links, 5);
  const changed = await stage.run(0, () =>
    Promise.resolve(access.changeHere(directory, { mode: 0o700 })),
  );
  t.is(changed?.mode, 0o700);
  await make(scene, directory, ['more']);
  const again = await stage.run(0, () => access.page(directory, 0, {}));
  t.like(again.directory, { links: 6, mode: 0o700 });
  t.like(access.known({ directory: directory, path: '' as never }) ?? access.here(directory), {
    links: 6,
    mode: 0o700,
  });
});
