/** One that is slow, or syncs, or is dead: what that means for files and for everybody else. */
import { dirname } from 'node:path';
import test from 'ava';
import { objectPath } from '../../iod/storage/object-paths.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { on, overTwo, readAll, Stage } from './stage.ts';

const stripes = Buffer.alloc(8192, 1);

test('a file that is cut or made longer while one of its iods syncs has one length and content everywhere (SCENARIOS 287)', async (t) => {
  const points = [
    'iod.sync.connected',
    'iod.sync.snapshot-begun',
    'iod.sync.before-swap',
    'iod.sync.after-swap',
    'iod.listen.before',
  ] as const;
  for (const size of [10, 5000, 20_000]) {
    for (const point of points) {
      const stage = new Stage({ seed: 1, iods: 2, programs: 2 });
      const [fs, other] = await stage.joinAll();
      if (!fs || !other) throw new Error('not all have joined');
      const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: overTwo }));
      await stage.run(0, () => file.write(stripes, 0));
      const iod = stage.iod(1).process;
      iod.kill();
      // It comes as far as this, and begins anew.
      stage.world.killAt({ process: 'iod1', point, restartAfterMs: 100 });
      stage.world.after(50, () => {
        iod.start();
      });
      await stage.run(0, () => file.truncate(size));
      await stage.untilServing(0, fs);
      const content = Buffer.concat([stripes, Buffer.alloc(20_000)]).subarray(0, size);
      const held = await stage.run(1, () => other.open('/f', 'r'));
      t.deepEqual(await stage.run(1, () => readAll(held, 30_000)), content, `${point}, ${size}`);
      t.is((await stage.run(1, () => held.stat())).size, size);
      await stage.run(0, () => file.close());
      t.is((await stage.run(0, () => fs.stat('/f'))).size, size);
    }
  }
});

test('an iod whose disk takes a second for everything is slow, and neither dead nor in the way of others (SCENARIOS 224)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 2, programs: 1 });
  const fs = await stage.join(0);
  const [slow, quick] = await stage.run(0, async () => [
    await fs.open('/slow', 'w+', { layout: on(0) }),
    await fs.open('/quick', 'w+', { layout: on(1) }),
  ]);
  if (!slow || !quick) throw new Error('not all are open');
  await stage.untilServing(0, fs);
  const { members } = await stage.status(0, fs);
  stage.iod(0).host.disk.latencyMs = [1000, 1000];
  const writing = stage.begin(0, async () => {
    for (let at = 0; at < 30; at++) await slow.write(stripes, at * stripes.length);
    await slow.sync();
  });
  for (let at = 0; at < 30; at++) {
    const { tookMs } = await stage.timed(stage.begin(0, () => quick.write(stripes, 0)));
    t.true(tookMs < 50, `${tookMs} ms`);
    await stage.run(0, () => quick.sync());
    await stage.pass(1_000);
  }
  const { tookMs } = await stage.timed(writing);
  t.true(tookMs < limits.callDeadlineDefaultMs);
  const after = await stage.status(0, fs);
  const lives = (list: typeof members) => list.map((one) => `${one.state} ${one.incarnation}`);
  t.deepEqual(lives(after.members), lives(members));
});

test('an object of which the mgr knows nothing is neither served nor removed when its iod joins (SCENARIOS 46)', async (t) => {
  const stage = new Stage({ seed: 3, iods: 1, programs: 1 });
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', stripes, { layout: on(0), sync: true }));
  const { ino } = await stage.run(0, () => fs.stat('/f'));
  const { host, process } = stage.iod(0);
  process.kill();
  // As if it were of a store that the mgr has had before.
  const stranger = (ino + 1_000_000) as Handle;
  const path = objectPath('/data/objects', stranger);
  const visitor = stage.world.process('visitor', { host, main: () => undefined });
  const copying = visitor.call(async ({ disk }) => {
    await disk.makeDirectory(dirname(path));
    const file = await disk.open(path, 'create');
    await file.write([stripes], 0);
    await file.close();
  });
  await stage.settle(copying);
  process.start();
  await stage.untilServing(0, fs);
  await stage.pass(60_000);
  t.deepEqual(stage.objectsAt(0), [ino, stranger]);
  t.deepEqual(await stage.run(0, () => fs.readFile('/f')), stripes);
});

test('an iod that dies with tens of thousands of requests waiting for it is back as soon as with none (SCENARIOS 239)', async (t) => {
  const programs = 15;
  const stage = new Stage({ seed: 4, iods: 2, programs });
  const all = await stage.joinAll();
  const [fs] = all;
  if (!fs) throw new Error('nobody has joined');
  const file = await stage.run(0, () => fs.open('/f', 'w+', { layout: on(0) }));
  await stage.untilServing(0, fs);
  const { process } = stage.iod(0);
  process.pause();
  const each = limits.requestsInFlightPerPeerMax - 96;
  const asking = all.map((one, program) =>
    stage.begin(program, () => Promise.all(Array.from({ length: each }, () => one.stat('/f')))),
  );
  await stage.pass(500);
  t.is(programs * each, 60_000);
  process.kill();
  process.start();
  const { nowMs } = stage.world;
  await stage.untilServing(0, fs);
  t.true(stage.world.nowMs - nowMs < 1_000, `${stage.world.nowMs - nowMs} ms`);
  for (const answers of await stage.settle(Promise.all(asking))) t.is(answers.length, each);
  await stage.run(0, () => file.close());
});

test('a client that is stopped while it watches delays no other that does (SCENARIOS 243)', async (t) => {
  const stage = new Stage({ seed: 5, iods: 1, programs: 3 });
  const [writer, ...watchers] = await stage.joinAll();
  if (!writer) throw new Error('nobody has joined');
  await stage.run(0, () => writer.mkdir('/d'));
  const heard: number[] = [];
  for (const [i, watcher] of watchers.entries()) {
    await stage.run(i + 1, async ({ clock }) => {
      const { ino } = await watcher.stat('/d');
      const target = { handle: ino as Handle, recursive: false };
      const deadline = clock.now() + 60_000;
      await watcher.session.watch(target, () => heard.push(i), { deadline });
    });
  }
  stage.program(1).pause();
  for (let made = 0; made < 200; made++) {
    await stage.run(0, () => writer.symlink('x', `/d/${made}`));
    await stage.pass(5);
    t.is(heard.length, made + 1);
  }
  t.deepEqual([...new Set(heard)], [1]);
});
