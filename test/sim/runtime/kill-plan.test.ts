import test from 'ava';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { KillPlan } from './kill-plan.ts';
import { World } from './world.ts';

const point = 'iod.write.before-disk';
const later = 'iod.write.after-disk';

test('a kill strikes at its passing, of its process only, and once', (t) => {
  const plan = new KillPlan();
  plan.add([{ point, process: 'a', passing: 2 }]);
  t.deepEqual(plan.pass('a', point), []);
  t.deepEqual(plan.pass('b', point), []);
  t.deepEqual(plan.pass('a', later), []);
  t.is(plan.pass('a', point).length, 1);
  t.deepEqual(plan.pass('a', point), []);
  t.deepEqual([plan.struck, plan.pending, plan.passings(point)], [1, 0, 4]);
});

test('kills of one series follow each other; series run side by side', (t) => {
  const plan = new KillPlan();
  plan.add([{ point: later }, { point }]);
  plan.add([{ point, passing: 2 }]);
  t.is(plan.pass('a', point).length, 0, 'the first of the pair has not struck yet');
  t.is(plan.pass('a', later).length, 1);
  t.is(plan.pass('a', point).length, 2, 'the second of the pair, and the other series');
  t.is(plan.pending, 0);
});

test('each kill of a series counts its passings from when it was armed', (t) => {
  const plan = new KillPlan();
  plan.add([
    { point, passing: 2 },
    { point, passing: 2 },
  ]);
  t.deepEqual(
    [1, 2, 3, 4, 5].map(() => plan.pass('a', point).length),
    [0, 1, 0, 1, 0],
  );
});

function writer(signs: string[]) {
  return async ({ killPoint, disk, clock }: Runtime): Promise<void> => {
    const tick = (): void => {
      clock.timer(1, tick);
      try {
        killPoint(point);
        signs.push('wrote');
        killPoint(later);
      } finally {
        clock.timer(0, () => signs.push('finally'));
      }
    };
    await disk.stat('/');
    tick();
  };
}

test('a process that is killed at a point does not get past it, nor leave anything behind', async (t) => {
  const world = new World({ seed: 1 });
  const signs: string[] = [];
  const process = world.process('p', { host: world.host('a'), main: writer(signs) });
  world.killAt({ point, passing: 3 });
  await world.run({ untilMs: 100 });
  t.false(process.alive);
  t.is(signs.filter((sign) => sign === 'wrote').length, 2);
  t.true(signs.filter((sign) => sign === 'finally').length <= 2);
  t.is(world.kills.struck, 1);
});

test('a kill in a promise chain leaves no failure behind', async (t) => {
  const world = new World({ seed: 1 });
  let after = false;
  world.process('p', {
    host: world.host('a'),
    main: ({ killPoint, disk }) => {
      const chain = async (): Promise<void> => {
        await disk.stat('/');
        killPoint(point);
        after = true;
      };
      void chain();
    },
  });
  world.killAt({ point });
  await world.run({ untilMs: 100 });
  t.is(world.kills.struck, 1);
  t.false(after);
});

test('code that goes on after its kill has no effect', async (t) => {
  const world = new World({ seed: 1 });
  let wentOn = false;
  world.process('p', {
    host: world.host('a'),
    main: ({ killPoint, log, disk, clock }) => {
      try {
        killPoint(point);
      } catch {
        wentOn = true;
        log.info('alive');
        clock.timer(0, () => t.fail());
        clock.defer(() => t.fail());
        void disk.open('/f', 'create').then(() => t.fail());
      }
    },
  });
  world.killAt({ point });
  await world.run({ untilMs: 100 });
  t.true(wentOn);
  t.deepEqual(world.log.lines, []);
  t.deepEqual(world.host('a').disk.list('/'), []);
});

test('pairs: the one that passes and another die, and come back', async (t) => {
  const world = new World({ seed: 1 });
  const a = world.process('a', { host: world.host('a'), main: writer([]) });
  const b = world.process('b', { host: world.host('b'), main: () => undefined });
  const c = world.process('c', { host: world.host('c'), main: () => undefined });
  world.killAt(
    { point, victims: ['a', 'b'], restartAfterMs: 5 },
    { point, passing: 2, victims: ['c'], powerLoss: true, restartAfterMs: 5 },
  );
  await world.run({ until: () => world.kills.struck === 1 });
  t.deepEqual([a.alive, b.alive, c.alive], [false, false, true]);
  await world.run({ until: () => world.kills.struck === 2 });
  t.deepEqual([a.alive, b.alive, c.alive, world.host('c').isUp], [true, true, false, false]);
  await world.run({ untilMs: 100 });
  t.deepEqual([a.starts, b.starts, c.starts], [2, 2, 2]);
  t.is(world.host('c').bootId, 'c boot 2');
});
