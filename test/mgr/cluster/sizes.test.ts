import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { localLength } from '../../../shared/stripe.ts';
import type { AskedSize } from '../../../mgr/cluster-port.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

const ssize = 4096;

function ask(cluster: ClusterWorld, ...handles: readonly number[]): Promise<AskedSize[]> {
  return cluster.inMgr(({ cluster: port }) =>
    Promise.all(handles.map((handle) => port.askSize(fileOn(handle)))),
  );
}

test('a size is the greatest end over all columns, its time the latest', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).lengths.set(10, ssize);
  cluster.iod(1).lengths.set(10, 10);
  const [asked] = await ask(cluster, 10);
  const modified = { seconds: 10, nanoseconds: 0 };
  t.deepEqual(asked, { size: ssize + 10, allocated: ssize + 10, modified, exact: true });
});

test('a file without objects has no bytes', async (t) => {
  const cluster = await new ClusterWorld().started();
  t.like((await ask(cluster, 10))[0], { size: 0, exact: true });
});

test('sizes of files with holes are exact up to the largest file', async (t) => {
  const cluster = await new ClusterWorld().started();
  const { layout } = fileOn(10);
  if (layout === undefined) throw new Error('files have layouts');
  const sizes = [1, ssize, ssize + 1, 2 ** 32 + 1, 2 ** 52, limits.fileBytesMax - 1];
  for (const size of [...sizes, limits.fileBytesMax]) {
    // Only the column of the last byte has an object: all before it is a hole.
    for (const column of [0, 1]) {
      const before = localLength(layout, column, size - 1);
      const length = localLength(layout, column, size);
      cluster.iod(column).lengths.set(10, length > before ? length : 0);
    }
    t.like((await ask(cluster, 10))[0], { size, exact: true }, String(size));
  }
});

test('a length that no file can have makes the size inexact, not wrong', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).lengths.set(10, limits.fileBytesMax);
  cluster.iod(1).lengths.set(10, 1);
  t.like((await ask(cluster, 10))[0], { size: ssize + 1, exact: false });
});

test('many files asked in one tick cost one message an iod, up to its bound', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).lengths.set(50, 5);
  const handles = Array.from({ length: limits.reapBatchMax + 10 }, (_, at) => at + 10);
  const asked = await ask(cluster, ...handles, 50);
  t.is(asked[40]?.size, 5);
  t.is(asked.at(-1)?.size, 5);
  t.true(asked.every(({ exact }) => exact));
  t.is(cluster.iod(0).heardOf('stat').length, 2);
  t.is(cluster.iod(1).heardOf('stat').length, 2);
});

test('each iod that cannot tell sizes is a line in the log, however often others fail', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).failures.set('stat', new FsError('EIO'));
  for (let times = 0; times < 4; times++) await ask(cluster, 10);
  cluster.iod(1).failures.set('stat', new FsError('EIO'));
  await ask(cluster, 10);
  const lines = cluster.world.log.lines.filter(({ message }) => message === 'sizes not told');
  t.deepEqual(
    lines.map(({ fields }) => fields['iod']),
    ['iod0', 'iod0', 'iod0', 'iod1'],
  );
});

test('an iod that is away, syncs or fails makes the answer inexact at once (SCENARIOS 16)', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).lengths.set(10, 100);
  cluster.iod(1).failures.set('stat', new FsError('EIO'));
  const begun = cluster.world.nowMs;
  t.like((await ask(cluster, 10))[0], { size: 100, exact: false });
  await cluster.kill(1);
  t.like((await ask(cluster, 10))[0], { size: 100, exact: false });
  const release = cluster.iod(1).hold('joined');
  cluster.iod(1).process.start();
  await cluster.until(() => cluster.stateOf(1) === 'syncing');
  t.like((await ask(cluster, 10))[0], { size: 100, exact: false });
  t.true(cluster.world.nowMs - begun < 1000);
  release();
  cluster.iod(1).failures.clear();
  await cluster.serving();
  t.like((await ask(cluster, 10))[0], { size: 100, exact: true });
});

test('an iod that hangs is not waited for longer than silence is borne', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(1).silent.add('stat');
  const begun = cluster.world.nowMs;
  t.like((await ask(cluster, 10))[0], { exact: false });
  t.true(cluster.world.nowMs - begun < limits.heartbeatSilenceMs + 100);
});

test('an object that is still to be truncated does not tell the size', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).lengths.set(10, 100);
  await cluster.putTruncate(fileOn(10), 0);
  t.like((await ask(cluster, 10))[0], { size: 0, exact: false });
});
