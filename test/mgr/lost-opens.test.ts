/** What sessions declare after a loss of the mgr's host, and what the mgr makes of it. */
import test from 'ava';
import { FsError, isFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import { type Cap, rights } from '../../shared/wire/values.ts';
import { type MgrClient, MgrWorld } from './mgr-world.ts';

const both = rights.read | rights.write;

type Declaration = RequestOf<typeof sessionOps.declare>;

function declare(
  { world, client }: { readonly world: MgrWorld; readonly client: MgrClient },
  declaration: Partial<Declaration>,
): Promise<string> {
  const declared = client.process.call(async ({ clock }) => {
    if (!client.connection) throw new Error('no connection');
    const request = { opens: [], opening: [], last: true, ...declaration };
    const options = { deadline: clock.now() + 20_000 };
    await client.connection.call(sessionOps.declare, request, options);
  });
  return world.complete(
    declared.then(
      () => 'done',
      (error: unknown) => (isFsError(error) ? (error.weftCode ?? error.code) : String(error)),
    ),
  );
}

function open(cap: Cap, given: number): Declaration['opens'][number] {
  return { cap, rights: given, slot: 0, sequence: 0 };
}

async function opensAt(world: MgrWorld, client: MgrClient): Promise<number> {
  return (await world.complete(client.call(clusterOps.status, {}))).opens;
}

test('after a loss of the host each session is asked what it has open; after the death of the process nobody is', async (t) => {
  for (const [cause, asked] of [
    ['host-restart', true],
    ['crash', false],
  ] as const) {
    const world = new MgrWorld(1, { cause });
    const client = await world.client();
    t.false(client.session?.declare, 'a session that begins has lost nothing');
    world.process.restart();
    await world.complete(client.ready());
    t.is(client.session?.declare, asked);
  }
});

test('what a session declares is in force, and what it does not is closed; its file goes when all have declared', async (t) => {
  const world = new MgrWorld(2, { cause: 'host-restart' });
  const [one, two] = [await world.client(), await world.client()];
  const { cap } = await world.complete(one.create('/f'));
  await world.complete(two.open('/f', openFlags.read));
  world.process.restart();
  await world.complete(Promise.all([one.ready(), two.ready()]));
  t.is(await declare({ world, client: one }, { opens: [open(cap, rights.write)] }), 'done');
  await world.complete(one.unlink('/f'));
  t.is(await opensAt(world, one), 2, 'the other may have it open still');
  await world.complete(one.close(cap.body.handle, rights.write, 0));
  await world.pass(100);
  t.is(world.store?.fileCount(), 1);
  t.is(await declare({ world, client: two }, {}), 'done');
  await world.pass(100);
  t.deepEqual([await opensAt(world, one), world.store?.fileCount()], [0, 0]);
});

test('nobody declares what he was never given (SCENARIOS 74)', async (t) => {
  const world = new MgrWorld(3, { cause: 'host-restart' });
  const [one, two] = [await world.client(), await world.client()];
  const { cap: ours } = await world.complete(one.create('/f'));
  const { cap: theirs } = await world.complete(two.open('/f', openFlags.read));
  world.process.restart();
  await world.complete(Promise.all([one.ready(), two.ready()]));
  const more = { ...theirs, body: { ...theirs.body, rights: both } };
  for (const opens of [[open(ours, both)], [open(theirs, both)], [open(more, both)]]) {
    t.is(await declare({ world, client: two }, { opens }), 'WEFT_E_CAP_REFUSED');
  }
  t.is(await declare({ world, client: two }, { opens: [open(theirs, rights.read)] }), 'done');
  t.is(await declare({ world, client: one }, { opens: [open(ours, both)] }), 'done');
  t.is(await opensAt(world, one), 2);
});

test('a declaration whose commit fails has not been made: the session is asked again', async (t) => {
  const world = new MgrWorld(4, { cause: 'host-restart' });
  const client = await world.client();
  await world.complete(client.create('/f'));
  const { cap } = await world.complete(client.open('/f', openFlags.read));
  world.process.restart();
  await world.complete(client.ready());
  world.commitFailure = new FsError('ENOSPC', { id: 'WEFT_E_DISK' });
  t.not(await declare({ world, client }, { opens: [open(cap, rights.read)] }), 'done');
  client.disconnect();
  await world.complete(client.ready());
  t.true(client.session?.declare);
  t.is(await declare({ world, client }, { opens: [open(cap, rights.read)] }), 'done');
  await world.pass(100);
  t.is(await opensAt(world, client), 1);
  t.is(world.store?.inode(cap.body.handle)?.kind, 'file');
});

test('who comes back and never declares is ended with the time to come back, and holds nothing up any longer (SCENARIOS 69)', async (t) => {
  const world = new MgrWorld(5, { cause: 'host-restart' });
  const [one, silent] = [await world.client(), await world.client()];
  const { cap } = await world.complete(one.create('/f'));
  world.process.restart();
  await world.complete(Promise.all([one.ready(), silent.ready()]));
  t.is(await declare({ world, client: one }, {}), 'done');
  await world.complete(one.unlink('/f'));
  await world.pass(limits.reclaimWindowMs - 5000);
  t.is(world.store?.fileCount(), 1, 'it may still say that it has the file open');
  const { missing, missingTotal } = (await world.complete(one.call(clusterOps.status, {})))
    .recovery ?? { missing: [], missingTotal: 0 };
  t.is(missingTotal, 1);
  t.true(missing[0]?.includes(String(silent.session?.session)));
  await world.pass(10_000);
  t.is(world.store?.inode(cap.body.handle), undefined);
  t.is((await world.complete(one.call(clusterOps.status, {}))).sessions, 1);
});

test('who lost its connection before it has declared has the same time to come back', async (t) => {
  const world = new MgrWorld(6, { cause: 'host-restart' });
  const client = await world.client();
  const { cap } = await world.complete(client.create('/f'));
  world.process.restart();
  await world.complete(client.ready());
  client.disconnect();
  await world.complete(client.ready());
  t.is(await declare({ world, client }, { opens: [open(cap, both)] }), 'done');
  await world.pass(limits.reclaimWindowMs + limits.sessionLeaseMs);
  t.is(await opensAt(world, client), 1);
});
