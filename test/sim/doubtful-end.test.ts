/** Found by the simulation: an end of file that an iod in trouble could not confirm. */
import test from 'ava';
import { connect } from '../../client/connect.ts';
import { Cluster, clusterUrl, secret } from './cluster.ts';

test('a hole before bytes of an iod that is down is read as zeros, not as the end', async (t) => {
  const cluster = new Cluster({ seed: 1, iods: 2, onPowerLoss: () => undefined });
  const { world } = cluster;
  const tailHolder = cluster.iods[1]?.process;
  const count = await world.complete(
    cluster
      .client('client', () => undefined)
      .call(async (runtime) => {
        const fs = await connect(clusterUrl, { runtime, key: secret, uid: 0, gid: 0 });
        const layout = { base: 0, pcount: 2, ssize: 4096 };
        const file = await fs.open('/f', 'w+', { layout });
        await file.write(Buffer.alloc(100, 1), 3 * 4096);
        world.after(0, () => tailHolder?.kill());
        world.after(1000, () => tailHolder?.start());
        await new Promise<void>((resolve) => {
          runtime.clock.timer(100, resolve);
        });
        return file.read(Buffer.alloc(10, 255), 2 * 4096);
      }),
  );
  t.is(count, 10);
});
