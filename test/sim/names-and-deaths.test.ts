/** Names, and the files behind them, when somebody dies in between. */
import test, { type ExecutionContext } from 'ava';
import type { FileSystem } from '../../client/file-system.ts';
import type { File } from '../../client/file.ts';
import { isFsError } from '../../shared/errno.ts';
import type { KillPoint } from '../../shared/runtime/kill-points.ts';
import { overTwo, readAll, Stage } from './stage.ts';

const stripes = Buffer.alloc(8192, 1);
const others = Buffer.alloc(8192, 2);
const layout = { layout: overTwo };
/** Each has a mgr that has done more of a change. */
const steps: readonly KillPoint[] = ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'];
const afterDeathMs = 300;

async function begun(seed: number, programs = 2) {
  const stage = new Stage({ seed, iods: 2, programs });
  const joined = await stage.joinAll();
  const [fs, other = fs] = joined;
  if (!fs || !other) throw new Error('nobody has joined');
  return { stage, fs, other };
}

function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (isFsError(error) ? error.code : String(error)),
  );
}

/** The bytes of these files are there, and of no others. */
async function requireObjects(t: ExecutionContext, stage: Stage, handles: readonly number[]) {
  await stage.pass(5_000);
  for (const { index } of stage.cluster.iods) {
    t.deepEqual(stage.objectsAt(index), [...handles], `iod${index}`);
  }
}

const orders = [
  ['die', 'unlink', 'make'],
  ['unlink', 'die', 'make'],
  ['unlink', 'make', 'die'],
] as const;
const victims = ['mgr', 'iod', 'client'] as const;

test('an unlinked file that is open, and a new one of its name, are two, whoever dies when (SCENARIOS 192)', async (t) => {
  for (const order of orders) {
    for (const victim of victims) {
      const { stage, fs, other } = await begun(1);
      const what = `${order.join(', ')}: ${victim}`;
      const old = await stage.run(0, () => fs.open('/f', 'w+', layout));
      await stage.run(0, () => old.write(stripes, 0));
      await stage.run(1, () => other.open('/f', 'r+'));
      const act = {
        die: () => Promise.resolve(die(stage, victim)),
        unlink: () => stage.run(0, () => fs.unlink('/f')),
        make: () => stage.run(0, () => fs.writeFile('/f', others, layout)),
      };
      for (const step of order) await act[step]();
      t.deepEqual(await stage.run(0, () => readAll(old, 9000)), stripes, what);
      t.deepEqual(await stage.run(0, () => fs.readFile('/f')), others, what);
      await stage.run(0, () => old.close());
      if (stage.program(1).alive) stage.program(1).kill();
      await stage.pass(100_000);
      const { ino } = await stage.run(0, () => fs.stat('/f'));
      await requireObjects(t, stage, [ino]);
    }
  }
});

function die(stage: Stage, victim: (typeof victims)[number]): void {
  if (victim === 'client') stage.program(1).kill();
  else stage.bounce(victim === 'mgr' ? stage.cluster.mgr : stage.iod(1).process, afterDeathMs);
}

test('an unlinked file that two have open goes with the last of them, whoever dies in between (SCENARIOS 193)', async (t) => {
  for (const victim of ['mgr', 'iod'] as const) {
    const { stage, fs, other } = await begun(2);
    const one = await stage.run(0, () => fs.open('/f', 'w+', layout));
    await stage.run(0, () => one.write(stripes, 0));
    const two = await stage.run(1, () => other.open('/f', 'r'));
    await stage.run(0, () => fs.unlink('/f'));
    await stage.run(0, () => one.close());
    die(stage, victim);
    t.deepEqual(await stage.run(1, () => readAll(two, 9000)), stripes);
    await requireObjects(t, stage, [two.handle]);
    await stage.run(1, () => two.close());
    await requireObjects(t, stage, []);
  }
});

test('what was unlinked takes no room after a death of the mgr, or of an iod, before that was told (SCENARIOS 13, 194, 199)', async (t) => {
  for (const point of [...steps, 'iod.remove.before-disk', 'iod.remove.after-disk'] as const) {
    const { stage, fs } = await begun(3, 1);
    await stage.run(0, () => fs.writeFile('/f', stripes, layout));
    stage.iod(0).process.kill();
    const process = point.startsWith('mgr') ? 'mgr' : 'iod1';
    stage.world.killAt({ process, point, restartAfterMs: afterDeathMs });
    await stage.run(0, () => fs.unlink('/f'));
    // Its name is free at once; who takes it has nothing of the old one, and loses nothing to it.
    await stage.pass(2_000);
    const made = stage.begin(0, () => fs.writeFile('/f', others, layout));
    await stage.pass(1_000);
    stage.iod(0).process.start();
    await stage.settle(made);
    t.deepEqual(await stage.run(0, () => fs.readFile('/f')), others, point);
    const { ino } = await stage.run(0, () => fs.stat('/f'));
    await requireObjects(t, stage, [ino]);
  }
});

test('no file ever gets the number that another had, also when its maker dies over it (SCENARIOS 195, 201)', async (t) => {
  const numbers: number[] = [];
  const { stage, fs } = await begun(4, 1);
  for (const point of steps) {
    stage.world.killAt({ process: 'mgr', point, restartAfterMs: 5_000 });
    const call = stage.begin(0, () => fs.open('/lost', 'wx', { ...layout, deadlineMs: 500 }));
    t.is(await stage.settle(outcome(call)), 'ETIMEDOUT');
    await stage.pass(10_000);
    t.is(stage.openCount, 0);
    // It was made, whole, or it was not.
    const isThere = await stage.run(0, () => fs.exists('/lost'));
    t.is(isThere, point !== 'mgr.commit.before', point);
    if (isThere) {
      numbers.push((await stage.run(0, () => fs.stat('/lost'))).ino);
      await stage.run(0, () => fs.unlink('/lost'));
    }
    await stage.run(0, () => fs.writeFile('/f', stripes, layout));
    numbers.push((await stage.run(0, () => fs.stat('/f'))).ino);
    await stage.run(0, () => fs.unlink('/f'));
    await requireObjects(t, stage, []);
  }
  t.is(new Set(numbers).size, numbers.length);
  t.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('a name that is renamed over leads to the old file or the new one, always, and who has the old one keeps it (SCENARIOS 196)', async (t) => {
  for (const point of steps) {
    const { stage, fs, other } = await begun(5);
    const held = await hold(stage, fs);
    await stage.run(0, () => fs.writeFile('/new', others, layout));
    stage.world.killAt({ process: 'mgr', point, restartAfterMs: afterDeathMs });
    const renaming = stage.begin(0, () => fs.rename('/new', '/f'));
    const seen: Buffer[] = [];
    for (let i = 0; i < 20; i++) {
      seen.push(await stage.run(1, () => other.readFile('/f')));
      await stage.pass(i);
    }
    await stage.settle(renaming);
    const turn = seen.findIndex((content) => content.equals(others));
    t.true(seen.slice(0, turn).every((content) => content.equals(stripes)));
    t.true(seen.slice(turn).every((content) => content.equals(others)));
    t.deepEqual(await stage.run(0, () => readAll(held, 9000)), stripes);
    t.false(await stage.run(0, () => fs.exists('/new')));
    const { ino } = await stage.run(0, () => fs.stat('/f'));
    await stage.run(0, () => held.close());
    await requireObjects(t, stage, [ino]);
  }
});

async function hold(stage: Stage, fs: FileSystem): Promise<File> {
  await stage.run(0, () => fs.writeFile('/f', stripes, layout));
  return stage.run(0, () => fs.open('/f', 'r'));
}

test('a file that goes from one directory to another is in exactly one of them, at whatever step the mgr dies (SCENARIOS 197)', async (t) => {
  for (const point of steps) {
    const { stage, fs, other } = await begun(6);
    for (const path of ['/a', '/b']) await stage.run(0, () => fs.mkdir(path));
    await stage.run(0, () => fs.writeFile('/a/f', stripes, layout));
    stage.world.killAt({ process: 'mgr', point, restartAfterMs: afterDeathMs });
    const renaming = stage.begin(0, () => fs.rename('/a/f', '/b/f'));
    // Nothing else happens: from the one place it goes to the other, once.
    for (let i = 0; i < 10; i++) {
      const [before] = await stage.run(1, () => other.readdir('/a'));
      const [after] = await stage.run(1, () => other.readdir('/b'));
      const [still] = await stage.run(1, () => other.readdir('/a'));
      t.true(before === undefined ? after !== undefined : still === undefined || !after, point);
    }
    await stage.settle(renaming);
    t.deepEqual(await stage.run(0, () => fs.readdir('/a')), []);
    t.deepEqual(await stage.run(0, () => fs.readFile('/b/f')), stripes);
  }
});

test('a directory is there before what was made in it, whenever the mgr dies (SCENARIOS 198)', async (t) => {
  for (const point of steps) {
    for (const passing of [1, 2, 3]) {
      const { stage, fs, other } = await begun(7);
      stage.world.killAt({ process: 'mgr', point, passing, restartAfterMs: afterDeathMs });
      const making = stage.begin(0, async () => {
        await fs.mkdir('/d');
        await fs.writeFile('/d/f', stripes, layout);
      });
      for (let i = 0; i < 20; i++) {
        const hasFile = await stage.run(1, () => other.exists('/d/f'));
        const hasDirectory = await stage.run(1, () => other.exists('/d'));
        t.true(hasDirectory || !hasFile);
        await stage.pass(10);
      }
      await stage.settle(making);
      t.deepEqual(await stage.run(1, () => other.readFile('/d/f')), stripes);
    }
  }
});

test('a listing that meets deaths of the mgr has every name once (SCENARIOS 202)', async (t) => {
  const { stage, fs } = await begun(8, 1);
  const names = Array.from({ length: 2500 }, (_, i) => `name-${i}`);
  await stage.run(0, () => fs.mkdir('/d'));
  await stage.run(0, () => Promise.all(names.map((name) => fs.symlink('x', `/d/${name}`))));
  for (const downAtMs of [0, 0.3, 0.6, 0.9, 1.2, 1.5]) {
    const listing = stage.begin(0, () => fs.readdir('/d'));
    stage.world.after(downAtMs, () => {
      stage.bounce(stage.cluster.mgr, afterDeathMs);
    });
    const listed = await stage.settle(listing);
    t.deepEqual(listed.map(({ name }) => name).toSorted(), names.toSorted());
    await stage.pass(1_000);
    await stage.untilServing(0, fs);
  }
});

test('an object that is removed while it is still to be cut does not come back by that (SCENARIOS 288)', async (t) => {
  for (const point of ['iod.truncate.before-disk', 'iod.truncate.after-disk', undefined] as const) {
    const { stage, fs } = await begun(9, 1);
    await stage.run(0, () => fs.writeFile('/f', stripes, layout));
    if (point) stage.world.killAt({ process: 'iod1', point, restartAfterMs: 1_000 });
    else stage.iod(1).process.kill();
    const cutting = stage.begin(0, () => fs.truncate('/f', 6_000, { deadlineMs: 500 }));
    t.is(await stage.settle(outcome(cutting)), 'ETIMEDOUT');
    await stage.run(0, () => fs.unlink('/f'));
    await stage.pass(3_000);
    if (!point) stage.iod(1).process.start();
    await stage.untilServing(0, fs);
    await requireObjects(t, stage, []);
    t.is(stage.cluster.store?.pendingCount(), 0);
  }
});
