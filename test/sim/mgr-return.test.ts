/** Clients that come back to a mgr: in any order, late, not at all, and with much on their way. */
import test from 'ava';
import { isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { leftAtMgr } from './checkers.ts';
import { on, overTwo, readAll, Stage } from './stage.ts';

const content = Buffer.alloc(8192, 7);

function openRows({ cluster }: Stage): unknown[] {
  const rows = [...(cluster.store?.opens() ?? [])];
  return rows
    .map(({ handle, session, readers, writers }) => [handle, session, readers, writers].join(' '))
    .toSorted();
}

test('in whatever order clients come back to a mgr, the opens are what they were, and the window ends with the last (SCENARIOS 70, 73, 76)', async (t) => {
  const stage = new Stage({ seed: 1, iods: 2, programs: 3 });
  const joined = await stage.joinAll();
  const { network } = stage.world;
  for (const [program, fs] of joined.entries()) {
    await stage.run(program, async () => {
      for (let i = 0; i <= program; i++) await fs.open('/shared', 'a+', { layout: overTwo });
      await fs.writeFile(`/${program}`, content, { layout: overTwo });
    });
  }
  const before = openRows(stage);
  for (const order of [
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const names = joined.map((_, program) => `program${program}`);
    network.partition('mgr', names);
    stage.bounce(stage.cluster.mgr, 50);
    await stage.pass(5_000);
    for (const [done, program] of order.entries()) {
      network.heal('mgr', `program${program}`);
      const fs = joined[program];
      if (fs === undefined) throw new RangeError(`no program ${program}`);
      // Who is back is served, while others are still waited for.
      t.deepEqual(await stage.run(program, () => fs.readFile(`/${program}`)), content);
      await stage.run(program, () => fs.mkdir(`/made-${order.join('')}-${program}`));
      const { recovery } = await stage.status(program, fs);
      t.is(recovery?.missingTotal ?? 0, order.length - 1 - done);
    }
    t.deepEqual(openRows(stage), before);
  }
});

test('what a client that does not come back had asked for fails nobody but those who need it (SCENARIOS 77)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 2, programs: 3, sessionLeaseMs: 5_000 });
  const [maker, dependent, other] = await stage.joinAll();
  if (!maker || !dependent || !other) throw new Error('not all have joined');
  const { world, cluster } = stage;
  await stage.run(0, () => maker.open('/held', 'w', { layout: overTwo }));
  world.killAt({ point: 'mgr.commit.before', process: 'mgr', restartAfterMs: 500 });
  const lost = stage.begin(0, () => maker.mkdir('/parent'));
  lost.catch(() => undefined);
  const needs = stage.begin(1, () => dependent.mkdir('/parent/child'));
  const outcome = needs.then(
    () => 'made',
    (error: unknown) => (isFsError(error) ? error.code : String(error)),
  );
  const free = stage.begin(2, () => other.mkdir('/free'));
  await world.run({ until: () => !cluster.mgr.alive });
  stage.program(0).kill();
  t.is(await stage.settle(outcome), 'ENOENT');
  await stage.settle(free);
  t.is(await stage.run(2, () => other.exists('/parent')), false);
  await stage.pass(30_000);
  t.is(cluster.store?.sessions().length, 2);
  t.is(stage.openCount, 0);
  t.true(await stage.run(1, () => dependent.exists('/held')));
});

test('a mgr that is replaced in good order, under load, fails no call (SCENARIOS 80)', async (t) => {
  const stage = new Stage({ seed: 3, iods: 2, programs: 2 });
  const joined = await stage.joinAll();
  const load = { isOver: false };
  let calls = 0;
  const work = joined.flatMap((fs, program) =>
    Array.from({ length: 4 }, (_, lane) =>
      stage.begin(program, async ({ clock }) => {
        for (let i = 0; !load.isOver; i++) {
          await fs.writeFile(`/${program}-${lane}`, content, { layout: on(i % 2) });
          await fs.rename(`/${program}-${lane}`, `/${program}-${lane}-${i % 3}`);
          calls++;
          await new Promise<void>((resolve) => {
            clock.timer(20, resolve);
          });
        }
      }),
    ),
  );
  for (let round = 1; round <= 3; round++) {
    await stage.pass(500);
    stage.cluster.terminate(stage.cluster.mgr);
    await stage.world.run({ until: () => stage.cluster.generations.length > round });
  }
  await stage.pass(500);
  load.isOver = true;
  await t.notThrowsAsync(stage.settle(Promise.all(work)));
  t.true(calls > 100);
});

test('many calls on their way when their session is lost cost one new session, and nothing is done in its name twice (SCENARIOS 283, 284, 285)', async (t) => {
  const stage = new Stage({ seed: 4, iods: 2, programs: 2, sessionLeaseMs: 5_000 });
  const [fs, looker] = await stage.joinAll();
  if (!fs || !looker) throw new Error('not all have joined');
  const { world, cluster } = stage;
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(content, 0));
  let lost = 0;
  fs.session.onLost(() => lost++);
  world.network.partition('mgr', 'program0');
  const calls = Array.from({ length: 60 }, (_, i) =>
    stage.begin(0, async () => {
      if (i % 3 === 0) await fs.mkdir(`/d${i}`);
      else if (i % 3 === 1) await fs.stat('/');
      else await file.write(content, 0);
    }),
  );
  const outcomes = Promise.allSettled(calls);
  // The mgr ends the session; what was sent before comes in afterwards.
  await world.run({ until: () => cluster.store?.sessions().length === 1 });
  world.network.heal('mgr', 'program0');
  const failures = (await stage.settle(outcomes)).flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  for (const error of failures) {
    t.true(isFsError(error) && error.code === 'ESTALE', String(error));
  }
  await stage.run(0, () => fs.mkdir('/later'));
  t.is(lost, 1);
  t.is(fs.session.session.id - looker.session.session.id, 1);
  t.is(cluster.store?.sessions().length, 2);
  await t.throwsAsync(
    stage.run(0, () => file.read(Buffer.alloc(8), 0)),
    { code: 'ESTALE' },
  );
  t.is(stage.openCount, 0);
  const made = (await stage.run(1, () => looker.readdir('/'))).map(({ name }) => name);
  t.is(new Set(made).size, made.length);
  const again = await stage.run(0, () => fs.open('/f', 'r'));
  t.deepEqual(await stage.run(0, () => readAll(again, 8192)), content);
});

test('who comes back when its session has ended, and is not cleaned up yet, has lost it (SCENARIOS 282)', async (t) => {
  const stage = new Stage({ seed: 9, iods: 2, programs: 1, sessionLeaseMs: 5_000 });
  const fs = await stage.join(0);
  const { network } = stage.world;
  const { id } = fs.session.session;
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(content, 0));
  // The end of the session waits for an iod that does not hear of it.
  network.partition('program0', ['mgr', 'iod0', 'iod1']);
  network.partition('mgr', 'iod1');
  await stage.pass(limits.heartbeatSilenceMs + 5_000 + 2_000);
  t.is(stage.openCount, 1);
  network.heal('program0', ['mgr', 'iod0', 'iod1']);
  // Who asks first hears of it, and the next call is the first of a new session.
  await t.throwsAsync(
    stage.run(0, () => fs.stat('/f')),
    { code: 'ESTALE' },
  );
  await stage.run(0, () => fs.stat('/f'));
  t.not(fs.session.session.id, id);
  await t.throwsAsync(
    stage.run(0, () => file.write(content, 0)),
    { code: 'ESTALE' },
  );
  network.heal();
  await stage.pass(60_000);
  t.is(stage.openCount, 0);
});

test('a program that ends while the mgr is away is not held up by it (SCENARIOS 122)', async (t) => {
  const stage = new Stage({ seed: 5, iods: 2, programs: 2, sessionLeaseMs: 5_000 });
  const [fs, other] = await stage.joinAll();
  if (!fs || !other) throw new Error('not all have joined');
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
  await stage.run(0, () => file.write(content, 0));
  for (const how of ['killed', 'silent'] as const) {
    const leaving = how === 'killed' ? fs : other;
    if (how === 'killed') stage.cluster.mgr.kill();
    else stage.cluster.mgr.pause();
    const { tookMs } = await stage.timed(
      stage.begin(how === 'killed' ? 0 : 1, () => leaving.close()),
    );
    t.true(tookMs <= limits.connectTimeoutMs + 1_000, `${how}: ${tookMs} ms`);
    if (how === 'killed') {
      stage.cluster.mgr.start();
      await stage.untilServing(1, other);
    } else stage.cluster.mgr.resume();
  }
  await stage.pass(30_000);
  t.is(leftAtMgr(stage.cluster), '');
});

test('a client that does nothing for hours keeps its session and connections, also when a firewall drops them (SCENARIOS 120)', async (t) => {
  const stage = new Stage({ seed: 6, iods: 1, programs: 1 });
  const fs = await stage.join(0);
  const file = await stage.run(0, () => fs.open('/f', 'w+'));
  await stage.run(0, () => file.write(content, 0));
  const { id } = fs.session.session;
  await stage.pass(2 * 3_600_000);
  const work = stage.begin(0, async () => {
    await file.write(content, 0);
    await fs.stat('/f');
  });
  t.true((await stage.timed(work)).tookMs < 100);
  // Packets of what stood are dropped without a word; new connections are let through.
  stage.world.network.partition('program0', ['mgr', 'iod0']);
  await stage.pass(limits.heartbeatSilenceMs + 2_000);
  stage.world.network.heal();
  await stage.run(0, async () => {
    await file.write(content, 0);
    await fs.stat('/f');
  });
  t.is(fs.session.session.id, id);
});

test('wherever a mgr dies at the end of its window, who was missing is back with all it had, or has lost all of it (SCENARIOS 281)', async (t) => {
  const outcomes = new Set<string>();
  for (const point of ['mgr.reclaim.over', 'mgr.fence.before', 'mgr.fence.after'] as const) {
    for (const passing of [1, 2]) {
      const stage = new Stage({ seed: 8, iods: 2, programs: 2, sessionLeaseMs: 5_000 });
      const [fs, other] = await stage.joinAll();
      if (!fs || !other) throw new Error('not all have joined');
      const { world, cluster } = stage;
      const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
      await stage.run(0, async () => {
        await file.write(content, 0);
        await fs.unlink('/f');
      });
      world.network.partition('program0', 'mgr');
      cluster.mgr.restart();
      world.killAt({ point, process: 'mgr', passing, restartAfterMs: 50 });
      const begin = world.nowMs;
      await world.run({ until: () => world.kills.pending === 0 || world.nowMs > begin + 20_000 });
      world.network.heal();
      const outcome = await stage.settle(
        stage
          .begin(0, () => readAll(file, 8192))
          .then(
            (bytes) => {
              t.deepEqual(bytes, content);
              return 'back';
            },
            (error: unknown) => (isFsError(error) ? error.code : String(error)),
          ),
      );
      // A session that has ended is never let in again, also not by the mgr of after the death.
      await stage.pass(60_000);
      await stage.run(0, () => fs.stat('/'));
      const still = await stage.settle(
        stage
          .begin(0, () => readAll(file, 8192))
          .then(
            () => 'back',
            (error: unknown) => (isFsError(error) ? error.code : String(error)),
          ),
      );
      t.true(still === 'ESTALE' || outcome === 'back', `${point}: ${outcome}, then ${still}`);
      const [opens, objects] = still === 'back' ? [1, 2] : [0, 0];
      t.is(stage.openCount, opens, `${point} ${passing} ${outcome} ${still}`);
      t.is(stage.objectsAt(0).length + stage.objectsAt(1).length, objects, point);
      outcomes.add(still);
    }
  }
  t.true(outcomes.has('ESTALE'));
});

const losses = ['nothing', 'request', 'reply'] as const;

test('whatever is lost of an open and of a close, the file is open once, then not at all (SCENARIOS 162, 169)', async (t) => {
  const stage = new Stage({ seed: 7, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const { network } = stage.world;
  const losing = async <T>(what: (typeof losses)[number], work: () => Promise<T>): Promise<T> => {
    if (what === 'request') network.block('program0', 'mgr');
    if (what === 'reply') network.block('mgr', 'program0');
    const result = stage.begin(0, work);
    await stage.pass(20);
    if (what !== 'nothing') network.cut('program0', 'mgr');
    network.heal();
    return stage.settle(result);
  };
  for (const opening of losses) {
    for (const closing of losses) {
      const path = `/${opening}-${closing}`;
      const file = await losing(opening, () => fs.open(path, 'wx', { layout: overTwo }));
      t.deepEqual(
        [...(stage.cluster.store?.opens() ?? [])].map(({ handle, writers }) => [handle, writers]),
        [[file.handle, 1]],
        path,
      );
      await t.throwsAsync(
        stage.run(0, () => fs.open(path, 'wx')),
        { code: 'EEXIST' },
      );
      await losing(closing, () => file.close());
      t.is(stage.openCount, 0, path);
      await stage.pass(limits.openChangesDelayMs + 50);
      t.is(await stage.entriesAt(0), 0);
    }
  }
});
