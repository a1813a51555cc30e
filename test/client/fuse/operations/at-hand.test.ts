import test from 'ava';
import { DirectoryStreams } from '../../../../client/fuse/directory-streams.ts';
import { handlers } from '../../../../client/fuse/handlers.ts';
import type { RequestControl } from '../../../../client/fuse/in-flight.ts';
import { KernelCache } from '../../../../client/fuse/kernel-cache.ts';
import { NodeTable } from '../../../../client/fuse/node-table.ts';
import type { RequestOf, Volume } from '../../../../client/fuse/volume.ts';
import { openBits, type Operations } from '../../../../client/fuse/protocol.ts';
import { NameCache } from '../../../../client/name-cache.ts';
import { limits } from '../../../../shared/limits.ts';
import { byteString, type Handle } from '../../../../shared/units.ts';
import type { Attr, Place } from '../../../../shared/wire/values.ts';
import { nothingLent } from '../nothing-lent.ts';

const [root, file] = [1 as Handle, 2 as Handle];
const time = { seconds: 1, nanoseconds: 0 };
const times = { accessed: time, modified: time, changed: time, born: time };
/** Seconds. */
const long = limits.fuseByNameMs / 1000;
const attrOf = (handle: Handle, kind: 'file' | 'directory'): Attr =>
  ({ handle, kind, mode: 0o644, size: 7, ...times, right: true }) as unknown as Attr;

const forEver = () => new Promise<never>(() => undefined);
const control = {} as RequestControl;

/** A directory with one name to which there is a right. */
function stage({ validMs = 1000 } = {}) {
  const cache = new NameCache();
  cache.learn(cache.moment(), attrOf(root, 'directory'));
  cache.learn(cache.moment(), attrOf(file, 'file'));
  cache.learnName(cache.moment(), root, byteString('a'), file);
  cache.learnName(cache.moment(), root, byteString('gone'), undefined);
  const [writers, open] = [new Set<Handle>(), new Set<Handle>()];
  const nodes = new NodeTable();
  const clock = { now: () => 0 } as never;
  const kernel = new KernelCache({ clock, nodes, notify: () => Promise.resolve() });
  kernel.agreed({ knowsEpochs: true });
  const volume = {
    access: {
      validMs,
      cache: validMs > 0 ? cache : undefined,
      known: ({ directory, path }: Place) => {
        const handle = cache.find(directory, path);
        return handle == null ? handle : cache.attr(handle);
      },
      knownOf: (handle: Handle) => cache.known(handle),
      listed: (handle: Handle) => (cache.attr(handle) ? {} : undefined),
      lookup: forEver,
      attr: forEver,
      isOpen: () => true,
      ...nothingLent,
    },
    files: {
      isWritten: (handle: Handle) => writers.has(handle),
      isOpen: (handle: Handle) => open.has(handle),
      writersOf: () => [],
    },
    directories: new DirectoryStreams(),
    nodes,
    kernel,
  } as unknown as Volume;
  return { volume, writers, open, nodes };
}

/** As `handlers` answer at once; `undefined`: later. */
function atOnce<T>(answer: T | Promise<T>): T | undefined {
  return answer instanceof Promise ? undefined : answer;
}

function request<K extends keyof Operations>(node: Handle, tail?: string) {
  return { header: { node }, body: { flags: 0 }, tail } as unknown as RequestOf<Operations[K]>;
}

test('what is cached of a name is told at once, with how long it is good', (t) => {
  const { volume, nodes } = stage();
  const look = (name: string) =>
    atOnce(handlers.lookup(volume, request<'lookup'>(root, name), control));
  const entry = look('a');
  t.like(entry, { node: file, nameValid: long, attrValid: long, attr: { size: 7 } });
  t.is(nodes.lookupsOf(file), 1);
  t.is(look('b'), undefined, 'nobody knows');
  t.like(look('gone'), { node: 0, nameValid: long }, 'there is nothing of that name');
});

function attrOfNow(volume: Volume, asked: RequestOf<Operations['getAttr']>) {
  return atOnce(handlers.getAttr(volume, asked, control));
}

test('cached attributes are told at once, but not of what is written here', (t) => {
  const { volume, writers, open } = stage();
  const ask = (handle: Handle) => attrOfNow(volume, request<'getAttr'>(handle));
  t.like(ask(file), { attrValid: long, attrValidNs: 0, attr: { ino: file } });
  t.like(ask(root), { attrValid: 1, attrValidNs: 0 }, 'who is let in is asked for again and again');
  open.add(file);
  t.like(ask(file), { attrValid: 1, attrValidNs: 0 });
  t.is(ask(3 as Handle), undefined);
  writers.add(file);
  t.is(ask(file), undefined);
});

test('who reads a file that others may write is told another time than who looks at it', (t) => {
  const { volume } = stage();
  const { pages } = volume.kernel;
  const asReader = { ...request<'getAttr'>(file), body: { flags: 1, file: 1 } };
  const looked = () => attrOfNow(volume, request<'getAttr'>(file));
  pages.agreed({ isGated: true });
  pages.open({ handle: file, size: 7 }, 1);
  const told = attrOfNow(volume, asReader);
  t.like(told, { attrValid: long });
  t.deepEqual(told?.attr, looked()?.attr);
  pages.spoil([file]);
  const notKept = { attrValid: 0, attrValidNs: 0 };
  const disguised = { ...told?.attr, modifiedNs: (told?.attr.modifiedNs ?? 0) ^ 1 };
  t.like(attrOfNow(volume, asReader), { ...notKept, attr: disguised });
  t.like(looked(), { ...notKept, attr: { ...told?.attr } });
});

test('directories are opened and closed at once, until the kernel has to be waited for', async (t) => {
  const { volume } = stage();
  const { directories, kernel } = volume;
  const open = (handle: Handle) =>
    atOnce(handlers.openDirectory(volume, request<'openDirectory'>(handle), control));
  const { file: stream = 0, flags } = open(root) ?? {};
  t.is(flags, openBits.cacheDirectory);
  t.is(open(9 as Handle)?.flags, 0, 'of which nobody knows all');
  const close = () =>
    handlers.releaseDirectory(
      volume,
      { ...request<'releaseDirectory'>(root), body: { file: stream, flags: 0, releaseFlags: 0 } },
      control,
    );
  t.true(directories.isKept(stream));
  t.deepEqual(atOnce(close()), {});
  t.false(directories.isKept(stream));
  kernel.listingTaken = () => Promise.resolve();
  t.is(atOnce(close()), undefined);
  t.deepEqual(await close(), {});
});
