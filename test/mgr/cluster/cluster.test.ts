import test from 'ava';
import type { IodIndex } from '../../../shared/units.ts';
import { limits } from '../../../shared/limits.ts';
import type { MgrParts } from './cluster-world.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';

const evict =
  (index: number, admit: boolean) =>
  ({ cluster: { handlers } }: MgrParts): void => {
    handlers.evictIod({ index: index as IodIndex, admit });
  };

test('members and space are told without asking anybody', async (t) => {
  const cluster = await new ClusterWorld().started();
  const { cluster: port } = cluster.parts;
  t.is(port.iodTotal, 2);
  t.deepEqual(
    port.members().map(({ name, host, state }) => ({ name, host, state })),
    [
      { name: 'iod0', host: 'h0', state: 'serving' },
      { name: 'iod1', host: 'h1', state: 'serving' },
    ],
  );
  t.deepEqual(port.space(), { totalBytes: 200, freeBytes: 100, partial: false });
  await cluster.kill(1);
  t.deepEqual(port.space(), { totalBytes: 100, freeBytes: 50, partial: true });
  await cluster.pass(10_000);
  const [there, away] = port.members();
  t.true((there?.silentMs ?? Infinity) <= limits.heartbeatIntervalMs + 100);
  t.true((away?.silentMs ?? 0) >= 10_000);
});

test('a disk that several iods have is counted once, and the same number of another host is another disk', async (t) => {
  for (const [hostId, totalBytes] of [
    ['h0', 100],
    ['h1', 200],
  ] as const) {
    const cluster = new ClusterWorld();
    for (const index of [0, 1]) {
      cluster.iod(index).joinChanges = { hostId: index === 0 ? 'h0' : hostId, device: 7 };
    }
    await cluster.started();
    t.deepEqual(
      cluster.parts.cluster.space(),
      { totalBytes, freeBytes: totalBytes / 2, partial: false },
      hostId,
    );
  }
});

test('an iod that is evicted is cut off, stays out after a restart, and comes back when admitted (SCENARIOS 18)', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.commit(evict(0, false));
  t.is(cluster.stateOf(0), 'evicted');
  await cluster.until(() => cluster.iod(0).final !== undefined);
  t.is(cluster.iod(0).final?.weftCode, 'WEFT_E_NOT_MEMBER');
  cluster.mgr.kill();
  cluster.mgr.start();
  await cluster.serving(1);
  t.is(cluster.stateOf(0), 'evicted');
  await cluster.commit(evict(0, true));
  t.is(cluster.stateOf(0), 'absent');
  cluster.iod(0).process.kill();
  cluster.iod(0).process.start();
  await cluster.serving();
});

test('evicting twice is as evicting once, and an unknown iod is refused', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.commit(evict(0, false));
  await cluster.commit(evict(0, false));
  t.is(cluster.stateOf(0), 'evicted');
  await t.throwsAsync(cluster.commit(evict(2, false)), { code: 'EINVAL' });
});

test('iods are pinged by the mgr, and who cannot be is told with the reason', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(1);
  const { results } = (await cluster.inMgr(async ({ cluster: { handlers } }) =>
    handlers.pingIods({}, undefined as never),
  )) as { results: readonly { index: number; microseconds: number; failure: string }[] };
  t.is(results[0]?.failure, '');
  t.true((results[0]?.microseconds ?? 0) > 0);
  t.is(results[1]?.failure, 'it is absent');
});

test('every change of who serves is a new epoch, known before any message of it leaves', async (t) => {
  const cluster = await new ClusterWorld().started();
  const { epochs } = cluster.parts;
  const before = epochs.newest;
  await cluster.kill(0);
  t.is(epochs.newest.number, before.number + 1);
  cluster.iod(0).process.start();
  await cluster.serving();
  t.is(epochs.newest.number, before.number + 2);
  t.is(cluster.iod(1).epochs.newest.generation, 1);
  await cluster.pass(limits.heartbeatIntervalMs * 2);
  t.deepEqual(cluster.iod(1).epochs.newest, epochs.newest);
  cluster.mgr.kill();
  cluster.mgr.start();
  await cluster.serving();
  await cluster.until(() => cluster.iod(1).epochs.newest.generation === 2);
});

test('a mgr that has closed does nothing any more, also when leases end', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.commit(({ view }) => view.putInode(fileOn(10)));
  await cluster.kill(0);
  await cluster.inMgr(({ cluster: port }) => port.close());
  const { length } = cluster.world.log.lines;
  cluster.iod(1).process.kill();
  await cluster.pass(2 * limits.iodLeaseAtMgrMs);
  const after = cluster.world.log.lines
    .slice(length)
    .filter(({ message }) => message.startsWith('member'));
  t.deepEqual(after, []);
});
