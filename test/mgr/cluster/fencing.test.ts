import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { SessionId } from '../../../shared/units.ts';
import { ClusterWorld } from './cluster-world.ts';

const session = 5 as SessionId;

const beginFence = (cluster: ClusterWorld) =>
  cluster.begin(({ cluster: port }) => port.fence(session));

function fencesOf(cluster: ClusterWorld, at: number): number {
  return cluster.iod(at).heardOf('fence').length;
}

test('a session is fenced when all iods have acknowledged, not before', async (t) => {
  const cluster = await new ClusterWorld().started();
  const go = cluster.iod(1).delay('fence');
  const fence = beginFence(cluster);
  const twin = beginFence(cluster);
  await cluster.pass(1000);
  t.is(fence.outcome, undefined);
  t.is(fencesOf(cluster, 0), 1, 'asked once, though two wait');
  go();
  await cluster.until(() => fence.outcome === 'done' && twin.outcome === 'done');
});

test('an iod that is away is waited for until its lease has ended', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  const begun = cluster.world.nowMs;
  const fence = beginFence(cluster);
  await cluster.until(() => fence.outcome === 'done');
  const tookMs = cluster.world.nowMs - begun;
  t.true(tookMs > limits.iodLeaseAtMgrMs - 100 && tookMs < limits.iodLeaseAtMgrMs + 1000);
});

test('an iod that returns in its lease acknowledges when it has synced', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  const release = iod.hold('joined');
  iod.disconnect();
  await cluster.until(() => cluster.stateOf(0) === 'syncing');
  const fence = beginFence(cluster);
  await cluster.pass(1000);
  t.is(fence.outcome, undefined);
  t.is(fencesOf(cluster, 0), 0);
  release();
  await cluster.until(() => fence.outcome === 'done');
  t.is(cluster.stateOf(0), 'serving');
  t.is(fencesOf(cluster, 0), 1);
});

test('an iod that starts is fenced when it serves: its snapshot may know the session', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  const iod = cluster.iod(0);
  const release = iod.hold('before confirm');
  iod.process.start();
  await cluster.until(() => cluster.stateOf(0) === 'syncing');
  const fence = beginFence(cluster);
  await cluster.pass(1000);
  t.is(fence.outcome, undefined);
  release();
  await cluster.until(() => fence.outcome === 'done');
  t.is(fencesOf(cluster, 0), 1);
});

test('an iod that syncs after it has acknowledged is fenced again: its table was made anew', async (t) => {
  const cluster = await new ClusterWorld().started();
  const go = cluster.iod(1).delay('fence');
  const fence = beginFence(cluster);
  await cluster.until(() => fencesOf(cluster, 0) === 1);
  await cluster.pass(100);
  await cluster.kill(0);
  cluster.iod(0).process.start();
  await cluster.serving();
  go();
  await cluster.until(() => fence.outcome === 'done');
  t.is(fencesOf(cluster, 0), 2);
});

test('an iod that does not fence loses its connection, and is fenced when it is back', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  iod.failures.set('fence', new FsError('EIO'));
  const fence = beginFence(cluster);
  await cluster.until(() => cluster.stateOf(0) === 'absent');
  t.is(fence.outcome, undefined);
  iod.failures.clear();
  await cluster.until(() => fence.outcome === 'done');
  t.is(cluster.stateOf(0), 'serving');
});

test('an iod that hangs is not waited for without end', async (t) => {
  const cluster = await new ClusterWorld().started();
  cluster.iod(0).process.pause();
  const begun = cluster.world.nowMs;
  const fence = beginFence(cluster);
  await cluster.until(() => fence.outcome === 'done');
  const mostMs = limits.iodLeaseAtMgrMs + 2 * limits.heartbeatSilenceMs;
  t.true(cluster.world.nowMs - begun < mostMs);
});

test('a session is fenced anew when it is fenced another time', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.inMgr(({ cluster: port }) => port.fence(session));
  await cluster.inMgr(({ cluster: port }) => port.fence(session));
  t.is(fencesOf(cluster, 0), 2);
});
