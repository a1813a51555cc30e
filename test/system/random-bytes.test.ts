/** Two mounts keep the bytes of a file as a local disk does, whatever call changes them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Mounted, mountTest } from './mounted.ts';
import { randomBytes } from './random-bytes.ts';

const calls = 200;

for (const { title, options } of [
  { title: 'on two mounts in turn', options: [] },
  { title: 'on two mounts that keep pages', options: ['-o', 'keep_pages'] },
] as const) {
  mountTest(
    `random calls on bytes ${title} are answered as on a local disk`,
    async (t) => {
      const m = await Mounted.start(t, {}, options);
      const two = await Mounted.on(t, m.cluster, 'mnt2', options);
      for (const seed of [1, 2]) {
        const local = join(m.cluster.directory, `local-${seed}`);
        await mkdir(local);
        await mkdir(m.path(`${seed}`));
        const mounted = [m, two].map((one) => one.path(`${seed}`));
        await m.run('python3', '-c', randomBytes, `${seed}`, `${calls}`, local, ...mounted);
      }
      t.pass();
    },
    ['python3'],
  );
}
