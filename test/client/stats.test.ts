import * as nodeFs from 'node:fs';
import test from 'ava';
import { Dirent, Stats } from '../../client/stats.ts';
import type { ByteString, Handle } from '../../shared/units.ts';
import { type Attr, inodeKinds } from '../../shared/wire/values.ts';

const layout = { base: 0, pcount: 2, ssize: 65_536, total: 2 };

function attr(changes: Partial<Attr> = {}): Attr {
  return {
    handle: 42 as Handle,
    kind: 'file',
    mode: 0o4644,
    links: 3,
    uid: 1000,
    gid: 100,
    device: 0,
    size: 1025,
    accessed: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
    modified: { seconds: -1, nanoseconds: 250_000_000 },
    changed: { seconds: 0, nanoseconds: 1 },
    born: { seconds: 2, nanoseconds: 0 },
    layout,
    place: 'iods',
    sizeExact: true,
    holes: 0,
    right: false,
    ...changes,
  };
}

test('attributes have the names and units of node:fs', (t) => {
  const stats = new Stats(attr());
  t.like(stats, { ino: 42, nlink: 3, uid: 1000, gid: 100, size: 1025, blocks: 3 });
  t.like(stats, { atimeMs: 1_700_000_000_500, mtimeMs: -750, ctimeMs: 1e-6, birthtimeMs: 2000 });
  t.is(stats.blksize, layout.ssize);
  t.deepEqual(stats.modified, { seconds: -1, nanoseconds: 250_000_000 });
});

test('each kind is told by its bits and by one question', (t) => {
  const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } =
    nodeFs.constants;
  const bits = {
    file: S_IFREG,
    directory: S_IFDIR,
    symlink: S_IFLNK,
    fifo: S_IFIFO,
    socket: S_IFSOCK,
    character: S_IFCHR,
    block: S_IFBLK,
  };
  for (const kind of inodeKinds) {
    const stats = new Stats(attr({ kind, layout: undefined }));
    t.is(stats.mode & S_IFMT, bits[kind]);
    t.is(stats.mode & 0o7777, 0o4644);
    const entry = new Dirent({
      name: 'x' as ByteString,
      handle: 1 as Handle,
      kind,
      cookie: 1,
      attr: undefined,
    });
    for (const one of [stats, entry]) {
      t.deepEqual(
        [
          one.isFile(),
          one.isDirectory(),
          one.isSymbolicLink(),
          one.isFIFO(),
          one.isSocket(),
          one.isCharacterDevice(),
          one.isBlockDevice(),
        ],
        inodeKinds.map((other) => other === kind),
      );
    }
  }
});

test('an entry shows its name as text and keeps it as bytes', (t) => {
  const name = Buffer.from('ä\xff', 'latin1').toString('latin1') as ByteString;
  const entry = new Dirent({ name, handle: 9 as Handle, kind: 'file', cookie: 3, attr: attr() });
  t.deepEqual(entry.pathComponent, Buffer.from([0xe4, 0xff]));
  t.is(entry.name, '\ufffd\ufffd');
  t.is(entry.ino, 9);
  t.is(entry.stats?.size, 1025);
});
