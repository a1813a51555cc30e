import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { parseIodtab } from '../../shared/iodtab.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle, rootHandle } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { version } from '../../shared/version.ts';
import { makeMgr } from '../../mgr/mgr.ts';
import { MgrWorld } from './mgr-world.ts';

test('a mgr starts, gives a session, makes a file and tells of it', async (t) => {
  const world = new MgrWorld(1);
  const client = await world.client();
  const opened = await world.complete(client.create('/file'));
  t.true(opened.created);
  const { attr } = await world.complete(client.stat('/file'));
  t.is(attr.handle, opened.attr.handle);
  const status = await world.complete(client.call(clusterOps.status, {}));
  t.like(status, { cluster: 'test', version, state: 'ACTIVE', files: 1, sessions: 1, opens: 1 });
  t.is(client.session?.leaseMs, limits.sessionLeaseMs);
});

test('the generation grows with every start and is stored before anybody hears of it', async (t) => {
  const world = new MgrWorld(2);
  const client = await world.client();
  t.is(world.store?.setting('generation'), '1');
  world.world.killAt({ process: 'mgr', point: 'mgr.boot.generation-stored', restartAfterMs: 100 });
  world.process.restart();
  await world.complete(client.create('/f'));
  t.is(world.process.starts, 3);
  t.is(world.store?.setting('generation'), '3');
});

for (const point of [
  'mgr.boot.generation-stored',
  'mgr.recover.loaded',
  'mgr.listen.after',
] as const) {
  test(`a mgr that is killed at ${point} starts again with all that it had`, async (t) => {
    const world = new MgrWorld(3);
    const client = await world.client();
    const { attr } = await world.complete(client.create('/f'));
    await world.complete(client.unlink('/f'));
    world.world.killAt({ process: 'mgr', point, restartAfterMs: 100 });
    world.process.restart();
    t.is((await world.complete(client.getAttr(attr.handle))).attr.links, 0);
    t.is(world.process.starts, 3);
  });
}

test('a mgr whose store belongs to a later one says nothing more and stops (SCENARIOS 91)', async (t) => {
  const world = new MgrWorld(4);
  const client = await world.client();
  const row = { key: 'generation', value: '7' };
  world.store?.commit([{ kind: 'put-setting', row }], 7);
  let answered = false;
  client.mkdir('/d').then(
    () => (answered = true),
    () => undefined,
  );
  await world.world.run({ until: () => world.fatal.length > 0 });
  t.false(answered);
  t.is(world.fatal[0]?.code, 'ESTALE');
  t.is(world.store?.direntOf(2 as never), undefined);
  await world.world.run({ until: () => client.connection?.isOpen === false });
});

test('a mgr that was asked to stop answers what it has begun, then closes', async (t) => {
  const world = new MgrWorld(5);
  const client = await world.client();
  const made = world.complete(client.mkdir('/d'));
  await made;
  await world.complete(world.process.call(() => world.mgr?.stop()));
  await world.world.run({ until: () => client.connection?.isOpen === false });
  await world.complete(world.process.call(() => world.mgr?.stop()));
  world.process.restart();
  t.is((await world.complete(client.stat('/d'))).attr.kind, 'directory');
});

test('what still waits for iods when the mgr stops is done by the next one', async (t) => {
  const world = new MgrWorld(6);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  const release = world.iods.hold();
  const reserved = client.reserve(handle, 10);
  await world.pass(100);
  await world.complete(world.process.call(() => world.mgr?.stop()));
  release();
  await world.pass(100);
  world.process.restart();
  t.deepEqual(await world.complete(reserved), { offset: 0 });
});

test('a mgr refuses what does not fit, and leaves the store as it was (SCENARIOS 248, 256)', async (t) => {
  const world = new MgrWorld(7);
  await world.client();
  const store = world.store;
  t.truthy(store);
  if (!store) return;
  const cases = [
    [{ host: '0.0.0.0', secret: new Uint8Array(32) }, 'WEFT_E_OPEN_BIND'],
    [{ iodtab: parseIodtab('b\na\nc\nd\n', 'iodtab') }, 'WEFT_E_IODTAB_CHANGED'],
    [{ iodtab: parseIodtab('a\nb\nc\n', 'iodtab') }, 'WEFT_E_IODTAB_CHANGED'],
    [{ iodtab: parseIodtab('a\nb\nc\nd\nnowhere\n', 'iodtab') }, 'WEFT_E_IODTAB'],
    [{ cluster: 'another' }, 'WEFT_E_OTHER_CLUSTER'],
    [{ versions: { min: 2, max: 3 } }, 'WEFT_E_VERSION'],
    [{}, 'WEFT_E_PORT_TAKEN'],
  ] as const;
  for (const [changes, id] of cases) {
    const config = world.config(changes);
    const start = world.process.call((runtime) =>
      makeMgr({ runtime, store, config, onFatal: () => undefined }).start(),
    );
    const error = await t.throwsAsync<FsError>(world.complete(start), { instanceOf: FsError });
    t.is(error.weftCode, id);
  }
  t.is(store.members().length, 4);
});

test('the first start needs an iodtab, later ones do not; new iods come at the end', async (t) => {
  const world = new MgrWorld(8, { iodtab: undefined });
  const failed = world.world.run({ untilMs: 100 });
  await t.throwsAsync(failed, { message: /WEFT_E_IODTAB|iodtab/ });
});

test('an iodtab with one more iod is taken over, with what is known of the others', async (t) => {
  const world = new MgrWorld(9);
  world.world.host('e');
  const client = await world.client();
  const [member] = world.store?.members() ?? [];
  t.like(member, { name: 'iod0', host: 'a' });
  if (member) {
    world.store?.commit([{ kind: 'put-member', row: { ...member, storeId: 'ab' } }], 1);
  }
  world.iodtab = 'a\nb\nc\nd\ne\n';
  world.process.restart();
  await world.complete(client.ready());
  const members = world.store?.members() ?? [];
  t.deepEqual(
    members.map(({ host, storeId }) => [host, storeId]),
    [
      ['a', 'ab'],
      ['b', ''],
      ['c', ''],
      ['d', ''],
      ['e', ''],
    ],
  );
});

test('a file that has neither name nor holder is removed at the start', async (t) => {
  const world = new MgrWorld(12);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  const inode = world.store?.inode(handle);
  if (inode === undefined) throw new Error('no inode');
  const orphan = { ...inode, handle: 500 as Handle, links: 0 };
  world.store?.commit([{ kind: 'put-inode', row: orphan }], 1);
  world.process.restart();
  await world.complete(client.ready());
  t.is(world.store?.inode(orphan.handle), undefined);
  t.is(world.store?.pendingCount(), 4);
  t.truthy(world.store?.inode(handle));
});

test('listFiles and pathOf tell fsck what the mgr knows', async (t) => {
  const world = new MgrWorld(10);
  const client = await world.client();
  await world.complete(client.mkdir('/d'));
  const { handle } = (await world.complete(client.create('/d/f'))).attr;
  const { files, done } = await world.complete(
    client.call(clusterOps.listFiles, { after: 0 as never }),
  );
  t.true(done);
  t.like(files, [{ handle, size: 0, links: 1, opens: 1 }]);
  t.is((await world.complete(client.call(clusterOps.pathOf, { handle }))).path, byteString('/d/f'));
  const root = await world.complete(client.call(clusterOps.pathOf, { handle: rootHandle }));
  t.is(root.path, byteString('/'));
  await world.complete(client.unlink('/d/f'));
  const gone = client.call(clusterOps.pathOf, { handle });
  await t.throwsAsync(world.complete(gone), { message: /ENOENT/ });
});

async function traceOf(seed: number): Promise<string> {
  const world = new MgrWorld(seed);
  const client = await world.client();
  await world.complete(client.create('/f'));
  world.process.restart();
  await world.complete(client.mkdir('/d'));
  return world.world.trace.hash;
}

test('the same seed gives the same trace', async (t) => {
  t.is(await traceOf(11), await traceOf(11));
});
