import { EventEmitter, once } from 'node:events';
import test from 'ava';
import { KernelCache } from '../../../client/fuse/kernel-cache.ts';
import { NodeTable } from '../../../client/fuse/node-table.ts';
import { notifyCodes, openBits, revokedInode } from '../../../client/fuse/protocol.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';
import type { Attr } from '../../../shared/wire/values.ts';

const [directory, file] = [1 as Handle, 2 as Handle];

function stage({ knowsEpochs = true } = {}) {
  const nodes = new NodeTable();
  const told: string[] = [];
  /** Nodes of which the kernel has not heard yet. */
  const unheard = new Set<number>();
  const time = { now: 0 };
  /** Until then the kernel takes no notices of epochs. */
  const gate = { open: Promise.resolve() };
  const clock = {
    now: () => time.now,
    timer: (delayMs: number, run: () => void) => {
      time.now += delayMs;
      queueMicrotask(run);
      return { cancel: () => undefined };
    },
  } as unknown as Clock;
  const cache = new KernelCache({
    clock,
    nodes,
    notify: async (code, content) => {
      if (code === notifyCodes.newEpoch) {
        await gate.open;
        told.push('epoch');
        return;
      }
      const { node, offset } = revokedInode.read(Buffer.from(content), 0);
      told.push(`${node} ${offset}`);
      if (unheard.has(node)) throw new FsError('ENOENT');
    },
  });
  cache.agreed({ knowsEpochs });
  return { cache, nodes, told, unheard, time, gate };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('only what the kernel was told is taken back from it, names by a new epoch', async (t) => {
  const { cache, told } = stage();
  t.is(cache.tellAttr(file, 1000, false), 1000);
  t.is(cache.tellName(directory, 1000), limits.fuseByNameMs);
  await cache.revoke([3 as Handle]);
  t.deepEqual(told, []);
  await cache.revoke([file]);
  t.deepEqual(told, ['2 -1']);
  await cache.revoke([directory, file]);
  t.deepEqual(told, ['2 -1', 'epoch']);
});

test('no epoch begins before the kernel has stored the names of a listing', async (t) => {
  const { cache, told, time } = stage();
  const stream = 4;
  const other = 5 as Handle;
  // Of a listing that is not taken by then it is certain that it has been stored.
  const longest = limits.rightAtMgrMs - limits.rightMs;
  t.is(cache.tellListing(stream, directory, 1000), limits.fuseByNameMs);
  cache.tellName(other, 1000);
  await cache.revoke([other]);
  t.deepEqual([told, time.now], [['epoch'], 0], 'names of another directory need not wait');
  await cache.revoke([directory]);
  t.deepEqual([told, time.now], [['epoch', 'epoch'], longest]);
  cache.tellListing(stream, directory, 1000);
  await cache.listingTaken(stream);
  await cache.revoke([directory]);
  t.deepEqual([told.length, time.now], [3, longest]);
  cache.tellListing(stream, directory, 1000);
  await cache.revoke([directory]);
  t.is(told.length, 4);
  await cache.listingTaken(stream);
  t.deepEqual(told.slice(4), ['epoch', '1 0'], 'it may have been stored after all that');
  await cache.listingTaken(stream);
  t.is(told.length, 6);
});

test('the kernel keeps a listing while what came with it is good for some time', (t) => {
  const { cache, time } = stage();
  t.is(cache.openListing(directory), openBits.cacheDirectory, 'it may keep what it reads');
  cache.keepListing(directory, limits.rightMs);
  const kept = openBits.cacheDirectory | openBits.keepCache;
  t.is(cache.openListing(directory), kept);
  time.now = limits.rightMs - limits.fuseListingLeftMs - 1;
  t.is(cache.openListing(directory), kept);
  time.now += 1;
  t.is(cache.openListing(directory), openBits.cacheDirectory, 'it asks for all of it again');
});

test('a listing is taken back whole, however old, when it is stored and not before', async (t) => {
  const { cache, told, time } = stage();
  cache.keepListing(directory, 1000);
  time.now = 100_000;
  await cache.revoke([directory]);
  t.deepEqual(told, ['1 0']);
  t.is(cache.openListing(directory), openBits.cacheDirectory);
  await cache.revoke([directory]);
  t.deepEqual(told, ['1 0']);
  cache.keepListing(directory, 1000);
  cache.tellListing(4, directory, 1000);
  const revoked = cache.revoke('all');
  t.is(told.length, 1);
  await revoked;
  t.deepEqual(told.slice(1).toSorted(), ['1 0', 'epoch']);
  t.is(time.now, 100_000 + limits.rightAtMgrMs - limits.rightMs);
});

test('a listing to which there was no right is dropped before the kernel has all of it', async (t) => {
  const { cache, told } = stage();
  cache.keepListing(directory, 0);
  cache.keepListing(directory, 1000);
  t.is(cache.openListing(directory), openBits.cacheDirectory, 'its beginning may be of the first');
  await cache.dropSpoiled(directory);
  await cache.dropSpoiled(directory);
  t.deepEqual(told, ['1 0']);
  cache.keepListing(directory, limits.rightMs);
  await cache.dropSpoiled(directory);
  t.is(cache.openListing(directory), openBits.cacheDirectory | openBits.keepCache);
});

test('no listing of a directory is known that the kernel has given back', async (t) => {
  const { cache, told, unheard } = stage();
  cache.keepListing(directory, 1000);
  cache.forgotten(directory);
  await cache.revoke([directory]);
  t.deepEqual(told, []);
  unheard.add(directory);
  cache.keepListing(directory, 1000);
  await t.notThrowsAsync(cache.revoke([directory]), 'its word is on the way');
});

test('a kernel is told no more names in listings than can be watched', (t) => {
  const { cache, time } = stage();
  for (let stream = 0; stream < limits.directoriesWatchedMax; stream++) {
    t.is(cache.tellListing(stream, directory, 1000), limits.fuseByNameMs);
  }
  t.is(cache.tellListing(-1, directory, 1000), 0);
  time.now = limits.rightAtMgrMs;
  t.is(cache.tellListing(-1, directory, 1000), limits.fuseByNameMs);
});

test('all of it is taken back when the rights are lost', async (t) => {
  const { cache, told } = stage();
  cache.tellAttr(file, 1000, false);
  cache.tellName(directory, 1000);
  await cache.revoke('all');
  t.deepEqual(told.toSorted(), ['2 -1', 'epoch']);
  await cache.revoke('all');
  t.is(told.length, 2);
});

test('who has lost all rights waits also for what is being taken back by then', async (t) => {
  const { cache, told, gate } = stage();
  const kernel = new EventEmitter();
  gate.open = once(kernel, 'hears').then(() => undefined);
  cache.tellName(directory, 1000);
  // Its mgr dies, so that nobody waits for it any more.
  void cache.revoke([directory]);
  let isOver = false;
  const all = cache.revoke('all').then(() => (isOver = true));
  const other = cache.revoke([file]);
  await other;
  await turn();
  t.deepEqual([isOver, told], [false, []]);
  kernel.emit('hears');
  await all;
  t.deepEqual(told, ['epoch']);
});

test('what fails of it is told at the end, and not lost while others are waited for', async (t) => {
  const { cache, gate } = stage();
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const [kernel, later] = [new EventEmitter(), new EventEmitter()];
  gate.open = once(kernel, 'hears').then(() => undefined);
  cache.tellName(directory, 1000);
  const before = cache.revoke([directory]);
  await turn();
  gate.open = once(later, 'hears').then(() => undefined);
  cache.tellName(file, 1000);
  const all = cache.revoke('all');
  await turn();
  later.emit('error', new FsError('EIO'));
  await turn();
  t.deepEqual(unhandled, [], 'a process would end upon it');
  kernel.emit('hears');
  await before;
  await t.throwsAsync(all, { code: 'EIO' });
});

test('what is over in the kernel need not be taken back', async (t) => {
  const { cache, told, time } = stage();
  cache.tellAttr(file, 1000, false);
  time.now = 1000 + limits.rightAtMgrMs;
  await cache.revoke([file]);
  t.deepEqual(told, []);
});

test('what is reached by names alone stays until it is taken back', async (t) => {
  const { cache, told, time } = stage();
  t.is(cache.tellAttr(file, 1000, true), limits.fuseByNameMs);
  t.is(cache.tellName(directory, 1000), limits.fuseByNameMs);
  t.is(cache.tellName(directory, 0), 0, 'without a right nothing is told');
  time.now = limits.fuseByNameMs;
  await cache.revoke([file, directory]);
  t.deepEqual(told, ['2 -1', 'epoch']);
});

test('who has opened a file may look at it without its name: no longer than the right lasts', async (t) => {
  const { cache, told } = stage();
  cache.tellAttr(file, 1000, true);
  await cache.opened(file);
  t.deepEqual(told, ['2 -1']);
  t.is(cache.tellAttr(file, 1000, false), 1000);
  await cache.opened(file);
  t.deepEqual(told, ['2 -1'], 'what is over soon may stay');
});

test('what stays leaves room for what does not', (t) => {
  const { cache } = stage();
  const last = limits.cachedNamesMax / 2;
  for (let i = 0; i < last; i++) cache.tellAttr((10 + i) as Handle, 1000, true);
  t.is(cache.tellAttr(file, 1000, true), 1000);
  cache.forgotten(10 as Handle);
  cache.forgotten(file);
  t.is(cache.tellAttr(file, 1000, true), limits.fuseByNameMs);
});

test('a name that is told for a short time does not hide one that stays', async (t) => {
  const { cache, told, time } = stage();
  cache.tellAttr(file, 1000, true);
  cache.tellAttr(file, 1000, false);
  time.now = 10_000;
  await cache.revoke([file]);
  t.deepEqual(told, ['2 -1']);
});

test('when names were taken back the kernel asks for listings again', async (t) => {
  const { cache } = stage();
  cache.keepListing(directory, limits.fuseByNameMs);
  t.is(cache.openListing(directory), openBits.cacheDirectory | openBits.keepCache);
  cache.tellName(5 as Handle, 1000);
  await cache.revoke([5 as Handle]);
  t.is(cache.openListing(directory), openBits.cacheDirectory);
});

test('a kernel without epochs is told no names', (t) => {
  const { cache } = stage({ knowsEpochs: false });
  t.is(cache.tellName(directory, 1000), 0);
  t.is(cache.tellAttr(file, 1000, false), 1000);
  t.is(cache.openListing(directory), 0);
});

test('an inode of which the kernel is about to learn is taken back again until it knows it', async (t) => {
  const { cache, nodes, told, unheard, time } = stage();
  nodes.refer({ handle: file, mode: 0 } as Attr);
  unheard.add(file);
  cache.tellAttr(file, 1000, false);
  const revoked = cache.revoke([file]);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  const tries = told.length;
  t.true(tries > 1);
  await revoked;
  t.true(time.now >= limits.rightAtMgrMs - limits.rightMs, 'by then our answer was heard');

  const other = stage();
  other.unheard.add(file);
  other.cache.tellAttr(file, 1000, false);
  await other.cache.revoke([file]);
  t.is(other.told.length, 1, 'the kernel has given it back');
});

test('pages are taken back when the attributes are over; then these are told for no time', async (t) => {
  const { cache, told } = stage();
  cache.pages.agreed({ isGated: true });
  cache.pages.open({ handle: file, size: 1 }, 1);
  cache.tellAttr(file, 1000, false);
  await cache.revoke([file]);
  t.deepEqual(told, ['2 -1', '2 0']);
  t.is(cache.tellAttr(file, 1000, false), 0);
  cache.pages.closed(file, 1);
  t.is(cache.tellAttr(file, 1000, false), 1000);
});

test('of what this mount changes itself the kernel asks anew, if it keeps pages of it', async (t) => {
  const { cache, told } = stage();
  cache.pages.agreed({ isGated: true });
  cache.tellAttr(file, 1000, false);
  await cache.changed(file);
  t.deepEqual(told, []);
  cache.pages.open({ handle: file, size: 1 }, 1);
  await cache.changed(file);
  t.deepEqual(told, ['2 -1'], 'a notice for pages would wait for whoever has asked for the change');
});
