/** Very many clients at once: that come back together, that do not read, that held very much. */
import test from 'ava';
import { connect } from '../../client/connect.ts';
import type { File } from '../../client/file.ts';
import type { FileSystem } from '../../client/file-system.ts';
import { clusterUrl, mgrPort, secret } from './cluster.ts';
import { leftAtMgr } from './checkers.ts';
import { on, Stage } from './stage.ts';

const listener = `tcp:${mgrPort}`;

test('a thousand clients whose mgr is back are all back soon, and not at one moment (SCENARIOS 97, 157)', async (t) => {
  const stage = new Stage({ seed: 1, iods: 1, programs: 20 });
  const { mgr, world } = stage.cluster;
  const perProgram = 50;
  const joined: FileSystem[] = [];
  for (const program of stage.programs.keys()) {
    await stage.run(program, async (runtime) => {
      for (let i = 0; i < perProgram; i++) {
        joined.push(await connect(clusterUrl, { runtime, key: secret, uid: 0, gid: 0 }));
      }
    });
  }
  t.is(joined.length, 1_000);
  const backAt: number[] = [];
  for (const fs of joined) {
    fs.session.onContact((reason) => {
      if (reason === undefined) backAt.push(world.nowMs);
    });
  }
  stage.bounce(mgr, 3_000);
  await world.run({ until: () => !mgr.alive });
  await world.run({ until: () => mgr.alive });
  const { nowMs } = world;
  await world.run({ until: () => backAt.length >= joined.length });
  t.true(world.nowMs - nowMs < 2_000, `the last was back after ${world.nowMs - nowMs} ms`);
  const moments = new Set(backAt.map((ms) => Math.floor((ms - nowMs) / 10)));
  t.true(moments.size >= 10, `they came back in ${moments.size} moments of 10 ms`);
  t.is(mgr.host.listeners.get(listener)?.channels.size, 1_000 + 1);
  t.is(stage.cluster.store?.sessions().length, 1_000);
});

test('sixty-four iods and a thousand clients, all cut off at once, are all back, and nobody gets an error (SCENARIOS 40, 97)', async (t) => {
  const iods = 64;
  const stage = new Stage({ seed: 3, iods, programs: 20 });
  const { world } = stage;
  const calls: { readonly program: number; readonly file: File; readonly byte: number }[] = [];
  for (const program of stage.programs.keys()) {
    await stage.run(program, async (runtime) => {
      for (let i = 0; i < 50; i++) {
        const fs = await connect(clusterUrl, { runtime, key: secret, uid: 0, gid: 0 });
        const byte = calls.length % 251;
        const layout = on(calls.length % iods);
        const file = await fs.open(`/f${calls.length}`, 'w+', { layout });
        await file.write(Buffer.alloc(100, byte), 0);
        calls.push({ program, file, byte });
      }
    });
  }
  t.is(calls.length, 1_000);
  for (const { process } of stage.cluster.iods) stage.bounce(process, 1_000);
  stage.bounce(stage.cluster.mgr, 1_000);
  await stage.pass(500);
  const { nowMs } = world;
  const waiting = calls.map(({ program, file, byte }) =>
    stage.begin(program, async () => {
      await file.write(Buffer.alloc(100, byte), 100);
      const into = Buffer.alloc(200);
      t.is(await file.read(into, 0), 200);
      return into.equals(Buffer.alloc(200, byte));
    }),
  );
  const outcomes = await stage.settle(Promise.all(waiting));
  t.true(outcomes.every((isRight) => isRight));
  t.true(world.nowMs - nowMs < 10_000, `it took ${world.nowMs - nowMs} ms`);
  t.is(stage.cluster.store?.sessions().length, 1_000);
  t.is(stage.openCount, 1_000);
});

test('a hundred clients that do not take their answers delay nobody, and keep nobody busy (SCENARIOS 133)', async (t) => {
  const stage = new Stage({ seed: 2, iods: 1, programs: 101 });
  const { world } = stage;
  const fs = await stage.join(0);
  await stage.run(0, () => fs.writeFile('/f', Buffer.alloc(1 << 20, 1), { layout: on(0) }));
  const idleSteps = async (): Promise<number> => {
    const { steps } = world;
    await stage.pass(2_000);
    return world.steps - steps;
  };
  for (let program = 1; program <= 100; program++) {
    const slow = await stage.join(program);
    const file = await stage.run(program, () => slow.open('/f', 'r'));
    await stage.run(program, () => file.read(Buffer.alloc(1), 0));
    const reading = stage.begin(program, () => file.read(Buffer.alloc(1 << 20), 0));
    reading.catch(() => undefined);
    stage.program(program).pause();
  }
  const { tookMs } = await stage.timed(stage.begin(0, () => fs.readFile('/f')));
  t.true(tookMs < 500, `a read took ${tookMs} ms`);
  // Heartbeats of a hundred connections to two daemons, and nothing that tries again and again.
  const steps = await idleSteps();
  t.true(steps < 2_500, `${steps} steps in 2 s`);
});

test('a client with very many files open dies: all are freed, and the mgr answers meanwhile (SCENARIOS 188)', async (t) => {
  const stage = new Stage({ seed: 3, iods: 2, programs: 2, sessionLeaseMs: 5_000 });
  const [fs, other] = await stage.joinAll();
  if (!fs || !other) throw new Error('not all have joined');
  const files = 30_000;
  await stage.run(0, async () => {
    for (let i = 0; i < files; i += 500) {
      const some = Array.from({ length: 500 }, (_, k) => fs.open(`/${i + k}`, 'w'));
      await Promise.all(some);
    }
  });
  t.is(stage.openCount, files);
  stage.program(0).kill();
  let slowestMs = 0;
  const left = (): number => (stage.cluster.store?.sessions().length === 1 ? stage.openCount : 1);
  for (let i = 0; left() > 0 && i < 1_000; i++) {
    const { tookMs } = await stage.timed(stage.begin(1, () => other.chmod('/', 0o755)));
    slowestMs = Math.max(slowestMs, tookMs);
    await stage.pass(100);
  }
  t.is(left(), 0);
  t.true(slowestMs < 500, `a call took ${slowestMs} ms`);
  await stage.pass(1_000);
  t.is(await stage.entriesAt(0), 0);
  t.is(await stage.entriesAt(1), 0);
  t.not(leftAtMgr(stage.cluster), '');
});
