import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Handle, IodIndex } from '../../../shared/units.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

function putRemovals(cluster: ClusterWorld, iod: number, count: number): Promise<void> {
  return cluster.commit(({ view, cluster: port }) => {
    for (let handle = 100; handle < 100 + count; handle++) {
      cluster.iod(iod).lengths.set(handle, 1);
      const row = { handle: handle as Handle, iod: iod as IodIndex, kind: 'remove', length: 0 };
      view.add({ kind: 'put-pending', row: { ...row, kind: 'remove' } });
    }
    port.freed();
  });
}

const objectsOf = (cluster: ClusterWorld, iod: number): number => cluster.iod(iod).lengths.size;

test('what is to be removed is removed, in batches, and then forgotten', async (t) => {
  const cluster = await new ClusterWorld().started();
  await putRemovals(cluster, 0, 600);
  await cluster.until(() => cluster.pending(0).length === 0);
  t.is(objectsOf(cluster, 0), 0);
  const sizes = cluster
    .iod(0)
    .heardOf('remove')
    .map((line) => line.split(',').length);
  t.deepEqual(sizes, [limits.reapBatchMax, limits.reapBatchMax, 600 - 2 * limits.reapBatchMax]);
});

test('removals for an iod that is away wait for it', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  await putRemovals(cluster, 0, 3);
  await cluster.pass(5000);
  t.is(cluster.pending(0).length, 3);
  cluster.iod(0).process.start();
  await cluster.until(() => cluster.pending(0).length === 0);
  t.is(objectsOf(cluster, 0), 0);
});

test('the work goes on after a restart of the mgr, wherever it was cut', async (t) => {
  for (const killAfter of [0, 1, 2]) {
    const cluster = await new ClusterWorld().started();
    const iod = cluster.iod(0);
    const go = iod.delay('remove');
    await putRemovals(cluster, 0, 600);
    if (killAfter > 0) {
      await cluster.until(() => iod.heardOf('remove').length === 1);
      go();
      await cluster.until(() => iod.heardOf('remove').length === killAfter);
    }
    cluster.mgr.kill();
    go();
    await cluster.pass(100);
    cluster.mgr.start();
    await cluster.serving();
    await cluster.until(() => cluster.pending(0).length === 0);
    t.is(objectsOf(cluster, 0), 0);
  }
});

test('an iod that fails is asked again, less and less often, and stops nobody else (SCENARIOS 94)', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).failures.set('remove', new FsError('EIO'));
  await putRemovals(cluster, 0, 2);
  await putRemovals(cluster, 1, 2);
  await cluster.until(() => cluster.pending(1).length === 0);
  await cluster.pass(60_000);
  const tries = cluster.iod(0).heardOf('remove').length;
  t.true(tries > 10 && tries < 100, `${tries} tries in a minute`);
  t.is(cluster.pending(0).length, 2);
  cluster.iod(0).failures.clear();
  await cluster.until(() => cluster.pending(0).length === 0);
});

test('rows are kept, and done again, when their end cannot be stored', async (t) => {
  const cluster = await new ClusterWorld().started();
  const go = cluster.iod(0).delay('remove');
  await putRemovals(cluster, 0, 2);
  await cluster.until(() => cluster.iod(0).heardOf('remove').length === 1);
  cluster.commitError = new FsError('ENOSPC');
  go();
  await cluster.pass(1000);
  t.is(cluster.pending(0).length, 2);
  cluster.commitError = undefined;
  await cluster.until(() => cluster.pending(0).length === 0);
});

test('a truncate whose caller is gone is carried out after a restart of the mgr', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(1).lengths.set(10, 99_999);
  await cluster.putTruncate(fileOn(10), 0);
  cluster.mgr.kill();
  await cluster.pass(100);
  cluster.mgr.start();
  await cluster.serving();
  await cluster.until(() => cluster.pending(0).length + cluster.pending(1).length === 0);
  t.is(cluster.iod(1).lengths.get(10), 0);
});

test('a truncate is never repeated after its caller was told that it is done', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  await cluster.putTruncate(fileOn(10), 0);
  await cluster.inMgr(({ cluster: port }) => port.truncate(fileOn(10), Infinity));
  iod.lengths.set(10, 77);
  cluster.mgr.kill();
  await cluster.pass(100);
  cluster.mgr.start();
  await cluster.serving();
  await cluster.pass(5000);
  t.is(iod.lengths.get(10), 77);
});

test('a truncate is carried out although an earlier one of the same length is acknowledged', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  await cluster.putTruncate(fileOn(10), 0);
  cluster.begin(({ cluster: port }) => port.truncate(fileOn(10), Infinity));
  // The first is done at the iod, its answer on the way: now the file grows and is cut again.
  await cluster.until(() => iod.lengths.get(10) === 0);
  iod.lengths.set(10, 77);
  await cluster.putTruncate(fileOn(10), 0);
  t.is(cluster.pending(0).length, 1, 'the acknowledgement is still on its way');
  await cluster.until(() => cluster.pending(0).length === 0);
  t.is(iod.lengths.get(10), 0);
});
