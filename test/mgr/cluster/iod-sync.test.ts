import test, { type ExecutionContext } from 'ava';
import { FsError } from '../../../shared/errno.ts';
import type { IodIndex, SessionId } from '../../../shared/units.ts';
import { limits } from '../../../shared/limits.ts';
import { syncOps } from '../../../shared/wire/sync-ops.ts';
import { ClusterWorld, fileOn } from './cluster-world.ts';
import { ScriptedIod, type Step } from './scripted-iod.ts';

const steps: readonly Step[] = ['before join', 'joined', 'page', 'before confirm', 'confirmed'];
const later = { deadline: Infinity };

/** More opens than a page of a snapshot has. */
function openMany(cluster: ClusterWorld): Promise<void> {
  return cluster.commit(({ view, openTable }) => {
    for (let handle = 10; handle < 2510; handle++) {
      const inode = fileOn(handle);
      view.putInode(inode);
      openTable.open(inode, 1 as SessionId, 3, 7);
    }
  });
}

async function agrees(t: ExecutionContext, cluster: ClusterWorld): Promise<void> {
  await cluster.pass(1000);
  for (const [at, iod] of cluster.iods.entries()) {
    t.deepEqual(iod.opens(), cluster.opensOf(at), `table of iod ${at}`);
  }
}

test('an iod that joins gets the opens of its own files, and serves', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  await cluster.open(fileOn(10), 1, 1);
  await cluster.open(fileOn(11, { base: 1, pcount: 1 }), 1, 3);
  cluster.iod(0).process.start();
  await cluster.serving();
  t.is(cluster.iod(0).rights(10, 1), 1);
  t.is(cluster.iod(0).rights(11, 1), 0);
  await cluster.until(() => cluster.iod(1).rights(11, 1) === 3);
  const [member] = cluster.parts.cluster.members();
  t.like(member, { name: 'iod0', state: 'serving', port: 9000, unixPath: '/sock', freeBytes: 50 });
  t.is(member?.incarnation, 2);
});

test('a table without any open is synced too (SCENARIOS 41)', async (t) => {
  const cluster = await new ClusterWorld().started();
  await agrees(t, cluster);
  t.deepEqual(cluster.opensOf(0), []);
});

for (const step of ['joined', 'page', 'before confirm', 'confirmed'] as const) {
  test(`changes of the open table arrive when the iod syncs (${step}), and none comes back (SCENARIOS 180)`, async (t) => {
    const cluster = await new ClusterWorld().started();
    await openMany(cluster);
    const iod = cluster.iod(0);
    await cluster.kill(0);
    const release = iod.hold(step);
    iod.steps.length = 0;
    iod.process.start();
    await cluster.until(() => iod.steps.includes(step));
    await cluster.closeOpen(11, 1, 3);
    await cluster.closeOpen(2500, 1, 3);
    await cluster.open(fileOn(12), 2, 1);
    await cluster.open(fileOn(5000), 1, 1);
    await cluster.closeOpen(12, 1, 2);
    release();
    await cluster.serving();
    await agrees(t, cluster);
    t.is(iod.rights(11, 1), 0);
    t.is(iod.rights(2500, 1), 0);
    t.is(iod.rights(12, 1), 1);
    t.is(iod.rights(12, 2), 1);
    t.is(iod.rights(5000, 1), 1);
  });
}

for (const step of steps) {
  test(`an iod that dies in its sync (${step}) leaves nothing behind (SCENARIOS 88, 250)`, async (t) => {
    const cluster = await new ClusterWorld().started();
    await openMany(cluster);
    const iod = cluster.iod(0);
    for (let times = 0; times < 3; times++) {
      if (iod.process.alive) iod.process.kill();
      const release = iod.hold(step);
      iod.steps.length = 0;
      iod.process.start();
      await cluster.until(() => iod.steps.includes(step));
      iod.process.kill();
      release();
      await cluster.until(() => cluster.stateOf(0) === 'absent');
    }
    iod.process.start();
    await cluster.serving();
    await agrees(t, cluster);
  });

  test(`a mgr that dies in the sync of an iod (${step}) begins it again when it is back`, async (t) => {
    const cluster = await new ClusterWorld().started();
    await openMany(cluster);
    const iod = cluster.iod(0);
    await cluster.kill(0);
    const release = iod.hold(step);
    iod.steps.length = 0;
    iod.process.start();
    await cluster.until(() => iod.steps.includes(step));
    cluster.mgr.kill();
    release();
    await cluster.pass(100);
    cluster.mgr.start();
    await cluster.serving();
    await agrees(t, cluster);
    t.is(cluster.opensOf(0).length, 2500);
  });
}

test('a change of the membership restarts a sync', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  await cluster.kill(0);
  const release = iod.hold('before confirm');
  iod.steps.length = 0;
  iod.process.start();
  await cluster.until(() => iod.steps.includes('before confirm'));
  await cluster.kill(1);
  release();
  await cluster.serving(0);
  t.true(iod.steps.filter((step) => step === 'joined').length >= 2);
  cluster.iod(1).process.start();
  await cluster.serving();
});

test('an iod that lacks changes of before the end of its snapshot is not confirmed', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.open(fileOn(10), 1, 1);
  const iod = cluster.iod(0);
  await cluster.kill(0);
  const release = iod.hold('joined');
  iod.silent.add('applyOpens');
  iod.process.start();
  await cluster.until(() => cluster.stateOf(0) === 'syncing');
  await cluster.closeOpen(10, 1, 1);
  release();
  await cluster.pass(1000);
  t.is(cluster.stateOf(0), 'syncing');
  iod.silent.clear();
  iod.disconnect();
  await cluster.serving();
  await agrees(t, cluster);
});

test('64 iods that start together with the mgr all serve (SCENARIOS 40)', async (t) => {
  const cluster = new ClusterWorld({ iods: 64 });
  await cluster.serving();
  t.true(cluster.world.nowMs < 10_000, `it took ${cluster.world.nowMs} ms`);
});

const reasons: Readonly<Record<string, (cluster: ClusterWorld) => Promise<void> | undefined>> = {
  WEFT_E_STORE_REPLACED: (cluster) => {
    cluster.iod(0).joinChanges = { storeId: Buffer.alloc(32, 'other') };
    return undefined;
  },
  WEFT_E_STORE_OLDER: async (cluster) => {
    const iod = cluster.iod(0);
    const { incarnation, lives } = iod;
    iod.process.start();
    await cluster.serving();
    await cluster.kill(0);
    Object.assign(iod, { incarnation, lives });
  },
  WEFT_E_NOT_MEMBER: (cluster) =>
    cluster.commit(({ cluster: { handlers } }) => {
      handlers.evictIod({ index: 0 as IodIndex, admit: false });
    }),
};

for (const [code, prepare] of Object.entries(reasons)) {
  test(`a strange disk, an older one or an evicted iod is refused for good: ${code}`, async (t) => {
    const cluster = await new ClusterWorld().started();
    const iod = cluster.iod(0);
    await cluster.kill(0);
    await prepare(cluster);
    iod.process.start();
    await cluster.until(() => iod.final !== undefined);
    t.not(cluster.stateOf(0), 'serving');
    t.is<string | undefined, string>(iod.final?.weftCode, code);
  });
}

test('an iod joins only from the host that the iodtab has for it (SCENARIOS 28, 49)', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  const stranger = new ScriptedIod(cluster.world, 'iod0', 'elsewhere', 'stranger');
  stranger.lives = cluster.iod(0).lives;
  await cluster.until(() => stranger.final !== undefined);
  t.is(stranger.final?.weftCode, 'WEFT_E_NOT_MEMBER');
  t.regex(stranger.final?.message ?? '', /h0/);
  t.is(cluster.stateOf(0), 'absent');
  cluster.iod(0).process.start();
  await cluster.serving();
});

test('an iod on the host of the mgr may join whatever the iodtab calls that host', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.kill(0);
  const local = new ScriptedIod(cluster.world, 'iod0', 'm', 'local');
  Object.assign(local, { lives: cluster.iod(0).lives, incarnation: cluster.iod(0).incarnation });
  await cluster.serving();
  t.is(local.final, undefined);
});

test('an iod cannot join under the name of another (SCENARIOS 50, 249)', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  await cluster.kill(0);
  iod.joinChanges = { name: 'iod1' };
  iod.process.start();
  await cluster.until(() => iod.final !== undefined);
  t.is(iod.final?.weftCode, 'WEFT_E_NOT_MEMBER');
  t.is(cluster.stateOf(1), 'serving');
});

test('what an iod asks out of turn is refused, and changes nothing (SCENARIOS 154)', async (t) => {
  const cluster = await new ClusterWorld().started();
  const { process, connection } = cluster.iod(0);
  const ask = (run: () => Promise<unknown> | undefined): Promise<unknown> =>
    cluster.world.complete(process.call(() => run()?.catch((error: FsError) => error.code)));
  const serving = { port: 1, unixPath: '' };
  t.is(await ask(() => connection?.call(syncOps.serving, serving, later)), 'EPROTO');
  t.is(await ask(() => connection?.call(syncOps.confirm, { sequence: 1 }, later)), 'EAGAIN');
  t.is(cluster.stateOf(0), 'serving');
  t.is(cluster.parts.cluster.members()[0]?.port, 9000);
});

test('an iod is not taken in when that cannot be stored', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  await cluster.kill(0);
  cluster.commitError = new FsError('ENOSPC');
  iod.process.start();
  await cluster.pass(3000);
  t.not(cluster.stateOf(0), 'serving');
  cluster.commitError = undefined;
  await cluster.serving();
  t.is(cluster.parts.store.members()[0]?.incarnation, 2);
});

test('an iod is not confirmed before it has cut what was truncated while it was away (SCENARIOS 14)', async (t) => {
  const cluster = await new ClusterWorld().started();
  const iod = cluster.iod(0);
  iod.lengths.set(10, 99_999);
  await cluster.kill(0);
  await cluster.putTruncate(fileOn(10), 0);
  const release = iod.hold('confirmed');
  iod.steps.length = 0;
  iod.process.start();
  await cluster.until(() => iod.steps.includes('confirmed'));
  t.is(iod.lengths.get(10), 0);
  release();
  await cluster.serving();
});

test('an iod that drains hears of all opens before it has its answer: it writes down what it knows', async (t) => {
  const cluster = await new ClusterWorld().started();
  await cluster.open(fileOn(10), 1, 1);
  const iod = cluster.iod(0);
  const { process, connection } = iod;
  t.is(iod.table.size, 0);
  const begunAt = cluster.world.nowMs;
  await cluster.world.complete(process.call(() => connection?.call(syncOps.draining, {}, later)));
  t.is(iod.table.size, 1);
  t.true(cluster.world.nowMs - begunAt < limits.openChangesDelayMs);
});

test('an iod that drains is not asked to sync, and is away when it has gone', async (t) => {
  const cluster = await new ClusterWorld().started();
  const { process, connection } = cluster.iod(0);
  await cluster.world.complete(process.call(() => connection?.call(syncOps.draining, {}, later)));
  t.is(cluster.stateOf(0), 'draining');
  process.kill();
  await cluster.until(() => cluster.stateOf(0) === 'absent');
});
