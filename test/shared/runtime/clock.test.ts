import test from 'ava';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { makeClock } from '../../../shared/runtime/clock.ts';
import { makeRandom } from '../../../shared/runtime/node/random.ts';
import { loaderWords, moduleUrl } from '../../../scripts/project.ts';

const clock = makeClock();

test('a timer never fires early', async (t) => {
  const delays = [0, 0.4, 1, 1.5, 2, 3.7, 10, 20.2];
  await Promise.all(
    delays.map(async (delayMs) => {
      const begin = clock.now();
      await new Promise<void>((resolve) => clock.timer(delayMs, resolve));
      t.true(clock.now() - begin >= delayMs);
    }),
  );
});

test('a cancelled timer does not fire; cancelling twice, or late, is fine', async (t) => {
  const cancelled = clock.timer(1, () => t.fail());
  cancelled.cancel();
  cancelled.cancel();
  await new Promise<void>((resolve) => {
    const timer = clock.timer(5, () => {
      timer.cancel();
      resolve();
    });
  });
  t.pass();
});

test('a timer longer than Node can count does not fire at once', async (t) => {
  const long = clock.timer(2 ** 40, () => t.fail());
  await new Promise<void>((resolve) => clock.timer(5, resolve));
  long.cancel();
  t.pass();
});

test('deferred functions run in order, after the tick, before a later timer', async (t) => {
  const seen: string[] = [];
  clock.defer(() => {
    seen.push('first');
    clock.defer(() => seen.push('deferred within'));
    setImmediate(() => seen.push('next round'));
  });
  clock.defer(() => seen.push('second'));
  await Promise.resolve().then(() => seen.push('promise'));
  process.nextTick(() => seen.push('tick'));
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  t.deepEqual(seen, ['promise', 'tick', 'first', 'second', 'deferred within', 'next round']);
});

test('a deferred function that throws is an uncaught exception, and the others still run', async (t) => {
  const module = moduleUrl('shared/runtime/clock.ts');
  const script = `
    import { makeClock } from ${JSON.stringify(module)};
    process.on('uncaughtException', (error) => console.log('uncaught ' + error.message));
    const clock = makeClock();
    clock.defer(() => { throw new Error('one'); });
    clock.defer(() => console.log('runs'));
    clock.defer(() => { throw new Error('two'); });
    clock.defer(() => clock.defer(() => console.log('runs later')));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...loaderWords,
    '--input-type=module',
    '-e',
    script,
  ]);
  t.deepEqual(stdout.trim().split('\n'), ['runs', 'runs later', 'uncaught one', 'uncaught two']);
});

test('wall time is a time stamp of now', (t) => {
  const before = Date.now();
  const { seconds, nanoseconds } = clock.wall();
  t.true(Number.isInteger(seconds) && Number.isInteger(nanoseconds));
  t.true(nanoseconds >= 0 && nanoseconds < 1e9);
  const ms = seconds * 1000 + nanoseconds / 1e6;
  t.true(ms >= before && ms <= Date.now());
});

test('fractions are in [0, 1), bytes are as many as asked and differ', (t) => {
  const random = makeRandom();
  for (let i = 0; i < 100; i++) {
    const fraction = random.fraction();
    t.true(fraction >= 0 && fraction < 1);
  }
  t.is(random.bytes(0).length, 0);
  t.is(random.bytes(32).length, 32);
  t.notDeepEqual(random.bytes(32), random.bytes(32));
});
