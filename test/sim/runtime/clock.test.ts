import test from 'ava';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import { World } from './world.ts';

function clockOf(world: World, host: string): Promise<Clock> {
  const process = world.process(`on ${host}`, { host: world.host(host), main: () => undefined });
  return world.complete(process.call(({ clock }) => clock));
}

test('a timer never comes early, whatever the clock does meanwhile (SCENARIOS 235)', async (t) => {
  const world = new World({ seed: 1 });
  const clock = await clockOf(world, 'a');
  const rates = [0.5, 1.001, 2, 0.9];
  rates.forEach((rate, i) => world.after(i * 3, () => world.host('a').clock.setRate(rate)));
  const lateBy: number[] = [];
  for (let delayMs = 0; delayMs < 40; delayMs++) {
    const dueMs = clock.now() + delayMs;
    clock.timer(delayMs, () => lateBy.push(clock.now() - dueMs));
  }
  await world.run({ until: () => lateBy.length === 40 });
  t.true(
    lateBy.every((late) => late >= 0 && late < 30),
    String(lateBy),
  );
});

test('a timer counts by the clock of its host', async (t) => {
  const world = new World({ seed: 1 });
  const clock = await clockOf(world, 'a');
  world.host('a').clock.setRate(2);
  let firedMs = 0;
  clock.timer(1000, () => (firedMs = world.nowMs));
  await world.run({ until: () => firedMs > 0 });
  t.true(firedMs >= 500 && firedMs < 502, String(firedMs));
});

test('a cancelled timer does not fire', async (t) => {
  const world = new World({ seed: 1 });
  const clock = await clockOf(world, 'a');
  const timer = clock.timer(5, () => t.fail());
  clock.timer(1, () => timer.cancel());
  await world.run({ untilMs: 100 });
  timer.cancel();
  t.is(world.nowMs, 100);
});

test('wall time jumps and monotonic time does not (SCENARIOS 230)', async (t) => {
  const world = new World({ seed: 1 });
  const clock = await clockOf(world, 'a');
  const before = { now: clock.now(), wall: clock.wall() };
  world.host('a').clock.jumpWall(-3_600_000);
  t.is(clock.wall().seconds, before.wall.seconds - 3600);
  t.is(clock.now(), before.now);
  t.true(clock.wall().nanoseconds >= 0 && clock.wall().nanoseconds < 1e9);
});

test('hosts have monotonic clocks of their own, and one may run faster', async (t) => {
  const world = new World({ seed: 1 });
  const [a, b] = [await clockOf(world, 'a'), await clockOf(world, 'b')];
  t.not(a.now(), b.now());
  const [aStart, bStart, startMs] = [a.now(), b.now(), world.nowMs];
  world.host('b').clock.setRate(1.5);
  await world.run({ untilMs: startMs + 1000 });
  t.true(Math.abs(a.now() - aStart - 1000) < 1e-6);
  t.true(Math.abs(b.now() - bStart - 1500) < 1e-6);
});

test('what is deferred in one event runs when that event is over, promises included', async (t) => {
  const world = new World({ seed: 1 });
  const clock = await clockOf(world, 'a');
  const ran: string[] = [];
  clock.timer(1, () => {
    clock.defer(() => ran.push('deferred'));
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => ran.push('promise'));
    ran.push('event');
  });
  await world.run({ untilMs: 10 });
  t.deepEqual(ran, ['event', 'promise', 'deferred']);
});
