import test from 'ava';
import { Lateness } from '../../iod/lateness.ts';
import { limits } from '../../shared/limits.ts';
import { World } from '../sim/runtime/world.ts';

test('answers to clients are late for so long, those to the mgr never', async (t) => {
  const world = new World({ seed: 1 });
  const process = world.process('iod0', { host: world.host('a'), main: () => undefined });
  const lateness = await world.complete(
    process.call((runtime) => Promise.resolve(new Lateness(runtime))),
  );
  const delays = () => [lateness.delayMs({ role: 'client' }), lateness.delayMs({ role: 'mgr' })];
  t.deepEqual(delays(), [0, 0]);
  lateness.begin(70, 10);
  await world.run({ untilMs: world.nowMs + 9_900 });
  t.deepEqual(delays(), [70, 0]);
  await world.run({ untilMs: world.nowMs + 200 });
  t.deepEqual(delays(), [0, 0]);
});

test('a wish beyond all bounds is held within them', async (t) => {
  const world = new World({ seed: 1 });
  const process = world.process('iod0', { host: world.host('a'), main: () => undefined });
  const lateness = await world.complete(
    process.call((runtime) => Promise.resolve(new Lateness(runtime))),
  );
  lateness.begin(1e9, 1e9);
  t.is(lateness.delayMs({ role: 'client' }), limits.drillDelayMaxMs);
  await world.run({ untilMs: world.nowMs + limits.drillSecondsMax * 1000 + 1 });
  t.is(lateness.delayMs({ role: 'client' }), 0);
});
