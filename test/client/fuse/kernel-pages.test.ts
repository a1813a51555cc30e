import test from 'ava';
import { KernelPages } from '../../../client/fuse/kernel-pages.ts';
import { type FileAttr, openBits } from '../../../client/fuse/protocol.ts';
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
  t.deepEqual(pages.spoil([small.handle]), [small.handle]);
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
  t.deepEqual(pages.spoil('all'), []);
  t.is(drops.length, 0);
  t.is(pages.open(small, 2), 0);
});

test('whose readers ask already is dropped by what they are told, and by no notice', (t) => {
  const { pages } = stage();
  pages.open(small, 1);
  pages.open(large, 2);
  pages.open(large, 3);
  t.deepEqual(pages.spoil([small.handle]), [small.handle]);
  t.deepEqual(pages.spoil('all'), [large.handle], 'a reader may have just asked for its size');
  t.deepEqual(pages.spoil('all'), []);
  t.true(pages.isSpoiled(small.handle));
});

test('whoever reads a spoiled file is told another time than anybody before him', (t) => {
  const { pages } = stage();
  const times = [0, 1, 511, 512, 999_999_487, 999_999_999];
  for (const modifiedNs of times) {
    const attr = { size: 9, modifiedNs } as FileAttr;
    pages.open(small, 1);
    t.is(pages.forReader(small.handle, attr), attr, 'there is a right to it');
    pages.spoil([small.handle]);
    const told = Array.from({ length: 511 }, () => pages.forReader(small.handle, attr));
    t.is(new Set([modifiedNs, ...told.map((one) => one.modifiedNs)]).size, 512);
    t.true(told.every((one) => one.modifiedNs < 1e9 && one.size === 9));
    t.not(pages.forReader(small.handle, attr).modifiedNs, told.at(-1)?.modifiedNs);
    pages.closed(small.handle, 1);
    t.is(pages.forReader(small.handle, attr), attr, 'nobody has it open');
  }
});

test('who opens it anew is not told the time that the kernel has from before', (t) => {
  const { pages } = stage();
  const attr = { size: 9, modifiedNs: 0 } as FileAttr;
  const tell = (reader: number): number => {
    pages.open(small, reader);
    pages.spoil([small.handle]);
    const { modifiedNs } = pages.forReader(small.handle, attr);
    pages.closed(small.handle, reader);
    return modifiedNs;
  };
  t.is(new Set([tell(1), tell(2), tell(3)]).size, 3);
  pages.forgotten(small.handle);
  t.is(tell(4), 1, 'it knows nothing of it any more');
});

test('a recall is told of a drop that fails', async (t) => {
  const { pages, drops, timers } = stage();
  pages.open(small, 1);
  pages.spoil([small.handle]);
  const dropped = pages.dropSoon([small.handle]);
  await settled();
  drops[0]?.end(new FsError('EIO'));
  await t.throwsAsync(dropped, { message: /EIO/ });
  t.is(timers.length, 0);
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

test('a file that is spoiled again and again while drops hang waits for one drop', async (t) => {
  const { pages, drops } = stage();
  const handles = Array.from({ length: limits.fuseDropsMax + 1 }, (_, i) => (20 + i) as Handle);
  for (const handle of handles) pages.open({ handle, size: 1 }, handle);
  pages.spoil(handles);
  const recalls = Array.from({ length: 50 }, () => pages.dropSoon(handles.slice(-1)));
  t.is(drops.length, limits.fuseDropsMax, 'those of one file, which no other recall holds up');
  drops[0]?.end();
  await settled();
  t.is(drops.length, limits.fuseDropsMax + 1);
  for (const { end } of drops) end();
  t.true(await isOver(Promise.all(recalls)));
  t.is(drops.length, limits.fuseDropsMax + 1);
});
