/** Times that a program sets on a file that it is writing. */
import test from 'ava';
import { timesOf } from '../../client/attributes.ts';
import { type LocalCluster, startLocalCluster } from './node-fs/local-cluster.ts';

let cluster: LocalCluster;
test.before(async () => {
  cluster = await startLocalCluster(2);
});
test.after.always(() => cluster.stop());

test('a time that is set after the last write is that of the file once it is closed', async (t) => {
  const { fs } = cluster;
  const file = await fs.open('/set', 'w');
  await file.write(Buffer.from('some'), 0);
  await file.setAttributes(timesOf(1, 2.5));
  await file.close();
  const { mtimeMs, atimeMs, size } = await fs.stat('/set');
  t.deepEqual({ mtimeMs, atimeMs, size }, { mtimeMs: 2500, atimeMs: 1000, size: 4 });
});

test('a write after that is the last change again', async (t) => {
  const { fs } = cluster;
  const file = await fs.open('/written', 'w');
  await file.setAttributes(timesOf(1, 2.5));
  await file.write(Buffer.from('some'), 0);
  await file.close();
  const { mtimeMs, ctimeMs } = await fs.stat('/written');
  t.true(mtimeMs > 2500 && mtimeMs <= ctimeMs);
});

test('other attributes leave the time of the last write alone', async (t) => {
  const { fs } = cluster;
  await fs.writeFile('/mode', 'old');
  await fs.setAttributes('/mode', { modified: { seconds: 2, nanoseconds: 0 } });
  const file = await fs.open('/mode', 'r+');
  await file.write(Buffer.from('some'), 0);
  await file.setAttributes({ mode: 0o600 });
  await file.close();
  const { mtimeMs, mode } = await fs.stat('/mode');
  t.true(mtimeMs > 2000);
  t.is(mode & 0o777, 0o600);
});
