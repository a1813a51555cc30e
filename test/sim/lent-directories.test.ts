/** Directories that are lent to the mount that makes or changes them, with a real mgr that dies, and wires that break. */
import { hasCode } from '../../shared/errno.ts';
import test from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import { HandleAccess } from '../../client/handle-access.ts';
import { placeAt, placeIn } from '../../client/handle-place.ts';
import { limits } from '../../shared/limits.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import type { Place } from '../../shared/wire/values.ts';
import { Stage } from './stage.ts';

const { read, write, create } = openFlags;
const smallFileBytes = 1000;
const text = 'hello, world';
const content = Buffer.from(text);
const deadlineMs = 120_000;

const revoke = () => Promise.resolve();

/** A program that caches, as a mount does, and makes things in directories. */
class Maker {
  readonly access: HandleAccess;

  constructor(fileSystem: FileSystem) {
    this.access = new HandleAccess({ fileSystem, deadlineMs, revoke });
  }

  async directory(name: string, parent: Handle): Promise<Handle> {
    const at = await this.#lookedUp(name, parent);
    const here = this.access.makeHere({ at, kind: 'directory', mode: 0o755 }, undefined);
    return (here ?? (await this.access.makeDirectory(at, 0o755, undefined, {}))).handle;
  }

  /** A file with something in it, which stays open. */
  async open(name: string, parent: Handle) {
    const at = await this.#lookedUp(name, parent);
    const flags = read | write | create;
    const wish = { at, flags, mode: 0o644, durable: false, maker: undefined };
    const { file, attr } = this.access.openHere(wish) ?? (await this.access.open(wish, {}));
    if (!this.access.lent.write(attr.handle, content, 0)) await file.write(content, 0);
    return file;
  }

  async file(name: string, parent: Handle): Promise<Handle> {
    const file = await this.open(name, parent);
    this.access.closeLate(file, () => undefined).catch(() => undefined);
    return file.handle;
  }

  /** @returns whether that was done here */
  async remove(name: string, parent: Handle): Promise<boolean> {
    const at = await this.#lookedUp(name, parent);
    if (this.access.names?.remove(at) === true) return true;
    await this.access.call(nameOps.unlink, { at }, {});
    return false;
  }

  /** As a kernel does before it asks for anything to be done there. */
  async #lookedUp(name: string, parent: Handle): Promise<Place> {
    const at = placeIn(parent, byteString(name));
    await this.access.lookup(at, {}).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    return at;
  }
}

/** A mount, and a program that looks at what it makes. */
async function begin(seed: number) {
  const stage = new Stage({ seed, iods: 1, programs: 2, smallFileBytes });
  const [one, other] = (await stage.joinAll()) as [FileSystem, FileSystem];
  const maker = await stage.run(0, () => Promise.resolve(new Maker(one)));
  await stage.pass(100);
  return { stage, maker, other };
}

type Scene = Awaited<ReturnType<typeof begin>>;

/** A new directory, and handles for what is made in it. */
async function newDirectory({ stage, maker }: Scene): Promise<Handle> {
  const directory = await stage.run(0, () => maker.directory('d', rootHandle));
  await stage.pass(limits.lentMs);
  return directory;
}

/** All below a directory, with what is in it. */
async function treeOf(other: FileSystem, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await other.readdir(path, { deadlineMs })) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(below, ...(await treeOf(other, below)));
    else found.push(`${below} ${(await other.readFile(below, { deadlineMs })).toString()}`);
  }
  return found.toSorted();
}

const known = `/d/known ${text}`;
const expected = ['closed', 'open', 'sub/leaf', 'sub/open'].map((name) => `/d/${name} ${text}`);
const whole = [...expected, '/d/sub'].toSorted();

/**
 * Makes a directory and, in it, files and another directory with files; takes away one that the mgr knows,
 * and one that it does not. Another program looks as soon as that is done.
 */
async function madeAndSeen(scene: Scene) {
  const { stage, maker, other } = scene;
  const directory = await newDirectory(scene);
  await stage.run(0, async () => {
    const old = await maker.file('known', directory);
    await maker.access.settled(old, {});
  });
  const open = await stage.run(0, async () => {
    const first = await maker.open('open', directory);
    const sub = await maker.directory('sub', directory);
    if (maker.access.here(sub) === undefined) throw new Error('it is not made here');
    await maker.file('closed', directory);
    await maker.file('leaf', sub);
    await maker.file('gone', directory);
    for (const name of ['gone', 'known']) {
      if (!(await maker.remove(name, directory))) throw new Error(`${name} is not taken away here`);
    }
    return [first, await maker.open('open', sub)];
  });
  const seen = stage.begin(1, () => treeOf(other, '/d'));
  seen.catch(() => undefined);
  return { seen, open };
}

/** Nothing is open or lent any more, and all of it is there once. */
async function ends(scene: Scene, { open }: Awaited<ReturnType<typeof madeAndSeen>>) {
  const { stage, other } = scene;
  await stage.run(0, () => Promise.all(open.map((file) => file.close())));
  await stage.pass(limits.lentDirectoryMs + 1000);
  const { store } = stage.cluster;
  return {
    again: await stage.run(1, () => treeOf(other, '/d')),
    opens: stage.openCount,
    lent: store?.lent().length,
    files: store?.fileCount(),
  };
}

const over = { again: whole, opens: 0, lent: 0, files: expected.length };

test('who looks into a new directory sees all that its mount has made there', async (t) => {
  const scene = await begin(1);
  const made = await madeAndSeen(scene);
  t.deepEqual(await scene.stage.settle(made.seen), whole);
  t.deepEqual(await ends(scene, made), over);
});

test('a mount may ask the mgr for anything that it has just made', async (t) => {
  const scene = await begin(5);
  const { stage, maker, other } = scene;
  const directory = await newDirectory(scene);
  await stage.run(0, async () => {
    const sub = await maker.directory('sub', directory);
    const from = placeAt(await maker.file('leaf', sub));
    const to = placeIn(rootHandle, byteString('link'));
    await maker.access.call(nameOps.link, { from, to, follow: false }, {});
  });
  const bytes = await stage.run(1, () => other.readFile('/link', { deadlineMs }));
  t.is(bytes.toString(), text);
});

const points = {
  'mgr.commit.before': [1, 2, 3, 5],
  'mgr.commit.after': [1, 2, 3, 5],
  'mgr.reply.before': [1, 2, 3, 5],
  'mgr.recover.loaded': [1],
  'mgr.reclaim.over': [1],
} satisfies Partial<Record<KillPoint, readonly number[]>>;

for (const [point, passings] of Object.entries(points) as [KillPoint, readonly number[]][]) {
  test(`a mgr that dies at ${point} has a new directory back before anybody sees it`, async (t) => {
    for (const [seed, passing] of passings.entries()) {
      const scene = await begin(10 + seed);
      const { stage } = scene;
      const made = await madeAndSeen(scene);
      const isOfStart = point === 'mgr.recover.loaded' || point === 'mgr.reclaim.over';
      if (isOfStart) stage.bounce(stage.cluster.mgr, 100);
      stage.world.killAt({ process: 'mgr', point, restartAfterMs: 500, passing });
      t.deepEqual(await stage.settle(made.seen), whole, `passing ${passing}`);
      await stage.pass(1000);
      t.deepEqual(await ends(scene, made), over, `passing ${passing}`);
      t.is(stage.world.kills.struck, 1);
    }
  });
}

test('with the host of the mgr nothing is lost of what was made and was not told of yet', async (t) => {
  for (const afterMs of [0, 1, 2, limits.lentMs]) {
    const scene = await begin(2);
    const { stage } = scene;
    const made = await madeAndSeen(scene);
    await stage.pass(afterMs);
    stage.cluster.cutPower(stage.cluster.mgr.host);
    await stage.pass(200);
    stage.cluster.mgr.host.powerOn();
    stage.cluster.mgr.start();
    // As ever: bytes of an open file that were told, and nobody has synced.
    const whatever = (lines: readonly string[]) =>
      lines.map((line) => (afterMs > 0 && line.endsWith('/open ') ? `${line}${text}` : line));
    t.deepEqual(whatever(await stage.settle(made.seen)), whole, `${afterMs} ms`);
    await stage.pass(2000);
    const { again, ...rest } = await ends(scene, made);
    t.deepEqual({ ...rest, again: whatever(again) }, over, `${afterMs} ms`);
  }
});

test('whoever looks into a new directory waits for a mount that is cut off, and sees all', async (t) => {
  for (const cutMs of [100, limits.rightAtMgrMs + 1000, limits.sessionLeaseMs - 5000]) {
    const scene = await begin(3);
    const { stage } = scene;
    const { network } = stage.world;
    const made = await madeAndSeen(scene);
    network.partition('program0', 'mgr');
    await stage.pass(cutMs);
    network.heal();
    t.deepEqual(await stage.settle(made.seen), whole, `${cutMs} ms`);
    t.deepEqual(await ends(scene, made), over, `${cutMs} ms`);
  }
});

test('of a mount that is killed what was durable is there, and nothing in parts', async (t) => {
  for (const afterMs of [0, 1, 2, 5, limits.lentMs, limits.lentMs + 2]) {
    const scene = await begin(4);
    const { stage, maker, other } = scene;
    const directory = await newDirectory(scene);
    await stage.run(0, async () => {
      const sub = await maker.directory('sub', directory);
      await maker.file('known', directory);
      const leaf = await maker.file('leaf', sub);
      await maker.access.settled(leaf, {});
    });
    await stage.run(0, async () => {
      await maker.file('closed', directory);
      await maker.open('open', directory);
      await maker.file('new', directory);
      const to = placeIn(directory, byteString('known'));
      if (maker.access.names?.rename(placeIn(directory, byteString('new')), to) !== true) {
        throw new Error('it is not renamed here');
      }
    });
    await stage.pass(afterMs);
    stage.program(0).kill();
    const seen = await stage.run(1, () => treeOf(other, '/d'));
    const durable = ['/d/sub', `/d/sub/leaf ${text}`, known];
    for (const line of durable) t.true(seen.includes(line), `${afterMs} ms: ${line}`);
    const may = new Set([...durable, ...expected, '/d/open ']);
    t.deepEqual(
      seen.filter((line) => !may.has(line)),
      [],
      `${afterMs} ms`,
    );
    t.is(new Set(seen).size, seen.length);
    t.is(stage.openCount, 0);
    t.deepEqual(stage.cluster.store?.lent(), []);
  }
});

test('what is taken away in a directory that was there before is gone for all, whatever dies', async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const { stage, maker, other } = await begin(seed);
    const names = Array.from({ length: 30 }, (_, i) => `f${i}`);
    await stage.run(1, async () => {
      await other.mkdir('/d');
      for (const name of names) await other.writeFile(`/d/${name}`, content, { deadlineMs });
    });
    const directory = (await stage.run(1, () => other.stat('/d', { deadlineMs }))).ino as Handle;
    const { access } = maker;
    let here = 0;
    const removing = stage.begin(0, async () => {
      const page = await access.page(directory, 0, {});
      if (!page.done) throw new Error('it is not read whole');
      for (const name of names) {
        if (await maker.remove(name, directory)) here++;
      }
    });
    stage.world.killAt({
      process: 'mgr',
      point: 'mgr.commit.after',
      restartAfterMs: 500,
      passing: seed,
    });
    await stage.settle(removing);
    const left = await stage.run(1, () => other.readdir('/d', { deadlineMs }));
    t.deepEqual(
      left.map(({ name }) => name),
      [],
      `seed ${seed}`,
    );
    t.is(stage.cluster.store?.fileCount(), 0);
    t.true(here > 0, `seed ${seed}: ${here} here`);
    t.deepEqual(stage.cluster.store?.lent(), []);
  }
});
