/** Iods that come back: often, together, under load, with nothing to learn, or while files close. */
import test from 'ava';
import type { File } from '../../client/file.ts';
import { leftAtMgr } from './checkers.ts';
import { iodPort, mgrPort } from './cluster.ts';
import { inOrder, on, overTwo, readAll, Stage } from './stage.ts';

const content = Buffer.alloc(8192, 7);
const mgrListener = `tcp:${mgrPort}`;
const iodListener = `tcp:${iodPort}`;

test('an iod that dies a hundred times before its sync ends leaves nothing at the mgr, and serves in the end (SCENARIOS 24)', async (t) => {
  const stage = new Stage({ seed: 1, iods: 2, programs: 1 });
  const { world, mgr } = stage.cluster;
  const fs = await stage.join(0);
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(content, 0));
  const connections = (): number => mgr.host.listeners.get(mgrListener)?.channels.size ?? 0;
  const before = connections();
  const points = ['iod.sync.connected', 'iod.sync.snapshot-begun', 'iod.sync.before-swap'] as const;
  const deaths = Array.from({ length: 100 }, (_, i) => ({
    point: points[i % points.length] ?? 'iod.sync.connected',
    process: 'iod1',
    restartAfterMs: 20,
  }));
  world.killAt(...deaths);
  stage.iod(1).process.restart();
  await world.run({ until: () => world.kills.pending === 0 });
  await stage.untilServing(0, fs);
  t.is(world.kills.struck, 100);
  t.is(connections(), before);
  t.is(stage.openCount, 1);
  t.is(await stage.entriesAt(1), 1);
  t.deepEqual(await stage.run(0, () => readAll(file, 8192)), content);
});

test('iods that sync together, with a busy mgr, delay nobody and are not delayed (SCENARIOS 39, 98)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 4, programs: 4 });
  const joined = await stage.joinAll();
  for (const [program, fs] of joined.entries()) {
    await stage.run(program, async () => {
      for (let i = 0; i < 24; i++) await fs.open(`/${program}-${i}`, 'w', { layout: on(i % 4) });
    });
  }
  const load = { isOver: false };
  let slowestMs = 0;
  let calls = 0;
  const work = joined.flatMap((fs, program) =>
    Array.from({ length: 8 }, () =>
      stage.begin(program, async ({ clock }) => {
        while (!load.isOver) {
          const begin = clock.now();
          await fs.chmod('/', 0o755);
          slowestMs = Math.max(slowestMs, clock.now() - begin);
          calls++;
        }
      }),
    ),
  );
  await stage.pass(20);
  const back = stage.cluster.iods.slice(0, 2);
  for (const { process } of back) process.restart();
  const { nowMs } = stage.world;
  await stage.world.run({ until: () => back.every(({ host }) => host.listeners.has(iodListener)) });
  const tookMs = stage.world.nowMs - nowMs;
  load.isOver = true;
  await stage.settle(Promise.all(work));
  t.true(calls > 1_000);
  t.true(tookMs < 2_000, `the syncs took ${tookMs} ms`);
  t.true(slowestMs < 1_000, `a call took ${slowestMs} ms`);
  for (const { index } of back) t.is(await stage.entriesAt(index), 24);
});

test('an iod that is up and down each second delays neither the sync nor the work of another (SCENARIOS 95, 96)', async (t) => {
  const stage = new Stage({ seed: 3, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const { process } = stage.iod(0);
  let isOver = false;
  const flap = (): void => {
    if (isOver) return;
    if (process.alive) process.kill();
    else process.start();
    stage.world.after(500, flap);
  };
  flap();
  await stage.pass(3_000);
  stage.iod(1).process.restart();
  const { nowMs } = stage.world;
  await stage.untilServing(0, fs, [0]);
  t.true(stage.world.nowMs - nowMs < 3_000);
  const starts = stage.iod(1).process.starts;
  for (let i = 0; i < 30; i++) {
    const work = stage.begin(0, () => fs.writeFile(`/f${i}`, content, { layout: on(1) }));
    const { tookMs } = await stage.timed(work);
    t.true(tookMs < 500, `a write that needs the healthy iod took ${tookMs} ms`);
    await stage.pass(1_000);
  }
  t.is(stage.iod(1).process.starts, starts);
  isOver = true;
  if (!process.alive) process.start();
  await stage.untilServing(0, fs);
});

test('a recovery with nothing to recover is quick, changes nothing, and no number comes twice (SCENARIOS 41, 104, 191)', async (t) => {
  const stage = new Stage({ seed: 4, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  await stage.untilServing(0, fs);
  const { store, generations } = stage.cluster;
  const pictured = (): unknown => ({
    files: store?.fileCount(),
    members: store?.members().map(({ name, evicted }) => ({ name, evicted })),
    objects: [stage.objectsAt(0), stage.objectsAt(1)],
    quarantined: stage.iod(0).host.disk.list('/data/quarantine') ?? [],
  });
  const numbers = new Set<number>();
  const before = pictured();
  for (let round = 0; round < 4; round++) {
    for (const process of stage.cluster.daemons) process.restart();
    const { nowMs } = stage.world;
    await stage.untilServing(0, fs);
    t.true(stage.world.nowMs - nowMs < 3_000, `${stage.world.nowMs - nowMs} ms`);
    t.deepEqual(pictured(), before);
    t.is(await stage.entriesAt(0), 0);
    const { handle } = await stage.run(0, async () => {
      const file = await fs.open('/gone', 'wx');
      await file.close();
      await fs.unlink('/gone');
      return file;
    });
    t.true(handle > Math.max(0, ...numbers));
    numbers.add(handle);
    await stage.pass(1_000);
  }
  t.is(generations.length, 5);
  await stage.run(0, () => fs.close());
  await stage.pass(1_000);
  t.is(leftAtMgr(stage.cluster), '');
});

test('opens are counted by holder, at the mgr and at every iod, through whatever dies (SCENARIOS 179, 180)', async (t) => {
  const stage = new Stage({ seed: 5, iods: 2, programs: 4 });
  const joined = await stage.joinAll();
  const open = (program: number, times: number): Promise<File[]> =>
    stage.run(program, () =>
      Promise.all(
        joined
          .slice(program, program + 1)
          .flatMap((fs) => Array.from({ length: times }, () => fs.open('/f', 'a+'))),
      ),
    );
  const looker = await stage.join(3);
  const counts = (): number[] =>
    inOrder([...(stage.cluster.store?.opens() ?? [])].map(({ readers }) => readers));
  await open(0, 2);
  const leaving = await open(1, 3);
  await open(2, 4);
  t.deepEqual(counts(), [2, 3, 4]);
  for (const { process } of stage.cluster.iods) process.restart();
  // Some of the closes come before the syncs have begun, some while they run.
  for (const file of leaving) {
    await stage.pass(10);
    await stage.run(1, () => file.close());
  }
  await open(3, 1);
  stage.bounce(stage.cluster.mgr, 100);
  await stage.untilServing(3, looker);
  t.deepEqual(counts(), [1, 2, 4]);
  for (const { index, process } of stage.cluster.iods) {
    t.is(await stage.entriesAt(index), 3);
    stage.bounce(process, 50);
    await stage.untilServing(3, looker);
    t.is(await stage.entriesAt(index), 3);
  }
});

test('the last close of an unlinked file, whenever in a sync, takes its bytes away (SCENARIOS 181)', async (t) => {
  for (const afterMs of [0, 5, 10, 15, 20, 30, 50]) {
    const stage = new Stage({ seed: 6, iods: 2, programs: 1 });
    const fs = await stage.join(0);
    const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
    await stage.run(0, async () => {
      await file.write(content, 0);
      await fs.unlink('/f');
    });
    for (const { process } of stage.cluster.iods) process.restart();
    await stage.pass(afterMs);
    await stage.run(0, () => file.close());
    await stage.untilServing(0, fs);
    await stage.pass(1_000);
    t.deepEqual([...stage.objectsAt(0), ...stage.objectsAt(1)], []);
    t.is(stage.cluster.store?.pendingCount(), 0);
    t.is(await stage.entriesAt(0), 0);
  }
});
