import test from 'ava';
import { isGenuineCap } from '../../shared/auth.ts';
import { limits } from '../../shared/limits.ts';
import { fileOps, nameOps, openFlags } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { at, MgrWorld } from './mgr-world.ts';
import { Asked } from './mount.ts';

const { read, write, create, truncate } = openFlags;
const both = rights.read | rights.write;

test('a cap is signed for its session, and carries all rights that the session has', async (t) => {
  const world = new MgrWorld(1);
  const client = await world.client();
  const first = await world.complete(client.open('/f', read | create));
  t.true(isGenuineCap(world.secret, first.cap));
  const { attr } = first;
  t.like(first.cap.body, { session: client.id, handle: attr.handle, rights: rights.read });
  const second = await world.complete(client.open('/f', write));
  t.is(second.cap.body.rights, both);
  t.true(second.cap.body.sequence > first.cap.body.sequence);
  t.is(second.cap.body.generation, 1);
});

test('the iods hear of changes of rights, in order, and of nothing else', async (t) => {
  const world = new MgrWorld(2);
  const client = await world.client();
  const { attr } = await world.complete(client.open('/f', read | create));
  const { handle } = attr;
  await world.complete(client.open('/f', read));
  await world.complete(client.open('/f', write));
  await world.complete(client.close(handle, rights.read));
  await world.complete(client.close(handle, rights.read));
  await world.complete(client.close(handle, rights.write));
  const { entries } = world.iods;
  t.deepEqual(
    entries.map((entry) => entry.rights),
    [1, 3, 2, 0],
  );
  const sequences = entries.map(({ sequence }) => sequence);
  t.deepEqual(
    sequences,
    sequences.toSorted((a, b) => a - b),
  );
  t.is(new Set(sequences).size, 4);
});

test('the numbers of the stream of opens never fall back, also over restarts (SCENARIOS 82)', async (t) => {
  const world = new MgrWorld(3);
  const client = await world.client();
  const before = (await world.complete(client.open('/f', read | create))).cap.body;
  world.process.restart();
  await world.complete(client.ready());
  const after = (await world.complete(client.open('/f', write))).cap.body;
  t.true(after.sequence > before.sequence);
  t.true(after.generation > before.generation);
});

test('an unlinked file lives until its last close, then its bytes are to be removed', async (t) => {
  const world = new MgrWorld(4);
  const client = await world.client();
  const { attr } = await world.complete(client.create('/f'));
  await world.complete(client.unlink('/f'));
  t.is((await world.complete(client.getAttr(attr.handle))).attr.links, 0);
  t.is(world.store?.pendingCount(), 0);
  await world.complete(client.close(attr.handle, both));
  await t.throwsAsync(world.complete(client.getAttr(attr.handle)), { message: /ESTALE/ });
  t.is(world.store?.pendingCount(), 4);
});

test('the size of a file that somebody writes is asked of the iods; of others it is stored', async (t) => {
  const world = new MgrWorld(5);
  const [writer, other] = [await world.client(), await world.client()];
  const { attr } = await world.complete(writer.create('/f'));
  world.iods.sizes.set(attr.handle, 300);
  t.like((await world.complete(other.stat('/f'))).attr, { size: 300, sizeExact: true });
  world.iods.exact = false;
  t.like((await world.complete(other.stat('/f'))).attr, { size: 300, sizeExact: false });
  await world.complete(writer.close(attr.handle, both, 250));
  const { asked } = world.iods;
  t.like((await world.complete(other.stat('/f'))).attr, { size: 250, sizeExact: true });
  t.is(world.iods.asked, asked);
});

test('the only writer, which completes what is stored, is told without asking the iods', async (t) => {
  const world = new MgrWorld(52);
  const [writer, other] = [await world.client(), await world.client()];
  const { handle } = (await world.complete(writer.create('/f'))).attr;
  world.iods.sizes.set(handle, 300);
  const seen = async (client: typeof writer) => {
    const { asked } = world.iods;
    const { attr } = await world.complete(client.call(nameOps.storedAttr, { handle }));
    t.is(world.iods.asked, asked);
    return attr;
  };
  t.like(await seen(writer), { size: 0, sizeExact: true });
  t.like(await seen(other), { size: 0, sizeExact: false }, 'it writes nothing that it could add');
  await world.complete(other.open('/f', openFlags.write));
  t.false((await seen(writer)).sizeExact);
  await world.complete(other.close(handle, rights.write));
  t.true((await seen(writer)).sizeExact);
  await world.complete(other.truncate('/f', 10));
  t.false((await seen(writer)).sizeExact, 'what it knows of the size is void');
});

test('who asks while the file goes is told that it is gone, and no size', async (t) => {
  const world = new MgrWorld(41);
  const client = await world.client();
  const other = await world.client();
  const { attr } = await world.complete(client.create('/f'));
  const { handle } = attr;
  world.iods.sizes.set(handle, 300);
  const release = world.iods.hold();
  const asked = [other.stat('/f'), other.getAttr(handle)].map((one) => new Asked(one));
  await world.pass(100);
  await world.complete(client.unlink('/f'));
  await world.complete(client.close(handle, both));
  world.iods.sizes.delete(handle);
  release();
  for (const { answer } of asked) await t.throwsAsync(world.complete(answer), { code: 'ENOENT' });
});

test('who asks while the last writer closes is told what is stored then', async (t) => {
  const world = new MgrWorld(51);
  const [writer, other] = [await world.client(), await world.client()];
  const { attr } = await world.complete(writer.create('/f'));
  const release = world.iods.hold();
  world.iods.exact = false;
  const seen = other.stat('/f');
  await world.complete(writer.close(attr.handle, both, 250));
  release();
  t.like((await world.complete(seen)).attr, { size: 250, sizeExact: true });
});

test('a listing and a change tell that a size may be larger by now', async (t) => {
  const world = new MgrWorld(6);
  const client = await world.client();
  await world.complete(client.create('/f'));
  const page = await world.complete(
    client.call(nameOps.readDirectory, { at: at('/'), after: 0, count: 10, attributes: true }),
  );
  t.false(page.entries[0]?.attr?.sizeExact);
  const linked = await world.complete(
    client.call(nameOps.link, { from: at('/f'), to: at('/g'), follow: false }),
  );
  t.false(linked.attr.sizeExact);
});

test('extend and close raise the size, never lower it, and survive a restart', async (t) => {
  const world = new MgrWorld(7);
  const client = await world.client();
  const { attr } = await world.complete(client.create('/f'));
  t.is((await world.complete(client.extend(attr.handle, 1000))).attr.size, 1000);
  await world.complete(client.close(attr.handle, both, 10));
  world.process.restart();
  await world.complete(client.ready());
  t.is((await world.complete(client.stat('/f'))).attr.size, 1000);
});

test('what a writer reports after its file was truncated counts for nothing: the iods are asked', async (t) => {
  const world = new MgrWorld(8);
  const [writer, other] = [await world.client(), await world.client()];
  const { handle } = (await world.complete(writer.create('/f'))).attr;
  world.iods.sizes.set(handle, 1000);
  await world.complete(other.truncate('/f', 10));
  t.is((await world.complete(writer.extend(handle, 1000))).attr.size, 10);
  world.iods.sizes.set(handle, 20);
  await world.complete(writer.close(handle, both, 1000));
  t.is((await world.complete(other.stat('/f'))).attr.size, 20);
});

test('so does what a writer reports after a restart of the mgr', async (t) => {
  const world = new MgrWorld(9);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  world.iods.sizes.set(handle, 50);
  world.process.restart();
  await world.complete(client.ready());
  await world.complete(client.close(handle, both, 1000));
  t.is((await world.complete(client.stat('/f'))).attr.size, 50);
});

test('a close that must ask waits for an iod that is away, within its deadline', async (t) => {
  const world = new MgrWorld(10);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  world.process.restart();
  await world.complete(client.ready());
  world.iods.exact = false;
  world.iods.sizes.set(handle, 9);
  const closed = client.close(handle, both, 9);
  await world.pass(3000);
  world.iods.exact = true;
  await world.complete(closed);
  t.is((await world.complete(client.stat('/f'))).attr.size, 9);
});

test('no two reservations overlap, and together they leave no gap', async (t) => {
  const world = new MgrWorld(12);
  const [one, two] = [await world.client(), await world.client()];
  const { handle } = (await world.complete(one.create('/log'))).attr;
  await world.complete(two.open('/log', write));
  world.iods.sizes.set(handle, 100);
  const lengths = Array.from({ length: 20 }, (_, i) => i + 1);
  const replies = await world.complete(
    Promise.all(lengths.map((length, i) => (i % 2 ? one : two).reserve(handle, length))),
  );
  const ranges = replies.map(({ offset }, i) => ({ offset, end: offset + (lengths[i] ?? 0) }));
  let end = 100;
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    t.is(range.offset, end);
    end = range.end;
  }
  t.is((await world.complete(one.stat('/log'))).attr.size, end);
});

test('a reservation beyond the largest file is EFBIG, without the right to write EBADF', async (t) => {
  const world = new MgrWorld(13);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  await world.complete(client.reserve(handle, 1));
  const huge = client.reserve(handle, limits.fileBytesMax);
  await t.throwsAsync(world.complete(huge), { message: /EFBIG/ });
  await world.complete(client.close(handle, both));
  await t.throwsAsync(world.complete(client.reserve(handle, 1)), { message: /EBADF/ });
  await t.throwsAsync(world.complete(client.extend(handle, 1)), { message: /EBADF/ });
  await t.throwsAsync(world.complete(client.close(handle, both, 1)), { message: /EBADF/ });
});

test('an open that truncates is answered when the iods have cut the file', async (t) => {
  const world = new MgrWorld(14);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  world.iods.sizes.set(handle, 500);
  await world.complete(client.close(handle, both, 500));
  const release = world.iods.hold();
  let answered = false;
  const opened = client.open('/f', write | truncate).then((reply) => {
    answered = true;
    return reply;
  });
  await world.pass(1000);
  t.false(answered);
  release();
  t.is((await world.complete(opened)).attr.size, 0);
  t.deepEqual(world.iods.truncated, [handle]);
  t.is((await world.complete(client.stat('/f'))).attr.size, 0);
});

test('an open that truncates an empty file asks nobody', async (t) => {
  const world = new MgrWorld(15);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  await world.complete(client.close(handle, both));
  const release = world.iods.hold();
  await world.complete(client.open('/f', write | truncate));
  t.is(world.store?.pendingCount(), 0);
  release();
});

test('who opens a file or asks for it while it is truncated waits until it is', async (t) => {
  const world = new MgrWorld(16);
  const [one, two] = [await world.client(), await world.client()];
  const { handle } = (await world.complete(one.create('/f'))).attr;
  world.iods.sizes.set(handle, 500);
  await world.complete(one.close(handle, both, 500));
  const release = world.iods.hold();
  const done: string[] = [];
  const note = (what: string) => (): void => void done.push(what);
  const cut = one.truncate('/f', 0).then(note('cut'));
  await world.pass(100);
  const all = Promise.all([
    cut,
    two.open('/f', write).then(note('opened')),
    two.stat('/f').then(note('told')),
  ]);
  await world.pass(1000);
  t.deepEqual(done, []);
  release();
  await world.complete(all);
  t.deepEqual(done.toSorted(), ['cut', 'opened', 'told']);
});

test('a truncation that a crash cut short is taken up before its file is opened again', async (t) => {
  const world = new MgrWorld(20);
  const [one, two] = [await world.client(), await world.client()];
  const { handle } = (await world.complete(one.create('/f'))).attr;
  await world.complete(one.close(handle, both, 500));
  world.iods.hold();
  one.truncate('/f', 0).catch(() => undefined);
  await world.pass(100);
  one.process.kill();
  world.process.kill();
  const release = world.iods.hold();
  world.process.start();
  let opened = false;
  const open = two.open('/f', write).then(() => (opened = true));
  await world.pass(5000);
  t.false(opened);
  release();
  await world.complete(open);
  t.deepEqual(world.iods.truncated, [handle]);
});

test('a deeper cut that an iod has still to do is kept when the file is made longer', async (t) => {
  const world = new MgrWorld(17);
  const client = await world.client();
  const { handle } = (await world.complete(client.create('/f'))).attr;
  await world.complete(client.extend(handle, 10 * limits.stripeBytesDefault));
  const lengths = (): (number | undefined)[] =>
    [0, 1, 2, 3].map((iod) => world.store?.pending(iod as never, 0 as never, 1)[0]?.length);
  world.iods.away = true;
  await world.complete(client.truncate('/f', 10));
  const short = lengths();
  await world.complete(client.truncate('/f', 8 * limits.stripeBytesDefault));
  t.deepEqual(lengths(), short);
  await world.complete(client.truncate('/f', 0));
  t.deepEqual(lengths(), [0, 0, 0, 0]);
});

test('a directory can be opened for reading, is not held, and cannot be written', async (t) => {
  const world = new MgrWorld(18);
  const client = await world.client();
  await world.complete(client.mkdir('/d'));
  const opened = await world.complete(client.open('/d', read | openFlags.directory));
  t.is(opened.attr.kind, 'directory');
  t.is(opened.layout.pcount, 0);
  t.deepEqual(world.iods.entries, []);
  await t.throwsAsync(world.complete(client.open('/d', write)), { message: /EISDIR/ });
  await t.throwsAsync(world.complete(client.open('/f', create)), { message: /EINVAL/ });
});

test('an open that fails leaves no file, no count and nothing for the iods', async (t) => {
  const world = new MgrWorld(19);
  const client = await world.client();
  const request = {
    at: at('/f'),
    flags: write | create,
    mode: 0o644,
    layout: { base: undefined, pcount: 99, ssize: undefined },
    maker: undefined,
    handle: undefined,
    near: undefined,
  };
  await t.throwsAsync(world.complete(client.call(fileOps.open, request)), { message: /EINVAL/ });
  t.is(world.store?.fileCount(), 0);
  t.deepEqual(world.iods.entries, []);
});
