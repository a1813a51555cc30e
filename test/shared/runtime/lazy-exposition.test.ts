import { createRequire } from 'node:module';
import test from 'ava';
import type { Expose } from '../../../shared/metrics/readings.ts';
import { lazyExposition } from '../../../shared/runtime/node/lazy-exposition.ts';

const { cache } = createRequire(import.meta.url);
const isLoaded = (): boolean => Object.keys(cache).some((path) => path.includes('/prom-client/'));

test('what writes metrics is loaded at the first scrape, not before', async (t) => {
  const expose = lazyExposition();
  t.false(isLoaded());
  const readings = { weftfs_generation: 7 } as Parameters<Expose>[0];
  const bodies = await Promise.all([expose(readings), expose(readings)]);
  t.true(isLoaded());
  for (const { body } of bodies) t.regex(body, /^weftfs_generation 7$/m);
});
