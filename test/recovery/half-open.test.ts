/** Connections of real processes that stand and carry nothing: a cable that was pulled. */
import test from 'ava';
import { until } from '../system/cluster-fixture.ts';
import type { FaultProxy, Rules } from './fault-proxy.ts';
import type { Routes } from './routes.ts';
import { Scene } from './scene.ts';
import { shortLimits } from './short-limits.ts';

const freeze = { kind: 'freeze' } as const;
const halfOpen: Readonly<Record<string, Partial<Rules>>> = {
  'both ways': { toServer: freeze, toClient: freeze },
  'for what is asked': { toServer: freeze },
  'for what is answered': { toClient: freeze },
};

const links: Readonly<Record<string, (routes: Routes) => FaultProxy>> = {
  'clients and the mgr': ({ mgr }) => mgr,
  'clients and an iod': (routes) => routes.iod(0),
  'iods and the mgr': ({ sync }) => sync,
};

test('half-open connections are found by their silence, made again, and what was under way is done once (SCENARIOS 111, 128, 137)', async (t) => {
  const scene = await Scene.begin(t, { limits: shortLimits, proxied: true });
  for (const [way, rules] of Object.entries(halfOpen)) {
    for (const [link, proxyOf] of Object.entries(links)) {
      t.log(`between ${link}, ${way}`);
      const proxy = proxyOf(scene.cluster.routes);
      const before = proxy.accepted;
      proxy.setStanding(rules);
      await scene.orFailure(until(() => proxy.accepted > before));
      await scene.goesOn();
    }
  }
  await scene.end();
});

test('a partition between clients and an iod, or of the mgr from all others, heals by itself (SCENARIOS 134-136, 138)', async (t) => {
  const scene = await Scene.begin(t, { limits: shortLimits, proxied: true });
  const { routes } = scene.cluster;
  for (const proxies of [[routes.iod(1)], [routes.sync, routes.mgr]]) {
    const counts = proxies.map(({ accepted }) => accepted);
    for (const proxy of proxies) proxy.set({ toServer: freeze, toClient: freeze });
    // Each has been given up, and more than one attempt to make it anew as well.
    await scene.orFailure(
      until(() => proxies.every(({ accepted }, i) => accepted > (counts[i] ?? 0) + 2)),
    );
    for (const proxy of proxies) proxy.set({});
    await scene.goesOn();
  }
  await scene.end();
});
