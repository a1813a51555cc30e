import test from 'ava';
import { KernelPages } from '../../../client/fuse/kernel-pages.ts';
import { openBits } from '../../../client/fuse/protocol.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';

const { directIo, keepCache } = openBits;
const small = { handle: 7 as Handle, size: 100 };
const large = { handle: 8 as Handle, size: limits.fuseKeptAtOnceBytesMax + 1 };

interface Dropping {
  readonly handle: Handle;
  readonly end: (error?: FsError) => void;
}

function stage() {
  const timers: { readonly delayMs: number; readonly run: () => void }[] = [];
  const drops: Dropping[] = [];
  const clock = {
    now: () => 0,
    timer: (delayMs: number, run: () => void) => {
      const timer = { delayMs, run };
      timers.push(timer);
      return { cancel: () => timers.splice(timers.indexOf(timer), 1) };
    },
  } as unknown as Clock;
  const pages = new KernelPages({
    clock,
    drop: (handle) =>
      new Promise((resolve, reject) => {
        const end = (error?: FsError) => (error === undefined ? resolve() : reject(error));
        drops.push({ handle, end });
      }),
  });
  pages.agreed({ isGated: true });
  return { pages, drops, timers };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** @returns whether it is over by now */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  void promise.then(() => (over = true));
  await settled();
  return over;
}

test('pages are kept from one open to the next once the first has dropped what was there', (t) => {
  const { pages } = stage();
  t.is(pages.open(small, 1), 0);
  t.is(pages.open(small, 2), 0, 'perhaps the first has not dropped them yet');
  pages.read(small.handle, 2);
  t.is(pages.open(small, 3), keepCache);
  for (const reader of [1, 2, 3]) pages.closed(small.handle, reader);
  t.is(pages.open(small, 4), keepCache);
  pages.closed(small.handle, 4);
  pages.forgotten(small.handle);
  t.is(pages.open(small, 5), 0);
});

test('of a large file pages are kept when it is opened again, of a very large one never', (t) => {
  const { pages } = stage();
  t.is(pages.open(large, 1), directIo);
  pages.read(large.handle, 1);
  t.is(pages.open(large, 2), 0, 'what the first has read is not of the page cache');
  const tooLarge = { handle: 9 as Handle, size: limits.fuseKeptFileBytesMax + 1 };
  t.deepEqual([pages.open(tooLarge, 3), pages.open(tooLarge, 4)], [directIo, directIo]);
});

test('a kernel that does not look at attributes before it reads keeps none', (t) => {
  const { pages } = stage();
  pages.agreed({ isGated: false });
  t.is(pages.open(small, 1), directIo);
});

test('with the right the pages go, and whoever opens the file meanwhile goes around them', async (t) => {
  const { pages, drops } = stage();
  pages.open(small, 1);
  t.true(pages.spoil([small.handle]));
  t.true(pages.isSpoiled(small.handle));
  t.is(pages.open(small, 2), directIo);
  const dropped = pages.dropSoon([small.handle]);
  t.false(await isOver(dropped));
  drops[0]?.end();
  t.true(await isOver(dropped));
  pages.closed(small.handle, 1);
  t.false(pages.isSpoiled(small.handle));
  t.is(pages.open(small, 3), 0);
});

test('of a file that nobody has open nothing is dropped: the next who opens it does that', async (t) => {
  const { pages, drops } = stage();
  pages.open(small, 1);
  pages.closed(small.handle, 1);
  t.false(pages.spoil('all'));
  t.true(await isOver(pages.dropSoon('all')));
  t.is(drops.length, 0);
  t.is(pages.open(small, 2), 0);
});

test('whoever reads a spoiled file waits for a drop of all that was read before he asked', async (t) => {
  const { pages, drops, timers } = stage();
  pages.open(small, 1);
  pages.spoil([small.handle]);
  const first = pages.settled(small.handle);
  pages.read(small.handle, 1);
  t.is(timers.length, 0, 'it may be a mapping');
  const second = pages.settled(small.handle);
  await settled();
  t.is(drops.length, 2, 'the first may have missed what was read after it had begun');
  drops[0]?.end();
  t.true(await isOver(first));
  t.false(await isOver(second));
  drops[1]?.end();
  t.true(await isOver(second));
  t.true(await isOver(pages.settled(small.handle)), 'nothing was read since');
  t.like(timers, [{ delayMs: limits.fuseSpoiledReadMs }]);
  pages.read(small.handle, 1);
  timers[0]?.run();
  await settled();
  t.is(drops.length, 3, 'it goes by itself, too');
  timers[1]?.run();
  t.is(timers.length, 2, 'until nothing is read any more');
});

test('a drop that fails is told to who waits for it, and tried again by the next', async (t) => {
  const { pages, drops } = stage();
  pages.open(small, 1);
  pages.spoil([small.handle]);
  const first = pages.settled(small.handle);
  await settled();
  drops[0]?.end(new FsError('EIO'));
  await t.throwsAsync(first, { message: /EIO/ });
  const second = pages.settled(small.handle);
  await settled();
  drops[1]?.end();
  await t.notThrowsAsync(second);
});

test('pages that are long in coming hold up a recall for a moment, and few threads', async (t) => {
  const { pages, drops, timers } = stage();
  const handles = Array.from({ length: limits.fuseDropsMax + 1 }, (_, i) => (20 + i) as Handle);
  for (const handle of handles) pages.open({ handle, size: 1 }, handle);
  pages.spoil(handles);
  const dropped = pages.dropSoon(handles);
  t.false(await isOver(dropped));
  t.is(drops.length, limits.fuseDropsMax);
  t.like(timers, [{ delayMs: limits.fuseDropMs }]);
  timers[0]?.run();
  t.true(await isOver(dropped));
  drops[0]?.end();
  await settled();
  t.is(drops.length, handles.length);
});
