import { constants } from 'node:fs';
import test from 'ava';
import { fileHandlers } from '../../../client/fuse/operations/files.ts';
import { OpenFiles } from '../../../client/fuse/open-files.ts';
import { SmallContents } from '../../../client/fuse/small-contents.ts';
import { SmallReads } from '../../../client/fuse/small-reads.ts';
import type { Volume } from '../../../client/fuse/volume.ts';
import type { File } from '../../../client/file.ts';
import type { HandleAccess } from '../../../client/handle-access.ts';
import type { Moment } from '../../../client/name-cache.ts';
import { FsError } from '../../../shared/errno.ts';
import { limits } from '../../../shared/limits.ts';
import type { Handle } from '../../../shared/units.ts';
import { fileOps } from '../../../shared/wire/mgr-ops.ts';
import type { Op } from '../../../shared/wire/op.ts';
import type { Attr } from '../../../shared/wire/values.ts';
import { nothingLent } from './nothing-lent.ts';

const handle = 7 as Handle;
const [earlier, later] = [1 as Moment, 2 as Moment];
const attrOf = (changes: Partial<Attr> = {}): Attr =>
  ({ handle, size: 5, place: 'mgr', ...changes }) as Attr;

test('bytes are found as long as nobody can have written the file since', (t) => {
  const contents = new SmallContents();
  contents.keep(handle, earlier, Buffer.from('hello'));
  t.is(contents.find(handle, earlier)?.toString(), 'hello');
  t.is(contents.find(handle, later), undefined);
  contents.keep(handle, later, Buffer.from('world'));
  t.is(contents.find(handle, later)?.toString(), 'world');
  t.is(contents.find(handle, earlier), undefined);
});

test('what was kept longest goes when there is too much', (t) => {
  const contents = new SmallContents();
  const bytes = Buffer.alloc(limits.smallFileBytesMax);
  const room = Math.floor(limits.fuseContentsKeptBytesMax / (bytes.length + 512));
  for (let i = 1; i <= room; i++) contents.keep(i as Handle, earlier, bytes);
  // Kept once more, it is the newest, and takes no more room.
  contents.keep(1 as Handle, later, bytes);
  t.is(contents.find(2 as Handle, earlier), bytes);
  contents.keep((room + 1) as Handle, earlier, bytes);
  t.is(contents.find(2 as Handle, earlier), undefined);
  t.is(contents.find(1 as Handle, later), bytes);
  t.is(contents.find(3 as Handle, earlier), bytes);
});

test('of files that are next to empty no more are kept than there is memory for', (t) => {
  const contents = new SmallContents();
  const count = limits.fuseContentsKeptBytesMax / 512;
  for (let i = 1; i <= count; i++) contents.keep(i as Handle, earlier, Buffer.alloc(1));
  t.is(contents.find(1 as Handle, earlier), undefined);
  t.not(contents.find(count as Handle, earlier), undefined);
});

test('only small files are kept, of which the mgr has the bytes', (t) => {
  const contents = new SmallContents();
  t.true(contents.isFor(attrOf()));
  t.true(contents.isFor(attrOf({ size: limits.smallFileBytesMax })));
  t.false(contents.isFor(attrOf({ size: limits.smallFileBytesMax + 1 })));
  t.false(contents.isFor(attrOf({ size: 0 })));
  t.false(contents.isFor(attrOf({ place: 'iods' })));
  t.false(contents.isFor(attrOf({ place: 'moving' })));
});

const control = {
  room: (bytes: number) => Buffer.alloc(bytes),
  afterwards: () => undefined,
  keep: () => () => undefined,
};
const text = (pieces: readonly Uint8Array[] | undefined) =>
  pieces && Buffer.concat(pieces).toString();

/** A file that is open, with a right to its attributes. */
function stage() {
  const right: { since: Moment | undefined } = { since: earlier };
  const asked: { handles: readonly Handle[]; answer: (content?: string) => void }[] = [];
  const isOpen = { now: true };
  const calls: string[] = [];
  const opened = { now: (): void => undefined };
  const file = {
    handle,
    read: (into: Buffer) => {
      calls.push('read');
      if (!isOpen.now) return Promise.reject(new FsError('ESTALE'));
      return Promise.resolve(into.write('read '));
    },
  } as unknown as File;
  const here: { now: File | undefined } = { now: file };
  const files = new OpenFiles();
  const number = files.add(file, false);
  const access = {
    ...nothingLent,
    isOpen: () => isOpen.now,
    knownOf: () => right.since && { attr: attrOf(), since: right.since },
    openKnown: () => {
      calls.push('openKnown');
      return here.now;
    },
    open: () => {
      calls.push('open');
      return new Promise((resolve) => (opened.now = () => resolve({ file, attr: attrOf() })));
    },
    waitFor: <T>(awaited: Promise<T>) => awaited,
    call: (op: Op, { handles }: { readonly handles: readonly Handle[] }) => {
      calls.push(op === fileOps.readWhole ? 'readWhole' : '?');
      return new Promise((resolve) => {
        const answer = (content?: string) =>
          resolve({ lengths: [content?.length], contents: Buffer.from(content ?? '') });
        asked.push({ handles, answer });
      });
    },
  } as unknown as HandleAccess;
  const parts = { access, files, contents: new SmallContents() };
  const volume = {
    ...parts,
    smallReads: new SmallReads(parts),
    streamReads: { read: () => undefined },
    idleReaders: { take: () => undefined },
    copies: { opened: () => undefined },
    kernel: {
      opened: () => Promise.resolve(),
      pages: { read: () => undefined, open: () => 0 },
    },
  } as unknown as Volume;
  const read = (offset: number, size: number) => {
    const body = { file: number, offset, size };
    return fileHandlers.read(volume, { header: { node: handle }, body } as never, control);
  };
  return {
    right,
    asked,
    isOpen,
    calls,
    opened,
    here,
    files,
    open: () => {
      const body = { flags: constants.O_RDONLY, openFlags: 0 };
      return fileHandlers.open(volume, { header: { node: handle }, body } as never, {} as never);
    },
    /** At once. */
    known: (offset: number, size: number) => {
      const answer = read(offset, size);
      return answer instanceof Promise ? undefined : text(answer);
    },
    read: async (offset: number, size: number) => text(await read(offset, size)),
  };
}

test('who reads a part of a small file has all of it read, for whoever reads on', async (t) => {
  const { asked, known, read, calls } = stage();
  t.is(known(0, 2), undefined);
  const reading = read(1, 2);
  t.deepEqual(
    asked.map(({ handles }) => handles),
    [[handle]],
    'once',
  );
  asked[0]?.answer('hello');
  t.is(await reading, 'el');
  t.is(known(0, 4096), 'hello');
  t.is(known(3, 4096), 'lo');
  t.is(known(5, 4096), '', 'the end');
  t.is(known(2 ** 60, 4096), '');
  t.deepEqual(calls, ['readWhole']);
});

test('what the mgr does not tell so is read by the file', async (t) => {
  const { asked, read, calls } = stage();
  const reading = read(0, 5);
  asked[0]?.answer();
  t.is(await reading, 'read ');
  t.deepEqual(calls, ['readWhole', 'read']);
});

for (const [what, change] of [
  ['the right is gone', ({ right }: ReturnType<typeof stage>) => (right.since = undefined)],
  ['the right is another one', ({ right }: ReturnType<typeof stage>) => (right.since = later)],
  [
    'a program of this host writes it',
    ({ files }: ReturnType<typeof stage>) => files.add({ handle } as File, true),
  ],
] as const) {
  test(`nothing is kept of what was read, or told of what was kept, when ${what}`, async (t) => {
    const during = stage();
    const reading = during.read(0, 5);
    change(during);
    during.asked[0]?.answer('hello');
    t.is(await reading, 'hello', 'it was so when it was asked for');
    during.right.since = earlier;
    t.is(during.known(0, 5), undefined);
    const after = stage();
    const first = after.read(0, 5);
    after.asked[0]?.answer('hello');
    await first;
    change(after);
    t.is(after.known(0, 5), undefined);
  });
}

test('who opens a small file to read it has its bytes on their way, and the mgr hears of no open', async (t) => {
  const { asked, calls, open, known } = stage();
  const { file } = await open();
  t.true(file > 1);
  t.deepEqual(calls, ['openKnown', 'readWhole']);
  asked[0]?.answer('hello');
  await Promise.resolve();
  await open();
  t.is(known(0, 4096), 'hello');
  t.deepEqual(calls, ['openKnown', 'readWhole', 'openKnown'], 'they are known');
});

test('also when it is for the mgr to open it, in one packet', async (t) => {
  const { asked, calls, opened, here, open, known } = stage();
  here.now = undefined;
  const opening = open();
  t.deepEqual(calls, ['openKnown', 'readWhole', 'open']);
  opened.now();
  asked[0]?.answer('hello');
  await opening;
  t.is(known(0, 4096), 'hello');
});

test('without a right to it a file is opened at the mgr, and nothing is read ahead', async (t) => {
  const { calls, opened, right, open } = stage();
  right.since = undefined;
  const opening = open();
  t.deepEqual(calls, ['open']);
  opened.now();
  await opening;
});

test('a file that was lost with its session shows nothing that was kept, nor what could be read', async (t) => {
  const { asked, isOpen, calls, right, read } = stage();
  const reading = read(0, 5);
  asked[0]?.answer('hello');
  await reading;
  isOpen.now = false;
  await t.throwsAsync(read(0, 5), { code: 'ESTALE' });
  right.since = later;
  await t.throwsAsync(read(0, 5), { code: 'ESTALE' }, 'of the next session');
  t.deepEqual(calls, ['readWhole', 'read', 'read']);
});
