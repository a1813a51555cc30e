/** A power loss under the mgr: what did not wait for its disk is gone, and nobody loses an open by it. */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import type { FileSystem } from '../../client/file-system.ts';
import type { File } from '../../client/file.ts';
import { on, overTwo, readAll, Stage } from './stage.ts';

const content = Buffer.alloc(8192, 7);

interface Scene {
  readonly stage: Stage;
  readonly a: FileSystem;
  readonly b: FileSystem;
}

/** Two clients; `/f` is there, and nothing of it is left to be stored. */
async function sceneOf(seed: number): Promise<Scene> {
  const stage = new Stage({ seed, iods: 2, programs: 2 });
  stage.cluster.mgrDisk.keeps = 0;
  const [a, b] = await stage.joinAll();
  if (!a || !b) throw new Error('not all have joined');
  await stage.run(0, () => a.writeFile('/f', content, { layout: overTwo }));
  await stage.pass(2 * limits.relaxedCommitMs);
  return { stage, a, b };
}

/** The mgr's host goes off, and comes back with what was on its disk. */
async function losePower({ cluster, world }: Stage, downMs = 200): Promise<void> {
  const { host } = cluster.mgr;
  cluster.cutPower(host);
  await world.run({ untilMs: world.nowMs + downMs });
  host.powerOn();
  cluster.mgr.start();
}

function opens({ cluster }: Stage): string[] {
  const rows = [...(cluster.store?.opens() ?? [])];
  return rows.map(({ readers, writers }) => `${readers} readers, ${writers} writers`);
}

test('a file that was just opened to be read stays open when the mgr loses power, and is read on without an error', async (t) => {
  const { stage, a, b } = await sceneOf(1);
  const file = await stage.run(0, () => a.open('/f'));
  const twin = await stage.run(0, () => a.open('/f'));
  t.deepEqual(await stage.run(0, () => readAll(file, 8192)), content);
  await losePower(stage);
  t.is(stage.cluster.mgrDisk.lostCount, 2);
  await stage.untilServing(1, b);
  t.deepEqual(opens(stage), ['2 readers, 0 writers']);
  await stage.run(1, () => b.unlink('/f'));
  t.deepEqual(await stage.run(0, () => readAll(file, 8192)), content);
  t.deepEqual(await stage.run(0, () => readAll(twin, 8192)), content);
  await stage.run(0, () => file.close());
  await stage.run(0, () => twin.close());
  await stage.pass(5_000);
  t.deepEqual([opens(stage), stage.objectsAt(0), stage.objectsAt(1)], [[], [], []]);
});

test('what a client that is not back yet may hold is not removed, whoever takes its name away meanwhile', async (t) => {
  const { stage, a, b } = await sceneOf(2);
  const { network } = stage.world;
  const file = await stage.run(0, () => a.open('/f'));
  network.partition('mgr', 'program0');
  await losePower(stage);
  await stage.run(1, () => b.unlink('/f'));
  await stage.pass(5_000);
  const reading = stage.begin(0, () => readAll(file, 8192));
  await stage.pass(1_000);
  network.heal('mgr', 'program0');
  t.deepEqual(await stage.settle(reading), content);
  t.deepEqual(opens(stage), ['1 readers, 0 writers']);
  await stage.run(0, () => file.close());
  await stage.pass(5_000);
  t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
});

test('what only clients might have held that never come back goes with their sessions', async (t) => {
  const { stage, a, b } = await sceneOf(3);
  await stage.run(0, () => a.open('/f'));
  stage.program(0).kill();
  await losePower(stage);
  await stage.run(1, () => b.unlink('/f'));
  await stage.pass(5_000);
  t.is(stage.objectsAt(0).length, 1);
  await stage.pass(limits.reclaimWindowMs + limits.iodLeaseAtMgrMs);
  t.deepEqual([opens(stage), stage.objectsAt(0), stage.objectsAt(1)], [[], [], []]);
});

test('a close that was lost is made good: the file is not held, and is as long as it was written', async (t) => {
  const { stage, a, b } = await sceneOf(4);
  const [reader, writer] = await stage.run(0, async () => [
    await a.open('/f'),
    await a.open('/f', 'r+'),
  ]);
  if (!reader || !writer) throw new Error('not all are open');
  await stage.run(0, () => writer.write(content, 8192));
  await stage.run(0, () => writer.close());
  await stage.run(0, () => reader.close());
  t.deepEqual(opens(stage), []);
  await losePower(stage);
  t.is(stage.cluster.mgrDisk.lostCount, 2);
  await stage.untilServing(1, b);
  await stage.pass(1_000);
  t.deepEqual(opens(stage), []);
  t.is((await stage.run(1, () => b.stat('/f'))).size, 16_384);
  await stage.run(1, () => b.unlink('/f'));
  await stage.pass(1_000);
  t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
});

test('opens and closes that are on their way when power is lost are neither lost nor made twice', async (t) => {
  for (const point of ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'] as const) {
    for (const act of [
      'open to read',
      'open to write',
      'close',
      'late close',
      'abandon',
    ] as const) {
      const { stage, a, b } = await sceneOf(5);
      stage.cluster.mgrDisk.keeps = undefined;
      const { world, cluster } = stage;
      const [held, other] = await stage.run(0, async () => [
        await a.open('/f'),
        await a.open('/f'),
      ]);
      if (!held || !other) throw new Error('not all are open');
      const deadlineMs = act === 'late close' || act === 'abandon' ? 20 : 60_000;
      world.killAt({ point, process: 'mgr', powerLoss: true, restartAfterMs: 500 });
      const acting = stage.begin(0, async () => {
        if (act === 'close' || act === 'late close') return other.close({ deadlineMs });
        const file = await a.open('/f', act === 'open to write' ? 'r+' : 'r', { deadlineMs });
        await file.read(Buffer.alloc(8192), 0);
        return file.close();
      });
      const outcome = acting.then(
        () => 'done',
        (error: unknown) => String(error),
      );
      await world.run({ until: () => !cluster.mgr.alive });
      const said = await stage.settle(outcome);
      if (deadlineMs > 20) t.is(said, 'done', `${act} at ${point}`);
      await stage.untilServing(1, b);
      await stage.pass(5_000);
      const left = act === 'close' || act === 'late close' ? 1 : 2;
      t.deepEqual(opens(stage), [`${left} readers, 0 writers`], `${act} at ${point}`);
      t.deepEqual(await stage.run(0, () => readAll(held, 8192)), content);
    }
  }
});

test('a death of the mgr while opens are still being declared loses none', async (t) => {
  const { stage, a, b } = await sceneOf(6);
  const { world, cluster } = stage;
  const file = await stage.run(0, () => a.open('/f'));
  world.network.partition('mgr', 'program0');
  await losePower(stage);
  await stage.run(1, () => b.unlink('/f'));
  stage.bounce(cluster.mgr, 100);
  await stage.pass(3_000);
  world.network.heal('mgr', 'program0');
  t.deepEqual(await stage.run(0, () => readAll(file, 8192)), content);
  await stage.run(0, () => file.close());
  await stage.pass(5_000);
  t.deepEqual([stage.objectsAt(0), stage.objectsAt(1)], [[], []]);
});

test('a mode is as it was before, unless somebody has asked for the disk, or a second has passed', async (t) => {
  for (const [how, mode] of [
    ['nothing', 0o644],
    ['fsync', 0o600],
    ['a change elsewhere', 0o600],
    ['time', 0o600],
    ['kill -9', 0o600],
  ] as const) {
    const { stage, a, b } = await sceneOf(7);
    await stage.run(0, () => a.chmod('/f', 0o600));
    t.is((await stage.run(1, () => b.stat('/f'))).mode & 0o777, 0o600);
    if (how === 'fsync') {
      const file = await stage.run(1, () => b.open('/f'));
      await stage.run(1, () => file.sync());
    }
    if (how === 'a change elsewhere') await stage.run(1, () => b.mkdir('/d'));
    if (how === 'time') await stage.pass(limits.relaxedCommitMs + 100);
    if (how === 'kill -9') stage.bounce(stage.cluster.mgr, 100);
    else await losePower(stage);
    t.is((await stage.run(1, () => b.stat('/f'))).mode & 0o777, mode, how);
  }
});

test('a time that was set and synced is not taken back by a close that was lost', async (t) => {
  const { stage, a, b } = await sceneOf(8);
  const file = await stage.run(0, () => a.open('/f', 'r+'));
  await stage.run(0, () => file.write(content, 0));
  const modified = { now: false, at: { seconds: 1000, nanoseconds: 0 } };
  await stage.run(0, () => file.setAttributes({ modified }));
  await stage.run(0, () => file.sync());
  await stage.run(0, () => file.close());
  await losePower(stage);
  await stage.untilServing(1, b);
  await stage.pass(1_000);
  t.is((await stage.run(1, () => b.stat('/f'))).mtimeMs, 1_000_000);
});

test('with very many files open all are declared, part by part', async (t) => {
  const { stage, a, b } = await sceneOf(9);
  const count = limits.opensPerDeclareMax + 100;
  await stage.run(0, () => a.writeFile('/g', content, { layout: on(0) }));
  const files = await stage.run(0, () =>
    Promise.all(Array.from({ length: count }, () => a.open('/g'))),
  );
  await losePower(stage);
  await stage.untilServing(1, b);
  t.deepEqual(opens(stage), [`${count} readers, 0 writers`]);
  await stage.run(0, () => Promise.all(files.map((file) => file.close())));
  t.deepEqual(opens(stage), []);
});

for (const seed of [1, 2, 3, 4]) {
  test(`readers that open and close all the time notice no power loss of the mgr, and leave nothing behind (seed ${seed})`, async (t) => {
    const stage = new Stage({ seed, iods: 2, programs: 3 });
    const { world, cluster } = stage;
    const joined = await stage.joinAll();
    const random = world.random.fork('test');
    const paths = Array.from({ length: 5 }, (_, i) => `/f${i}`);
    const [first] = joined;
    if (!first) throw new Error('nobody has joined');
    for (const path of paths) {
      await stage.run(0, () => first.writeFile(path, content, { layout: overTwo }));
    }
    const load = { isOver: false };
    const work = joined.map((fs, program) =>
      stage.begin(program, async ({ clock }) => {
        const held: File[] = [];
        while (!load.isOver) {
          const path = random.pick(paths);
          if (program === 0 && random.chance(0.05)) {
            await fs.writeFile('/new', content, { layout: overTwo });
            await fs.rename('/new', path);
          }
          const file = await fs.open(path);
          held.push(file);
          if (held.length > 4) await held.splice(random.below(4), 1)[0]?.close();
          t.true((await readAll(random.pick(held), 8192)).equals(content));
          await new Promise<void>((resolve) => {
            clock.timer(random.below(20), resolve);
          });
        }
        await Promise.all(held.map((one) => one.close()));
      }),
    );
    for (let loss = 0; loss < 10; loss++) {
      await stage.pass(100 + random.below(1_500));
      await losePower(stage, random.below(1_000));
    }
    t.true(cluster.mgrDisk.lostCount > 0);
    load.isOver = true;
    await stage.settle(Promise.all(work));
    await stage.untilServing(0, first);
    await stage.pass(5_000);
    t.deepEqual(opens(stage), []);
    t.deepEqual([stage.objectsAt(0).length, stage.objectsAt(1).length], [5, 5]);
  });
}
