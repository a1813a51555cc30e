/**
 * `kill -9` of real processes under mixed load. Every acknowledged write, append and name is in a
 * ledger, and all of it must be there at the end; of the dead nothing may be left.
 */
import test from 'ava';
import { until } from '../system/cluster-fixture.ts';
import { Scene } from './scene.ts';

/** Clients that are killed are soon forgotten. */
const sessionLeaseMs = 2000;

test.serial(
  'iods, the mgr, and both in either order, killed under load and started again: no error, nothing lost (SCENARIOS 2, 3, 6, 53-60, 65-67)',
  async (t) => {
    const scene = await Scene.begin(t, { sessionLeaseMs });
    const { mgr, iods } = scene.cluster;
    for (const daemon of [...iods, mgr]) {
      await scene.restart(daemon);
      await scene.goesOn();
    }
    const iod = scene.cluster.iod(1);
    for (const order of [
      [mgr, iod],
      [iod, mgr],
    ]) {
      for (const daemon of order) await daemon.kill();
      const launched = await Promise.all(order.map((daemon) => daemon.launch()));
      await Promise.all(launched.map(({ ready }) => ready));
      await scene.goesOn();
    }
    await scene.end();
  },
);

test.serial(
  'clients that are killed, with unlinked files open, leave nothing behind, and nobody else notices (SCENARIOS 60, 61, 105-107, 110)',
  async (t) => {
    const scene = await Scene.begin(t, { sessionLeaseMs });
    // One that goes before the mgr does, and never comes back; one that dies at a step of its own.
    const [victim] = scene.writers.running;
    await victim?.kill();
    await scene.restart(scene.cluster.mgr);
    const self = await scene.addWriter('client.write.part-acknowledged:40');
    await scene.orFailure(self.ended);
    await scene.end();
  },
);

test.serial('all clients of a cluster die at once (SCENARIOS 69, 84)', async (t) => {
  const scene = await Scene.begin(t, { sessionLeaseMs }, 3);
  await Promise.all(scene.writers.running.map((writer) => writer.kill()));
  await scene.addWriter();
  await scene.end();
});

/** An iod has died and cannot complete its sync; `whatElse` happens; then it can. */
async function whileSyncing(scene: Scene, whatElse: () => Promise<void>): Promise<void> {
  const { sync } = scene.cluster.routes;
  const iod = scene.cluster.iod(0);
  await iod.kill();
  const { accepted } = sync;
  sync.setOnce({ toClient: { kind: 'freeze' } });
  const { ready } = await iod.launch();
  await scene.orFailure(until(() => sync.accepted > accepted));
  await whatElse();
  sync.set({});
  await scene.orFailure(iod.isRunning ? ready : iod.start());
}

/** The second dies while the first recovers; both are back when it returns. */
const pairs: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async 'mgr, then mgr'({ cluster: { mgr } }) {
    await mgr.kill();
    await mgr.launch({ killPoint: 'mgr.recover.loaded' });
    await mgr.ended;
    await mgr.start();
  },
  async 'mgr, then iod'(scene) {
    const { mgr } = scene.cluster;
    const iod = scene.cluster.iod(1);
    // Its first sync is that of this start.
    await scene.restart(iod, 'iod.sync.connected:2');
    await mgr.kill();
    await mgr.start();
    await scene.orFailure(iod.ended);
    await iod.start();
  },
  async 'mgr, then client'(scene) {
    const writer = await scene.addWriter('client.reconnect.begun');
    await scene.restart(scene.cluster.mgr);
    await scene.orFailure(writer.ended);
  },
  async 'iod, then mgr'(scene) {
    await whileSyncing(scene, () => scene.restart(scene.cluster.mgr));
  },
  async 'iod, then another iod'(scene) {
    await whileSyncing(scene, () => scene.restart(scene.cluster.iod(2)));
  },
  async 'iod, then the same iod'(scene) {
    await whileSyncing(scene, async () => {
      await scene.cluster.iod(0).kill();
    });
  },
  async 'iod, then client'(scene) {
    const writer = await scene.addWriter();
    await whileSyncing(scene, () => writer.kill());
  },
  async 'client, then mgr'(scene) {
    const { mgr } = scene.cluster;
    const writer = await scene.addWriter();
    await scene.restart(mgr, 'mgr.fence.before');
    await writer.kill();
    await scene.orFailure(mgr.ended);
    await mgr.start();
  },
  async 'client, then iod'(scene) {
    const writer = await scene.addWriter();
    await writer.kill();
    await scene.restart(scene.cluster.iod(1));
  },
  async 'client, then client'(scene) {
    const writers = await Promise.all([scene.addWriter(), scene.addWriter()]);
    for (const writer of writers) await writer.kill();
  },
};

test.serial(
  'whoever dies while another recovers: every ordered pair of roles, one after another (SCENARIOS 83, 84, 86, 87)',
  async (t) => {
    const scene = await Scene.begin(t, { sessionLeaseMs, proxied: true });
    for (const [name, strike] of Object.entries(pairs)) {
      const begun = performance.now();
      await strike(scene);
      await scene.goesOn();
      t.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    }
    await scene.end();
  },
);
