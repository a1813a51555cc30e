import test from 'ava';
import { QuickCalls } from '../../../shared/runtime/node/quick-calls.ts';

/** Calls that take the time they are told; counts those that are made at once. */
class Scene {
  now = 0;
  made = 0;
  readonly calls = new QuickCalls(() => this.now);

  run(takesMs: number, bytes = 4096): number {
    return this.calls.run(bytes, () => {
      this.made++;
      this.now += takesMs;
      return bytes;
    });
  }

  /** @returns how many calls of the pool pass until one is made at once again */
  untilNext(takesMs: number): number {
    for (let pooled = 0; ; pooled++) if (this.run(takesMs) > 0) return pooled;
  }
}

test('calls are made at once as long as they are quick', (t) => {
  const scene = new Scene();
  for (let i = 0; i < 100; i++) t.is(scene.run(0.01), 4096);
  t.is(scene.made, 100);
});

test('after a slow call the pool takes over for a while', (t) => {
  const scene = new Scene();
  t.is(scene.run(5), 4096);
  t.is(scene.untilNext(0.01), 16);
  t.is(scene.run(0.01), 4096);
});

test('the while doubles with each slow call that follows another, up to a bound', (t) => {
  const scene = new Scene();
  scene.run(5);
  const whiles = Array.from({ length: 11 }, () => scene.untilNext(5));
  t.deepEqual(whiles, [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096]);
});

test('a quick call makes up for the slow ones before it', (t) => {
  const scene = new Scene();
  scene.run(5);
  scene.untilNext(5);
  scene.untilNext(0.01);
  scene.run(5);
  t.is(scene.untilNext(0.01), 16);
});

test('large calls always go to the pool', (t) => {
  const scene = new Scene();
  t.is(scene.run(0.01, 256 * 1024), 256 * 1024);
  t.is(scene.run(0.01, 256 * 1024 + 1), 0);
  t.is(scene.made, 1);
});
