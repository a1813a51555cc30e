import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

const file = fileOn(10);
const KiB = 1024;

/** Starts to have the iods cut the file; it is truncated to 6 KiB: 4 on iod 0, 2 on iod 1. */
async function beginTruncate(cluster: ClusterWorld, waitMs = Infinity) {
  await cluster.putTruncate(file, 6 * KiB);
  return cluster.begin(({ cluster: port }) =>
    port.truncate(file, waitMs === Infinity ? Infinity : mgrNow(cluster) + waitMs),
  );
}

/** The mgr's own monotonic time. */
function mgrNow(cluster: ClusterWorld): number {
  return cluster.mgr.host.clock.now();
}

test('a truncate reaches all iods of the file before it is done, and leaves nothing pending', async (t) => {
  const cluster = await new ClusterWorld().started();
  const truncate = await beginTruncate(cluster);
  await cluster.until(() => truncate.outcome !== undefined);
  t.is(truncate.outcome, 'done');
  t.is(cluster.iod(0).lengths.get(10), 4 * KiB);
  t.is(cluster.iod(1).lengths.get(10), 2 * KiB);
  t.deepEqual([cluster.pending(0), cluster.pending(1)], [[], []]);
});

test('without a pending row nobody is asked', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.inMgr(({ cluster: port }) => port.truncate(file, Infinity));
  t.deepEqual(cluster.iod(0).heardOf('truncate'), []);
});

test('an iod that fails is named, the others are done, and the failed one is tried again', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(1);
  iod.failures.set('truncate', new FsError('EIO', { what: 'bad disk of iod1' }));
  const truncate = await beginTruncate(cluster);
  await cluster.until(() => truncate.outcome !== undefined);
  t.like(truncate.outcome, { code: 'EIO', what: 'bad disk of iod1' });
  await cluster.until(() => cluster.pending(0).length === 0);
  t.is(cluster.pending(1).length, 1);
  iod.failures.clear();
  await cluster.until(() => cluster.pending(1).length === 0);
  t.is(iod.lengths.get(10), 2 * KiB);
});

test('an earlier error of an iod counts neither for it nor for others', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(1).failures.set('truncate', new FsError('EIO'));
  const first = await beginTruncate(cluster);
  await cluster.until(() => first.outcome !== undefined);
  const alone = fileOn(11, { pcount: 1 });
  await cluster.putTruncate(alone, 0);
  await cluster.inMgr(({ cluster: port }) => port.truncate(alone, Infinity));
  cluster.iod(1).failures.clear();
  await cluster.inMgr(({ cluster: port }) => port.truncate(file, Infinity));
  t.is(cluster.iod(1).lengths.get(10), 2 * KiB);
});

test('an iod that syncs is answered for with TRY_AGAIN at once, and neither waits for the other (SCENARIOS 38)', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(1);
  const iod = cluster.iod(1);
  const release = iod.hold('joined');
  iod.process.start();
  await cluster.until(() => cluster.stateOf(1) === 'syncing');
  const truncate = await beginTruncate(cluster, 60_000);
  const begun = cluster.world.nowMs;
  await cluster.until(() => truncate.outcome !== undefined);
  t.true(cluster.world.nowMs - begun < 100);
  t.like(truncate.outcome, { code: 'EAGAIN', weftCode: 'WEFT_E_RESYNCING' });
  const beforeServing = iod.hold('confirmed');
  release();
  await cluster.until(() => iod.steps.filter((step) => step === 'confirmed').length === 2);
  t.is(iod.lengths.get(10), 2 * KiB, 'it was cut before it may serve');
  t.deepEqual(cluster.pending(1), []);
  beforeServing();
  await cluster.serving();
});

test('a truncate that nobody hurries waits for an iod that syncs, and the sync for nothing', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(1);
  const iod = cluster.iod(1);
  const release = iod.hold('joined');
  iod.process.start();
  await cluster.until(() => cluster.stateOf(1) === 'syncing');
  const truncate = await beginTruncate(cluster);
  await cluster.pass(1000);
  t.is(truncate.outcome, undefined);
  release();
  await cluster.until(() => truncate.outcome !== undefined);
  t.is(truncate.outcome, 'done');
  t.is(iod.lengths.get(10), 2 * KiB);
});

test('an iod that is dead is waited for until its lease has ended, and cut when it is back', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(1);
  const lostAt = mgrNow(cluster);
  const truncate = await beginTruncate(cluster);
  await cluster.until(() => truncate.outcome !== undefined);
  t.is(truncate.outcome, 'done');
  t.true(mgrNow(cluster) - lostAt >= limits.iodLeaseAtMgrMs - 10);
  t.true(mgrNow(cluster) - lostAt < limits.iodLeaseAtMgrMs + 1000);
  t.is(cluster.pending(1).length, 1);
  const iod = cluster.iod(1);
  const release = iod.hold('confirmed');
  iod.process.start();
  await cluster.until(() => iod.steps.filter((step) => step === 'confirmed').length === 2);
  t.is(iod.lengths.get(10), 2 * KiB);
  t.deepEqual(cluster.pending(1), []);
  release();
  await cluster.serving();
});

test('an iod that never was there, or surely serves nobody, is not waited for', async (t) => {
  const cluster = new ClusterWorld();
  cluster.iod(1).process.kill();
  await cluster.serving(0);
  const truncate = await beginTruncate(cluster);
  const begun = cluster.world.nowMs;
  await cluster.until(() => truncate.outcome !== undefined);
  t.is(truncate.outcome, 'done');
  t.true(cluster.world.nowMs - begun < 100);
});

test('the caller is answered at its deadline: of an iod that is away, and of one that hangs', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).silent.add('truncate');
  const hanging = await beginTruncate(cluster, 2000);
  await cluster.until(() => hanging.outcome !== undefined);
  t.like(hanging.outcome, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_IOD_DOWN' });
  await cluster.kill(0);
  const begun = mgrNow(cluster);
  const away = await beginTruncate(cluster, 2000);
  await cluster.until(() => away.outcome !== undefined);
  t.like(away.outcome, { code: 'ETIMEDOUT', weftCode: 'WEFT_E_IOD_DOWN' });
  t.true(mgrNow(cluster) - begun >= 2000);
  t.true(mgrNow(cluster) - begun < 2100);
});

test('a connection that is lost while the iod works costs no more than TRY_AGAIN', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(1);
  iod.silent.add('truncate');
  const truncate = await beginTruncate(cluster, 60_000);
  await cluster.until(() => iod.heardOf('truncate').length > 0);
  iod.silent.clear();
  iod.disconnect();
  await cluster.until(() => truncate.outcome !== undefined);
  t.like(truncate.outcome, { code: 'EAGAIN' });
  await cluster.serving();
  await cluster.inMgr(({ cluster: port }) => port.truncate(file, Infinity));
  t.is(iod.lengths.get(10), 2 * KiB);
  t.deepEqual(cluster.pending(1), []);
});

test('a row whose length changes while its iod works is done again, never lost', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(1);
  const delayed = iod.delay('truncate');
  const truncate = await beginTruncate(cluster);
  await cluster.until(() => iod.heardOf('truncate').length === 1);
  await cluster.putTruncate(file, 5 * KiB);
  delayed();
  await cluster.until(() => truncate.outcome !== undefined);
  await cluster.inMgr(({ cluster: port }) => port.truncate(file, Infinity));
  t.is(iod.lengths.get(10), KiB);
  t.deepEqual(cluster.pending(1), []);
});

test('a truncate whose end cannot be stored is not called done', async (t) => {
  const cluster = await new ClusterWorld().started();
  const go = cluster.iod(1).delay('truncate');
  const truncate = await beginTruncate(cluster);
  await cluster.until(() => cluster.iod(1).heardOf('truncate').length === 1);
  cluster.commitError = new FsError('ENOSPC');
  go();
  await cluster.until(() => truncate.outcome !== undefined);
  t.like(truncate.outcome, { code: 'ENOSPC' });
  t.is(cluster.pending(1).length, 1);
  cluster.commitError = undefined;
  await cluster.until(() => cluster.pending(1).length === 0);
});
