import test from 'ava';
import { QuickCalls } from '../../../shared/runtime/node/quick-calls.ts';

/** Calls that take the time they are told; counts those that are made at once. */
class Scene {
  now = 0;
  made = 0;
  sleeps = 0;
  readonly calls = new QuickCalls({ now: () => this.now, sleeps: () => this.sleeps });

  run(takesMs: number, { bytes = 4096, sleeps = 1 } = {}): number {
    return this.calls.run(bytes, () => {
      this.made++;
      this.now += takesMs;
      this.sleeps += sleeps;
      return bytes;
    });
  }

  /** @returns how many calls of the pool pass until one is made at once again */
  untilNext(takesMs: number): number {
    for (let pooled = 0; ; pooled++) if (this.run(takesMs) > 0) return pooled;
  }
}

/** A call that needs its processor for a while. */
function busy(): number {
  const end = performance.now() + 1;
  while (performance.now() < end);
  return 1;
}

test('calls are made at once as long as they are quick', (t) => {
  const scene = new Scene();
  for (let i = 0; i < 100; i++) t.is(scene.run(0.01), 4096);
  t.is(scene.made, 100);
});

test('after two slow calls the pool takes over for a while', (t) => {
  const scene = new Scene();
  t.is(scene.run(5), 4096);
  t.is(scene.run(0.01), 4096);
  t.is(scene.run(5), 4096);
  t.is(scene.untilNext(0.01), 16);
  t.is(scene.run(0.01), 4096);
});

test('a slow call of which nobody knows whether it slept counts for nothing', (t) => {
  const scene = new Scene();
  for (let i = 0; i < 5; i++) {
    t.is(scene.run(5), 4096);
    for (let quick = 0; quick < 64; quick++) t.is(scene.run(0.01), 4096);
  }
  scene.run(5);
  for (let quick = 0; quick < 63; quick++) t.is(scene.run(0.01), 4096);
  t.is(scene.run(5), 4096);
  t.is(scene.run(5), 0);
});

test('nobody is asked how often he slept while all are quick', (t) => {
  let asked = 0;
  const sleeps = () => asked++;
  let now = 0;
  const calls = new QuickCalls({ now: () => now, sleeps });
  for (let i = 0; i < 100; i++) calls.run(1, () => (now += 0.1));
  t.is(asked, 0);
  calls.run(1, () => (now += 5));
  for (let i = 0; i < 100; i++) calls.run(1, () => (now += 0.1));
  t.is(asked, 64);
});

test('the while doubles with each slow call that follows another, up to a bound', (t) => {
  const scene = new Scene();
  scene.run(5);
  scene.run(5);
  const whiles = Array.from({ length: 11 }, () => scene.untilNext(5));
  t.deepEqual(whiles, [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096]);
});

test('a quick call makes up for the slow ones before it', (t) => {
  const scene = new Scene();
  scene.run(5);
  scene.run(5);
  scene.untilNext(5);
  scene.untilNext(0.01);
  scene.run(5);
  t.is(scene.untilNext(0.01), 16);
});

test('a call that only others have kept from its processor was not slow, and not quick either', (t) => {
  const scene = new Scene();
  for (let i = 0; i < 10; i++) t.is(scene.run(5, { sleeps: 0 }), 4096);
  scene.run(5);
  t.is(scene.untilNext(5), 16);
  t.is(scene.untilNext(5), 32);
  t.is(scene.untilNext(5), 64);
  const keptOff = new Scene();
  keptOff.run(5);
  keptOff.run(5);
  for (let i = 0; i < 16; i++) keptOff.run(5);
  t.is(keptOff.run(5, { sleeps: 0 }), 4096);
  t.is(keptOff.run(5), 4096);
  t.is(keptOff.untilNext(0.01), 32);
});

test('the clock of the system counts who sleeps, and not who is busy', (t) => {
  const calls = new QuickCalls();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const asleep = (): number => (Atomics.wait(cell, 0, 0, 2) === 'timed-out' ? 1 : 0);
  t.is(calls.run(1, asleep), 1);
  t.is(calls.run(1, asleep), 1);
  for (let i = 0; i < 16; i++) t.is(calls.run(1, busy), 0);
  t.is(calls.run(1, busy), 1);
});

test('large calls always go to the pool', (t) => {
  const scene = new Scene();
  t.is(scene.run(0.01, { bytes: 256 * 1024 }), 256 * 1024);
  t.is(scene.run(0.01, { bytes: 256 * 1024 + 1 }), 0);
  t.is(scene.made, 1);
});
