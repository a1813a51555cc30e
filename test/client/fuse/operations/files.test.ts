import { constants } from 'node:fs';
import test from 'ava';
import { attributeHandlers } from '../../../../client/fuse/operations/attributes.ts';
import { fileHandlers } from '../../../../client/fuse/operations/files.ts';
import { xattrHandlers } from '../../../../client/fuse/operations/xattrs.ts';
import type { File } from '../../../../client/file.ts';
import type { FileSystem } from '../../../../client/file-system.ts';
import { DirectoryStreams } from '../../../../client/fuse/directory-streams.ts';
import { KernelCache } from '../../../../client/fuse/kernel-cache.ts';
import { LikelyCopies } from '../../../../client/fuse/likely-copies.ts';
import { IdleReaders } from '../../../../client/fuse/idle-readers.ts';
import { NodeTable } from '../../../../client/fuse/node-table.ts';
import { OpenFiles } from '../../../../client/fuse/open-files.ts';
import { type FileAttr, openRequestBits, setAttrBits } from '../../../../client/fuse/protocol.ts';
import { SmallContents } from '../../../../client/fuse/small-contents.ts';
import { SmallReads } from '../../../../client/fuse/small-reads.ts';
import { StreamReads } from '../../../../client/fuse/stream-reads.ts';
import type { Volume } from '../../../../client/fuse/volume.ts';
import { HandleAccess } from '../../../../client/handle-access.ts';
import { placeIn } from '../../../../client/handle-place.ts';
import { FsError } from '../../../../shared/errno.ts';
import { byteString, type Handle } from '../../../../shared/units.ts';
import { limits } from '../../../../shared/limits.ts';
import { openFlags } from '../../../../shared/wire/mgr-ops.ts';
import type { Attr } from '../../../../shared/wire/values.ts';
import { failure } from '../../../shared/rpc/pair.ts';
import { Scripted } from '../../scripted.ts';
import { nothingLent } from '../nothing-lent.ts';

const root = 1 as Handle;

function volumeOf(fileSystem: FileSystem): Volume {
  const nodes = new NodeTable();
  const { clock } = fileSystem.session.runtime;
  const parts = {
    access: new HandleAccess({ fileSystem, deadlineMs: 60_000 }),
    files: new OpenFiles(),
    contents: new SmallContents(),
  };
  return {
    ...parts,
    smallReads: new SmallReads(parts),
    streamReads: new StreamReads(clock),
    nodes,
    idleReaders: new IdleReaders(clock),
    copies: new LikelyCopies(),
    directories: new DirectoryStreams(),
    kernel: new KernelCache({ clock, nodes, notify: () => Promise.resolve() }),
    unheard: (what) => {
      throw new Error(what);
    },
  };
}

async function stage() {
  const cluster = new Scripted({ iods: 1 });
  const volume = volumeOf(await cluster.connect());
  const at = placeIn(root, byteString('a'));
  const flags = openFlags.write | openFlags.create;
  const open = (signal?: AbortSignal) =>
    volume.access.open({ at, flags, mode: 0o644, durable: false, maker: undefined }, { signal });
  return { cluster, volume, open };
}

const control = {
  room: (bytes: number) => Buffer.alloc(bytes),
  afterwards: () => undefined,
  keep: () => () => undefined,
};

/** A request without what the handlers under test do not look at. */
function request(body: object, node = 0) {
  return { header: { node, uid: 0, gid: 0, pid: 0 }, body, tail: undefined, groups: [] } as never;
}

test('what an iod has lost is told by fsync of the descriptor that wrote it, whoever syncs first', async (t) => {
  const { cluster, volume, open } = await stage();
  const [one, two] = [await cluster.run(() => open()), await cluster.run(() => open())];
  const [first, second] = [one, two].map(({ file }) => volume.files.add(file, true));
  await cluster.run(() => two.file.write(Buffer.from('lost'), 0));
  cluster.iod(0).verifier++;
  const fsync = (file: number | undefined) =>
    cluster.run(() => fileHandlers.fsync(volume, request({ file }), control));
  await t.notThrowsAsync(fsync(first));
  t.like(await failure(fsync(second)), { code: 'EIO', weftCode: 'WEFT_E_DATA_LOST' });
  await t.notThrowsAsync(fsync(second), 'it is told once');
});

test('a label of SELinux, for which `ls -l` asks every file, costs no question', async (t) => {
  const { cluster, volume } = await stage();
  const wish = { ...(request({ size: 255 }, root) as object), tail: 'security.selinux' } as never;
  t.throws(() => xattrHandlers.getXattr(volume, wish, control), { code: 'EOPNOTSUPP' });
  t.is(cluster.count('getXattr'), 0);
});

/** @returns what the kernel asks for when a program makes a file */
function creation(name: string, [uid, gid]: readonly [number, number], flags: number) {
  const header = { node: root, uid, gid, pid: 0 };
  const body = { flags: constants.O_WRONLY | flags, mode: 0o100640 };
  return { header, body, tail: byteString(name), groups: [100] } as never;
}

test('a file is made for whoever asks, in one question', async (t) => {
  const { cluster, volume } = await stage();
  const before = cluster.heard.length;
  const make = (name: string, who: readonly [number, number]) =>
    cluster.run(() => fileHandlers.create(volume, creation(name, who, 0), control));
  await make('mine', [1000, 1001]);
  await make('group', [0, 5]);
  await make('root', [0, 0]);
  const heard = cluster.heard.slice(before).map(({ op, request: { flags, mode, maker } }) => {
    return { op, flags, mode, maker };
  });
  const { write, create, exclusive } = openFlags;
  const open = { op: 'open', flags: write | create | exclusive, mode: 0o640 };
  t.deepEqual(heard, [
    { ...open, maker: { uid: 1000, gid: 1001, groups: [100] } },
    { ...open, maker: { uid: 0, gid: 5, groups: [100] } },
    { ...open, flags: write | create, maker: undefined },
  ]);
});

test('what has been made meanwhile the kernel is to look up, unless the program wants a new one', async (t) => {
  const { cluster, volume } = await stage();
  cluster.script = ({ op }) => {
    if (op === 'open') throw new FsError('EEXIST');
  };
  const make = (flags: number) =>
    cluster.run(() => fileHandlers.create(volume, creation('f', [7, 7], flags), control));
  t.is((await failure(make(0))).code, 'ESTALE');
  t.is((await failure(make(constants.O_EXCL))).code, 'EEXIST');
});

test('an open whose caller was killed is given back when it comes', async (t) => {
  const { cluster, open } = await stage();
  const abort = new AbortController();
  cluster.script = ({ op }) => {
    if (op === 'open') abort.abort();
  };
  t.is((await failure(cluster.run(() => open(abort.signal)))).code, 'ECANCELED');
  await cluster.pass(100);
  t.is(cluster.count('close'), 1);
});

test('an open that cannot take the set-uid bit away leaves nothing open', async (t) => {
  const { cluster, volume, open } = await stage();
  const { attr } = await cluster.run(() => open());
  volume.nodes.refer({ ...attr, mode: 0o4755 });
  cluster.script = ({ op }) => {
    if (op === 'setAttr') throw new FsError('EIO');
  };
  // The scripted mgr knows files by their names alone.
  const call: HandleAccess['call'] = (...parts) => volume.access.call(...parts);
  const closeLate: HandleAccess['closeLate'] = (...parts) => volume.access.closeLate(...parts);
  const rest = { open: () => open(), prefetch: () => undefined };
  const access = { ...rest, call, closeLate } as unknown as HandleAccess;
  const body = { flags: 1, openFlags: openRequestBits.killPrivileges };
  const opening = cluster.run(() =>
    fileHandlers.open({ ...volume, access }, request(body, attr.handle), control),
  );
  t.is((await failure(opening)).code, 'EIO');
  await cluster.pass(100);
  t.is(cluster.count('close'), 1);
  t.throws(() => volume.files.get(1), { message: /no open file/ });
});

test('a file is given back with the next change of names, or soon', async (t) => {
  const { cluster, volume, open } = await stage();
  const release = async (): Promise<void> => {
    const { file } = await cluster.run(() => open());
    const body = { file: volume.files.add(file, true) };
    await cluster.run(() => fileHandlers.release(volume, request(body)));
  };
  await release();
  t.is(cluster.count('close'), 0, 'answered, but not on its way yet');
  await cluster.run(() => open());
  t.is(cluster.count('close'), 1);
  await release();
  await cluster.pass(100);
  t.is(cluster.count('close'), 2);
});

test('of a file that is written here the mgr tells what is stored, and the writes are added', async (t) => {
  const { cluster, volume, open } = await stage();
  const { file, attr } = await cluster.run(() => open());
  const body = { file: volume.files.add(file, true) };
  await cluster.run(() => file.write(Buffer.from('is written'), 0));
  const asked: string[] = [];
  let during: (() => void) | undefined;
  cluster.script = ({ op }) => {
    if (!op.endsWith('Attr')) return;
    asked.push(op);
    during?.();
  };
  const get = () => attributeHandlers.getAttr(volume, request({}, attr.handle), control);
  const size = async (): Promise<number> => (await cluster.run(get)).attr.size;
  t.is(await size(), 10);
  during = () => {
    during = undefined;
    void fileHandlers.release(volume, request(body));
    volume.access.closeNow();
  };
  t.is(await size(), 10, 'also while it is closed');
  await cluster.pass(100);
  await size();
  t.deepEqual(
    asked,
    ['storedAttr', 'storedAttr', 'getAttr'],
    'of one that nobody writes as of any other',
  );
});

test('a file that was read is open for a while yet, and opened again without a question', async (t) => {
  const { cluster, volume: real, open } = await stage();
  const { attr } = await cluster.run(() => open());
  // The scripted mgr knows files by their names alone.
  const at = placeIn(root, byteString('a'));
  const openByName: HandleAccess['open'] = (wish, rest) => real.access.open({ ...wish, at }, rest);
  const access = {
    open: openByName,
    isOpen: (file: File) => real.access.isOpen(file),
    closeLate: (...parts: Parameters<HandleAccess['closeLate']>) => real.access.closeLate(...parts),
    knownOf: () => undefined,
    prefetch: () => undefined,
  } as unknown as HandleAccess;
  const volume = { ...real, access };
  const openAs = async (flags: number): Promise<number> =>
    (await cluster.run(() => fileHandlers.open(volume, request({ flags }, attr.handle), control)))
      .file;
  const release = (file: number) =>
    cluster.run(() => fileHandlers.release(volume, request({ file })));
  const opens = cluster.count('open');
  const first = await openAs(constants.O_RDONLY);
  await release(first);
  const second = await openAs(constants.O_RDONLY);
  t.is(cluster.count('open'), opens + 1);
  t.throws(() => volume.files.get(first), { message: /no open file/ });
  const other = await openAs(constants.O_RDONLY);
  t.is(cluster.count('open'), opens + 2, 'it is open already');
  await release(second);
  await openAs(constants.O_WRONLY);
  await openAs(constants.O_RDWR);
  t.is(cluster.count('open'), opens + 4);
  await release(other);
  await cluster.pass(100);
  t.is(cluster.count('close'), 1, 'one of each is kept');
  await cluster.pass(limits.fuseIdleReaderMs);
  t.is(cluster.count('close'), 2);
  await release(await openAs(constants.O_RDONLY));
  cluster.sessions.clear();
  cluster.mgr.restart();
  await cluster.pass(500);
  await openAs(constants.O_RDONLY);
  t.is(cluster.count('open'), opens + 6, 'not what was lost with its session');
});

test('what is behind the end of a file that is cached is asked of nobody', async (t) => {
  const { cluster, volume } = await stage();
  const flags = openFlags.read | openFlags.write | openFlags.create;
  const at = placeIn(root, byteString('a'));
  const open = () =>
    volume.access.open({ at, flags, mode: 0o644, durable: false, maker: undefined }, {});
  const { file } = await cluster.run(open);
  await cluster.run(() => file.write(Buffer.from('hello'), 0));
  const number = volume.files.add(file, false);
  const known = { attr: { size: 5, place: 'iods' }, since: 1 };
  const access = {
    ...nothingLent,
    knownOf: () => known,
    isOpen: () => true,
  } as unknown as HandleAccess;
  const heard = cluster.heard.length;
  const read = async (offset: number): Promise<string> => {
    const body = { file: number, offset, size: 4096 };
    const pieces = await cluster.run(() =>
      fileHandlers.read({ ...volume, access }, request(body), control),
    );
    return Buffer.concat(pieces).toString();
  };
  t.is(await read(0), 'hello');
  t.is(await read(3), 'lo');
  const asked = (): string[] => cluster.heard.slice(heard).map(({ op }) => op);
  t.deepEqual(asked(), ['read', 'read']);
  t.is(await read(5), '');
  t.is(await read(4096), '');
  t.is(asked().length, 2);
});

test('a time is set when all that was closed has been given back with its own time', async (t) => {
  const { cluster, volume, open } = await stage();
  const { file, attr } = await cluster.run(() => open());
  await cluster.run(() => file.write(Buffer.from('x'), 0));
  const body = { file: volume.files.add(file, true) };
  cluster.script = ({ op }) => {
    if (op !== 'close') return;
    cluster.script = () => undefined;
    throw new FsError('EAGAIN', { retryAfterMs: 50 });
  };
  const times = { valid: setAttrBits.modified, modified: 5, modifiedNs: 0, accessed: 0 };
  await cluster.run(async () => {
    fileHandlers.release(volume, request(body));
    await attributeHandlers.setAttr(volume, request(times, attr.handle), control);
  });
  const order = cluster.heard.map(({ op }) => op).filter((op) => /close|setAttr/.test(op));
  t.deepEqual(order, ['close', 'close', 'setAttr']);
});

test('the kernel is told at once that a change of size took the set-uid bit away', async (t) => {
  const nodes = new NodeTable();
  const at = { seconds: 1, nanoseconds: 0 };
  let attr = {
    handle: 7,
    kind: 'file',
    mode: 0o4755,
    size: 9,
    accessed: at,
    modified: at,
    changed: at,
    born: at,
  } as Attr;
  nodes.refer({ ...attr, mode: 0o755 });
  const access = {
    ...nothingLent,
    closeNow: () => undefined,
    call: (_: unknown, { mode = attr.mode, size = attr.size }: Partial<Attr>) => {
      attr = { ...attr, mode, size };
      return Promise.resolve({ attr });
    },
  };
  const revoked: unknown[] = [];
  const kernel = {
    revoke: (handles: unknown) => Promise.resolve(revoked.push(handles)),
    changed: () => Promise.resolve(),
  };
  const volume = { access, nodes, kernel, files: new OpenFiles() } as unknown as Volume;
  const body = { valid: setAttrBits.size | setAttrBits.killPrivileges, size: 3 };
  const reply = await attributeHandlers.setAttr(volume, request(body, 7), control);
  t.is(attr.mode, 0o755, 'also a bit that somebody else has set meanwhile');
  t.is(reply.attr.mode & 0o7777, 0o755);
  t.deepEqual(revoked, [[7]]);
  t.is(reply.attr.size, 3);
});

test('who reads a file that others may write is told a time upon which the pages go', async (t) => {
  const at = { seconds: 1, nanoseconds: 0 };
  const times = { accessed: at, modified: at, changed: at, born: at };
  const attr = { handle: 7, kind: 'file', mode: 0o644, size: 9, ...times } as Attr;
  const pages = {
    isSpoiled: () => true,
    forReader: (_: Handle, told: FileAttr) => ({ ...told, modifiedNs: 5 }),
  };
  const access = {
    ...nothingLent,
    knownOf: () => undefined,
    attr: () => Promise.resolve(attr),
  };
  const volume = {
    access,
    nodes: new NodeTable(),
    files: new OpenFiles(),
    kernel: { pages },
  } as unknown as Volume;
  const looks = request({ flags: 0 }, 7);
  const reads = request({ flags: 1, file: 3 }, 7);
  t.like(await attributeHandlers.getAttr(volume, looks, control), { attr: { modifiedNs: 0 } });
  t.like(await attributeHandlers.getAttr(volume, reads, control), { attr: { modifiedNs: 5 } });
});
