/** A mount, or two in turn, answer random calls as a local disk does, and leave the same behind. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SimRandom } from '../sim/runtime/random.ts';
import { Mounted, mountTest } from './mounted.ts';
import { Caller, drawCall } from './random-calls.ts';
import { treeOf } from './tree-facts.ts';

const calls = 1500;

for (const mounts of [1, 2]) {
  const where = mounts === 1 ? 'on a mount' : 'on two mounts in turn';
  mountTest(`random calls ${where} are answered as on a local disk`, async (t) => {
    const m = await Mounted.start(t, { iods: 1 });
    const two = mounts === 1 ? m : await Mounted.on(t, m.cluster, 'mnt2');
    for (const seed of [1, 2]) {
      const random = new SimRandom(`calls ${mounts} ${seed}`);
      const local = join(m.cluster.directory, `local-${seed}`);
      await mkdir(local);
      await mkdir(join(m.directory, `${seed}`));
      const [here, there] = [new Caller(), new Caller()];
      try {
        for (let i = 0; i < calls; i++) {
          const call = drawCall(random);
          // So that either goes on for a while.
          const directory = random.chance(0.8) ? m.directory : two.directory;
          const answer = here.make(join(directory, `${seed}`), call);
          const expected = there.make(local, call);
          if (answer !== expected)
            t.is(answer, expected, `${seed}, call ${i}: ${JSON.stringify(call)}`);
        }
      } finally {
        for (const caller of [here, there]) caller.close();
      }
      const left = await treeOf(join(two.directory, `${seed}`), { times: false });
      t.deepEqual(left, await treeOf(local, { times: false }));
    }
  });
}
