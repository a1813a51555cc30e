/**
 * `SIGSTOP` of real processes under mixed load, for longer than whatever waits for them, and
 * `SIGCONT`: they wake up in a world that has gone on without them.
 */
import test from 'ava';
import { until } from '../system/cluster-fixture.ts';
import { Scene } from './scene.ts';
import { patientLimits, shortLimits } from './short-limits.ts';

const wish = { limits: shortLimits };
const longestMs = Math.max(...Object.values(patientLimits));

test.serial(
  'an iod that is stopped for longer than its lease finds it over, syncs, and serves on (SCENARIOS 20, 113, 233)',
  async (t) => {
    const scene = await Scene.begin(t, wish);
    const fs = await scene.cluster.connect();
    const iod = scene.cluster.iod(1);
    iod.signal('SIGSTOP');
    await scene.orFailure(
      until(async () => ((await fs.members())[1]?.silentMs ?? 0) > shortLimits.iodLeaseAtMgrMs),
    );
    t.is((await fs.members())[1]?.state, 'absent');
    iod.signal('SIGCONT');
    await scene.goesOn();
    t.is((await fs.members())[1]?.state, 'serving');
    await fs.close();
    await scene.end();
  },
);

test.serial(
  'a mgr that is stopped for longer than every timeout ends nobody for its own absence (SCENARIOS 78, 136, 233, 234)',
  async (t) => {
    const scene = await Scene.begin(t, { limits: patientLimits });
    const { mgr } = scene.cluster;
    mgr.signal('SIGSTOP');
    await scene.orFailure(until(() => scene.writers.silentMs > longestMs));
    mgr.signal('SIGCONT');
    await scene.goesOn();
    await scene.end();
  },
);

test.serial(
  'a client that is stopped for longer than its lease has lost its session, and nobody else anything (SCENARIOS 112-114)',
  async (t) => {
    const scene = await Scene.begin(t, wish);
    const fs = await scene.cluster.connect();
    const [writer] = scene.writers.running;
    if (writer === undefined) throw new Error('two are at work');
    writer.mayEnd = true;
    writer.child.kill('SIGSTOP');
    await scene.orFailure(until(async () => (await fs.status()).sessions === 2));
    writer.child.kill('SIGCONT');
    await scene.orFailure(writer.ended);
    t.is(writer.failure?.id, 'WEFT_E_SESSION_LOST');
    await fs.close();
    await scene.end();
  },
);
