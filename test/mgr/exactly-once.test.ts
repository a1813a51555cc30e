import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { decode } from '../../shared/wire/codec.ts';
import { fileOps, nameOps, openFlags, sessionOps } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { anyLayout, at, type MgrClient, MgrWorld, noChange } from './mgr-world.ts';

const mkdir = (path: string) => ({
  at: at(path),
  kind: 'directory' as const,
  mode: 0o755,
  device: 0,
  maker: undefined,
  lend: false,
});
const setSize = (path: string, size: number) => ({ ...noChange, at: at(path), size });
const make = nameOps.makeNode;

test('a mutation that comes again gets the first reply and changes nothing', async (t) => {
  const world = new MgrWorld(1);
  const client = await world.client();
  const first = await world.complete(client.once(make, mkdir('/d'), 3, 1));
  const again = await world.complete(client.once(make, mkdir('/d'), 3, 1));
  t.deepEqual(again, first);
  // With the next sequence it is a new one, and refused by the rules.
  await t.throwsAsync(world.complete(client.once(make, mkdir('/d'), 3, 2)), { message: /EEXIST/ });
});

test('also after the mgr was killed and started again', async (t) => {
  const world = new MgrWorld(2);
  const client = await world.client();
  const first = await world.complete(client.once(make, mkdir('/d'), 3, 7));
  world.process.restart();
  await world.complete(client.ready());
  t.deepEqual(await world.complete(client.once(make, mkdir('/d'), 3, 7)), first);
  await t.throwsAsync(world.complete(client.once(make, mkdir('/d'), 3, 8)), { message: /EEXIST/ });
});

for (const point of ['mgr.commit.before', 'mgr.commit.after', 'mgr.reply.before'] as const) {
  test(`a create whose mgr is killed at ${point} happens once, and its client hears of it`, async (t) => {
    const world = new MgrWorld(3);
    const client = await world.client();
    world.world.killAt({ process: 'mgr', point, restartAfterMs: 500 });
    const opened = await world.complete(client.create('/file'));
    t.is(world.process.starts, 2);
    t.true(opened.created);
    const page = await world.complete(
      client.call(nameOps.readDirectory, { at: at('/'), after: 0, count: 10, attributes: false }),
    );
    t.is(page.entries.length, 1);
    t.is(page.entries[0]?.handle, opened.attr.handle);
  });
}

test('a failure is not stored: the same sequence may try again', async (t) => {
  const world = new MgrWorld(4);
  const client = await world.client();
  await t.throwsAsync(world.complete(client.once(make, mkdir('/a/b'), 0, 1)), {
    message: /ENOENT/,
  });
  await world.complete(client.mkdir('/a'));
  const { attr } = await world.complete(client.once(make, mkdir('/a/b'), 0, 1));
  t.is(attr.kind, 'directory');
});

test('a late duplicate of an earlier mutation in the slot is not answered (SCENARIOS 165, 166)', async (t) => {
  const world = new MgrWorld(5);
  const client = await world.client();
  await world.complete(client.once(make, mkdir('/a'), 0, 1));
  await world.complete(client.once(make, mkdir('/b'), 0, 2));
  let answered = false;
  client.once(make, mkdir('/c'), 0, 1).then(
    () => (answered = true),
    () => (answered = true),
  );
  await world.pass(15_000);
  t.false(answered);
  await t.throwsAsync(world.complete(client.stat('/c')), { message: /ENOENT/ });
});

test('sequences go on past 32 bits (SCENARIOS 236)', async (t) => {
  const world = new MgrWorld(6);
  const client = await world.client();
  await world.complete(client.once(make, mkdir('/a'), 0, 0xffff_ffff));
  const { attr } = await world.complete(client.once(make, mkdir('/b'), 0, 1));
  t.is(attr.kind, 'directory');
});

test('a slot that was used for another message is refused', async (t) => {
  const world = new MgrWorld(7);
  const client = await world.client();
  await world.complete(client.once(make, mkdir('/a'), 0, 1));
  const other = client.once(nameOps.removeDirectory, { at: at('/a') }, 0, 1);
  await t.throwsAsync(world.complete(other), { message: /EINVAL/ });
});

test('a slot out of range, or no sequence, is a breach of the protocol', async (t) => {
  const world = new MgrWorld(8);
  for (const [slot, sequence] of [
    [256, 1],
    [0, 0],
  ] as const) {
    const client = await world.client();
    await t.throwsAsync(world.complete(client.once(make, mkdir('/x'), slot, sequence)), {
      message: /EPIPE/,
    });
  }
});

async function heldFile(world: MgrWorld, client: MgrClient) {
  const { attr } = await world.complete(client.create('/file'));
  world.iods.sizes.set(attr.handle, 1000);
  return attr.handle;
}

test('a duplicate of a mutation that still waits gets the same answer', async (t) => {
  const world = new MgrWorld(9);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  const request = { handle, length: 10 };
  const first = client.once(fileOps.reserve, request, 5, 1);
  await world.pass(100);
  const second = client.once(fileOps.reserve, request, 5, 1);
  await world.pass(100);
  release();
  t.deepEqual(await world.complete(first), { offset: 1000 });
  t.deepEqual(await world.complete(second), { offset: 1000 });
  t.deepEqual(await world.complete(client.once(fileOps.reserve, request, 5, 2)), { offset: 1010 });
});

test('a mutation that waits survives the loss of its connection and is done once', async (t) => {
  const world = new MgrWorld(10);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  const reserved = client.call(fileOps.reserve, { handle, length: 10 });
  await world.pass(100);
  client.disconnect();
  await world.pass(1000);
  release();
  t.deepEqual(await world.complete(reserved), { offset: 1000 });
  t.deepEqual(await world.complete(client.call(fileOps.reserve, { handle, length: 1 })), {
    offset: 1010,
  });
});

test('a truncation is answered when the iods have done it; again only then, and once', async (t) => {
  const world = new MgrWorld(11);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  let answers = 0;
  const count = (): void => void answers++;
  const first = client.once(nameOps.setAttr, setSize('/file', 10), 4, 1).then(count);
  await world.pass(100);
  const second = client.once(nameOps.setAttr, setSize('/file', 10), 4, 1).then(count);
  await world.pass(100);
  t.is(answers, 0);
  release();
  await world.complete(Promise.all([first, second]));
  t.deepEqual(world.iods.truncated, [handle]);
});

test('a truncation whose mgr was killed before the iods did it is carried out by the next, once', async (t) => {
  const world = new MgrWorld(12);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  const truncated = client.call(nameOps.setAttr, setSize('/file', 10));
  await world.pass(100);
  const changes = world.commits.flat().filter(({ kind }) => kind === 'put-pending').length;
  t.is(changes, 4);
  world.process.kill();
  release();
  world.process.start();
  const { attr } = await world.complete(truncated);
  t.is(attr.size, 10);
  t.deepEqual(world.iods.truncated, [handle]);
  // The change itself was not made a second time.
  t.is(world.commits.flat().filter(({ kind }) => kind === 'put-pending').length, changes);
});

test('a mutation that waits is not made once its slot belongs to a later one, whose reply stays (SCENARIOS 118)', async (t) => {
  const world = new MgrWorld(13);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  const given = client.once(fileOps.reserve, { handle, length: 10 }, 9, 1);
  await world.pass(100);
  const later = await world.complete(client.once(make, mkdir('/d'), 9, 2));
  release();
  await t.throwsAsync(world.complete(given), { message: /ECANCELED/ });
  t.deepEqual(await world.complete(client.once(make, mkdir('/d'), 9, 2)), later);
  const { offset } = await world.complete(client.reserve(handle, 1));
  t.is(offset, 1000, 'nothing was reserved');
});

test('who abandons a mutation hears that it was made, and with which reply, also after a restart (SCENARIOS 118)', async (t) => {
  const world = new MgrWorld(31);
  const client = await world.client();
  const made = await world.complete(client.once(make, mkdir('/d'), 4, 7));
  for (const restarts of [false, true]) {
    if (restarts) {
      world.process.restart();
      await world.complete(client.ready());
    }
    const answer = await world.complete(client.once(sessionOps.abandon, { sequence: 7 }, 4, 8));
    t.deepEqual(answer.made && decode(make.reply, answer.made.reply), made);
  }
});

test('what was abandoned before it came is never made, also after a restart (SCENARIOS 118)', async (t) => {
  const world = new MgrWorld(32);
  const client = await world.client();
  const answer = await world.complete(client.once(sessionOps.abandon, { sequence: 1 }, 4, 2));
  t.is(answer.made, undefined);
  world.process.restart();
  await world.complete(client.ready());
  client.once(make, mkdir('/d'), 4, 1).catch(() => undefined);
  await world.pass(1_000);
  await t.throwsAsync(world.complete(client.stat('/d')), { message: /ENOENT/ });
});

test('a mutation that has waited past the deadline of its caller is not made (SCENARIOS 118)', async (t) => {
  const world = new MgrWorld(33);
  const client = await world.client();
  const handle = await heldFile(world, client);
  const release = world.iods.hold();
  const hurried = client.once(fileOps.reserve, { handle, length: 10 }, 9, 1, 500);
  hurried.catch(() => undefined);
  await world.pass(1_000);
  release();
  await world.pass(100);
  const { offset } = await world.complete(client.reserve(handle, 1));
  t.is(offset, 1000);
});

test('an open or close that comes again is counted once', async (t) => {
  const world = new MgrWorld(14);
  const client = await world.client();
  const flags = openFlags.read | openFlags.create;
  const request = {
    at: at('/f'),
    flags,
    mode: 0o644,
    layout: anyLayout,
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  const opened = await world.complete(client.once(fileOps.open, request, 0, 1));
  await world.complete(client.once(fileOps.open, request, 0, 1));
  const close = {
    handle: opened.attr.handle,
    rights: rights.read,
    size: undefined,
    modified: undefined,
    mayHaveHoles: false,
  };
  await world.complete(client.once(fileOps.close, close, 0, 2));
  await world.complete(client.once(fileOps.close, close, 0, 2));
  await t.throwsAsync(world.complete(client.once(fileOps.close, close, 0, 3)), {
    message: /EBADF/,
  });
});

test('after a failed commit nothing of the tick has happened and every answer says so', async (t) => {
  const world = new MgrWorld(15);
  const client = await world.client();
  await world.complete(client.mkdir('/before'));
  world.commitFailure = new FsError('ENOSPC', { id: 'WEFT_E_DISK' });
  const made = world.complete(client.once(make, mkdir('/d'), 1, 1));
  await t.throwsAsync(made, { message: /ENOSPC/ });
  await t.throwsAsync(world.complete(client.stat('/d')), { message: /ENOENT/ });
  const { attr } = await world.complete(client.once(make, mkdir('/d'), 1, 1));
  t.is((await world.complete(client.stat('/d'))).attr.handle, attr.handle);
});

test('an open whose commit failed leaves no count, no cap in force and no stored reply', async (t) => {
  const world = new MgrWorld(16);
  const client = await world.client();
  world.commitFailure = new FsError('EIO', { id: 'WEFT_E_DISK' });
  await t.throwsAsync(world.complete(client.create('/f')), { message: /EIO/ });
  t.deepEqual(world.iods.entries, []);
  t.deepEqual([...(world.store?.opens() ?? [])], []);
  const opened = await world.complete(client.create('/f'));
  t.true(opened.created);
  t.is(world.iods.entries.length, 1);
});

test('a read in the tick of a failed commit is asked again', async (t) => {
  const world = new MgrWorld(17);
  const client = await world.client();
  world.commitFailure = new FsError('ENOSPC', { id: 'WEFT_E_DISK' });
  const [made, seen] = await world.complete(
    client.together((call) =>
      Promise.allSettled([
        call(make, mkdir('/d')),
        call(nameOps.lookup, { at: at('/d'), follow: true }),
      ]),
    ),
  );
  t.like(made, { status: 'rejected', reason: { code: 'ENOSPC' } });
  // It has seen the directory, was told EAGAIN, and the link has asked again: it is not there.
  t.like(seen, { status: 'rejected', reason: { code: 'ENOENT' } });
});

test('all of a tick is one commit', async (t) => {
  const world = new MgrWorld(18);
  const client = await world.client();
  const before = world.commits.length;
  const names = Array.from({ length: 20 }, (_, i) => `/d${i}`);
  await world.complete(
    client.together((call) => Promise.all(names.map((name) => call(make, mkdir(name))))),
  );
  t.is(world.commits.length, before + 1);
});

test('what waited while its session ended is not done', async (t) => {
  const world = new MgrWorld(19);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/file'))).attr;
  const release = world.iods.hold();
  client.reserve(handle, 10).catch(() => undefined);
  await world.pass(100);
  client.process.kill();
  await world.pass(limits.heartbeatSilenceMs + limits.sessionLeaseMs + 5000);
  release();
  await world.pass(5000);
  t.is(world.store?.inode(handle)?.size, 0);
  t.is(world.store?.sessions().length, 0);
});
