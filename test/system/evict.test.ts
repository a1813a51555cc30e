import test from 'ava';
import { TestCluster } from './cluster-fixture.ts';

/** An iod that comes back waits until the one before it can serve nobody: a fifth of the real wait. */
const limits = { iodLeaseMs: 6_000, iodLeaseAtMgrMs: 7_200 };

test('an iod is evicted by its name, serves nobody, and is back when it is admitted (SCENARIOS 18)', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2, limits });
  const fs = await cluster.connect();
  for (const base of [0, 1]) {
    await fs.writeFile(`/f${base}`, `on ${base}`, { layout: { base, pcount: 1 } });
  }
  const iod = (...words: string[]) => cluster.weft('iod', ...words, '--json');
  const evicted = await iod('evict', 'iod1');
  t.is(evicted.code, 0, evicted.stderr);
  t.like(JSON.parse(evicted.stdout), { action: 'evict', iod: 'iod1', state: 'evicted' });
  t.is((await fs.readFile('/f0')).toString(), 'on 0');
  await t.throwsAsync(fs.readFile('/f1', { deadlineMs: 1_000 }), { code: 'ETIMEDOUT' });
  t.regex((await cluster.weft('status')).stdout, /iod1.*evicted/);
  // It has ended by itself, and its supervisor has nothing to start before it is admitted.
  await cluster.iod(1).ended;
  await t.throwsAsync(cluster.iod(1).start(), { message: /iod1 has been evicted/ });

  const admitted = await iod('admit', 'iod1');
  t.like(JSON.parse(admitted.stdout), { action: 'admit', iod: 'iod1', state: 'absent' });
  await cluster.iod(1).start();
  t.is((await fs.readFile('/f1')).toString(), 'on 1');

  for (const words of [
    ['evict'],
    ['evict', 'iod9'],
    ['remove', 'iod1'],
    ['evict', 'iod0', 'iod1'],
  ]) {
    const { code, stderr, stdout } = await iod(...words);
    t.is(code, 2, `${words.join(' ')}: ${stderr}${stdout}`);
  }
});
