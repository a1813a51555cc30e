import test from 'ava';
import { connect } from '../../client/connect.ts';
import { clusterDirectory, up, weft } from './cli-runner.ts';

test('an iod is evicted by its name, serves nobody, and is back when it is admitted (SCENARIOS 18)', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '2', '--small-file-bytes', '0');
  const fs = await connect(url);
  t.teardown(() => fs.close());
  for (const base of [0, 1]) {
    await fs.writeFile(`/f${base}`, `on ${base}`, { layout: { base, pcount: 1 } });
  }
  const iod = (...words: string[]) => weft({ url }, 'iod', ...words, '--json');
  const evicted = await iod('evict', 'iod1');
  t.is(evicted.code, 0, evicted.stderr);
  t.like(JSON.parse(evicted.stdout), { action: 'evict', iod: 'iod1', state: 'evicted' });
  t.is((await fs.readFile('/f0')).toString(), 'on 0');
  await t.throwsAsync(fs.readFile('/f1', { deadlineMs: 1_000 }), { code: 'ETIMEDOUT' });
  t.regex((await weft({ url }, 'status')).stdout, /iod1.*evicted/);

  const admitted = await iod('admit', 'iod1');
  t.like(JSON.parse(admitted.stdout), { action: 'admit', iod: 'iod1', state: 'absent' });
  t.is((await weft({}, 'up', '--data', dataDir, '--detach', '--json')).code, 0);
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
