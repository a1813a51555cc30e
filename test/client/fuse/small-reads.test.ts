/** Bytes of small files, asked for without an open: together, and ahead of who reads one after another. */
import test from 'ava';
import { OpenFiles } from '../../../client/fuse/open-files.ts';
import { SmallContents } from '../../../client/fuse/small-contents.ts';
import { SmallReads } from '../../../client/fuse/small-reads.ts';
import type { Control } from '../../../client/control.ts';
import type { File } from '../../../client/file.ts';
import type { HandleAccess } from '../../../client/handle-access.ts';
import type { Known, Moment } from '../../../client/name-cache.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Handle } from '../../../shared/units.ts';
import type { Attr } from '../../../shared/wire/values.ts';
import { isOver, soon } from '../passing-time.ts';

interface Asked {
  readonly handles: readonly number[];
  readonly control: Control;
  readonly resolve: (reply: object) => void;
  readonly reject: (error: FsError) => void;
}

const nameOf = (handle: number): string => `file ${handle}`;

/** Small files to which there is a right, with handles behind each other. */
function stage(from = 1, to = 400) {
  const known = new Map<number, Known>();
  const learn = (handle: number, also: Partial<Attr> = {}, since = handle): Known => {
    const attr = { handle, place: 'mgr', size: nameOf(handle).length, ...also } as Attr;
    const one = { attr, since: since as Moment };
    known.set(handle, one);
    return one;
  };
  for (let handle = from; handle <= to; handle++) learn(handle);
  const asked: Asked[] = [];
  const access = {
    knownOf: (handle: Handle) => known.get(handle),
    call: (_: unknown, request: { readonly handles: readonly Handle[] }, control: Control) =>
      new Promise((resolve, reject) => {
        asked.push({ handles: [...request.handles], control, resolve, reject });
      }),
  } as unknown as HandleAccess;
  const files = new OpenFiles();
  const contents = new SmallContents();
  const reads = new SmallReads({ access, files, contents });
  const read = (handle: number): Promise<Buffer | undefined> => {
    const one = known.get(handle);
    if (one === undefined) throw new Error(`${handle} is not known`);
    return reads.read(one);
  };
  /** @param told of each its bytes; `undefined`: nothing */
  const answer = async (told: (handle: number) => string | undefined = nameOf): Promise<void> => {
    for (const { handles, resolve } of asked.splice(0)) {
      const all = handles.map((handle) => told(handle));
      const lengths = all.map((text) => text?.length);
      resolve({ lengths, contents: Buffer.from(all.join('')) });
    }
    await soon();
  };
  const kept = (handle: number): string | undefined =>
    contents.find(handle as Handle, known.get(handle)?.since as Moment)?.toString();
  /** As a program that reads all of them in turn. @returns how many were asked for by each message */
  const walk = async (handles: Iterable<number>): Promise<number[]> => {
    const counts: number[] = [];
    for (const handle of handles) {
      if (kept(handle) !== undefined) continue;
      const reading = read(handle);
      counts.push(...asked.map((one) => one.handles.length));
      await answer();
      if ((await reading)?.toString() !== nameOf(handle)) throw new Error(`${handle} is another`);
    }
    return counts;
  };
  return { known, learn, asked, files, contents, read, answer, kept, walk };
}

function* range(from: number, to: number): Iterable<number> {
  for (let i = from; i <= to; i++) yield i;
}

const text = async (bytes: Promise<Buffer | undefined>) => (await bytes)?.toString();

test('who reads a file that is being asked for waits for the same answer', async (t) => {
  const { read, asked, answer, kept } = stage();
  const both = [read(5), read(5)];
  t.deepEqual(
    asked.map(({ handles }) => handles),
    [[5]],
  );
  await answer();
  t.deepEqual(await Promise.all(both.map(text)), ['file 5', 'file 5']);
  t.is(kept(5), 'file 5');
  await answer();
  void read(5);
  t.is(asked.length, 1, 'what is over is asked for anew');
});

test('whoever reads one file after another is asked for more of them each time, up to a bound', async (t) => {
  const { walk } = stage();
  const most = limits.smallFilesPerRead;
  const counts = await walk(range(1, 200));
  t.deepEqual(counts.slice(0, 9), [1, 2, 4, 8, 16, most, most, most, most]);
});

test('who reads here and there is asked for what he reads', async (t) => {
  const { walk } = stage();
  t.deepEqual(await walk([1, 101, 201, 301]), [1, 1, 1, 1]);
  t.deepEqual(await walk([300, 299, 298]), [1, 1, 1], 'backward');
});

test('a walk that begins elsewhere begins small, and one that goes on goes on', async (t) => {
  const { walk } = stage();
  t.deepEqual(await walk(range(1, 7)), [1, 2, 4]);
  t.deepEqual(await walk(range(201, 203)), [1, 2]);
  t.deepEqual(await walk(range(8, 15)), [8]);
});

test('several programs that walk at once do not disturb each other', async (t) => {
  const { walk } = stage(1, 2000);
  const begins = [1, 201, 401, 601, 801, 1001, 1201, 1401];
  const turn = async (i: number): Promise<number[]> =>
    (await Promise.all(begins.map((begin) => walk([begin + i])))).flat();
  t.deepEqual(
    await turn(0),
    begins.map(() => 1),
  );
  t.deepEqual(
    await turn(1),
    begins.map(() => 2),
  );
  t.deepEqual(
    await turn(3),
    begins.map(() => 4),
  );
  await walk([1801]);
  const others = begins.slice(1).map((begin) => begin + 7);
  t.deepEqual((await Promise.all(others.map((one) => walk([one])))).flat(), Array(7).fill(8));
  t.deepEqual(await walk([8]), [1], 'the one that rested longest was forgotten');
});

test('a step may pass over some files, but no further than a walk does', async (t) => {
  const near = stage();
  t.deepEqual(await near.walk([1, 65]), [1, 2]);
  const far = stage();
  t.deepEqual(await far.walk([1, 66]), [1, 1]);
});

test('what comes along is small, known, not written here, and neither kept nor asked for', async (t) => {
  const { read, asked, known, learn, files, contents, answer, walk } = stage();
  const other = read(18);
  const [aside] = asked.splice(0);
  await walk(range(1, 7));
  known.delete(9);
  learn(10, { place: 'iods' });
  learn(11, { place: 'moving' });
  learn(12, { size: 0 });
  learn(13, { size: limits.smallFileBytesMax + 1 });
  files.add({ handle: 14 } as File, true);
  contents.keep(15 as Handle, 15 as Moment, Buffer.from('kept'));
  contents.keep(16 as Handle, 2 as Moment, Buffer.from('of before'));
  const reading = read(8);
  t.deepEqual(asked[0]?.handles, [8, 16, 17, 19, 20, 21, 22, 23]);
  await answer();
  t.is(await text(reading), 'file 8');
  t.is(aside?.handles[0], 18);
  aside?.resolve({ lengths: [6], contents: Buffer.from('beside') });
  t.is(await text(other), 'beside');
});

test('no more comes along than a message holds', async (t) => {
  const { learn, walk } = stage(1, 0);
  const size = limits.smallFilesReadBytesMax / 4;
  for (let handle = 1; handle <= 100; handle++) learn(handle, { size });
  t.deepEqual((await walk(range(1, 30))).slice(0, 6), [1, 2, 4, 4, 4, 4]);
});

test('a file that fills the message comes alone, but it comes', async (t) => {
  const { learn, walk } = stage();
  await walk(range(1, 3));
  learn(4, { size: limits.smallFilesReadBytesMax });
  t.deepEqual(await walk([4]), [1]);
});

test('only the files that are still as they were asked for are kept', async (t) => {
  const { read, asked, known, learn, files, answer, kept, walk } = stage();
  await walk(range(1, 7));
  const reading = read(8);
  t.deepEqual(asked[0]?.handles, [8, 9, 10, 11, 12, 13, 14, 15]);
  learn(8, {}, 1000);
  known.delete(9);
  learn(10, {}, 1000);
  files.add({ handle: 11 } as File, true);
  await answer((handle) => (handle === 12 ? undefined : nameOf(handle)));
  t.is(await text(reading), 'file 8', 'it was so when it was asked for');
  learn(9);
  t.deepEqual([8, 9, 10, 11, 12, 13, 14, 15].map(kept), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    nameOf(13),
    nameOf(14),
    nameOf(15),
  ]);
});

test('what has changed while it was asked for is asked for again, by all who read it then', async (t) => {
  const { read, asked, learn, answer, kept } = stage();
  const old = read(5);
  learn(5, {}, 1000);
  const fresh = read(5);
  t.is(asked.length, 2);
  const [first] = asked.splice(0, 1);
  first?.resolve({ lengths: [3], contents: Buffer.from('old') });
  t.is(await text(old), 'old');
  t.is(kept(5), undefined);
  const again = read(5);
  t.is(asked.length, 1, 'it is being asked for');
  t.false(await isOver(fresh));
  await answer();
  t.deepEqual([await text(fresh), await text(again)], ['file 5', 'file 5']);
  t.is(kept(5), 'file 5');
});

test('an empty answer is the whole of a file', async (t) => {
  const { read, answer } = stage();
  const reading = read(5);
  await answer(() => '');
  t.is(await text(reading), '');
});

test('a failure is for each to hear in another way, and is not remembered', async (t) => {
  const { read, asked, answer, kept, walk } = stage();
  await walk(range(1, 3));
  const failed = [read(4), read(5)];
  t.is(asked.length, 1);
  asked.splice(0)[0]?.reject(new FsError('EIO'));
  t.deepEqual(await Promise.all(failed), [undefined, undefined]);
  t.is(kept(5), undefined);
  const again = read(5);
  await answer();
  t.is(await text(again), 'file 5');
});

test('what is kept does not hold on to the message that it came with', async (t) => {
  const { read, asked, contents, known } = stage();
  const reading = read(5);
  const message = Buffer.alloc(100_000, 'file 5');
  asked[0]?.resolve({ lengths: [6], contents: message });
  t.is((await reading)?.buffer.byteLength, 6);
  const found = contents.find(5 as Handle, known.get(5)?.since as Moment);
  t.is(found?.buffer.byteLength, 6);
});

test('the question ends with no deadline of its own, behind which a reader would wait once more', async (t) => {
  const { asked, read, answer } = stage();
  const reading = read(1);
  t.deepEqual(
    asked.map(({ control }) => control),
    [{ deadlineMs: Infinity }],
  );
  await answer();
  t.is((await reading)?.toString(), nameOf(1));
});
