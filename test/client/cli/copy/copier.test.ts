import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Copier, type CopyOptions } from '../../../../client/cli/copy/copier.ts';
import { localTree } from '../../../../client/cli/copy/local-tree.ts';
import type { Tree } from '../../../../client/cli/copy/tree.ts';
import { FsError, toFsError } from '../../../../shared/errno.ts';

/** Rules and order are the same for every tree: here both are the disk. */
async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-copy-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

interface Told {
  readonly bytes: number;
  readonly done: readonly string[];
  readonly notKept: readonly string[];
  readonly failures: readonly { path: string; code: string; message: string }[];
}

async function copy(
  from: string,
  to: string,
  options: Partial<CopyOptions> = {},
  tree: Tree = localTree,
): Promise<Told> {
  const told = { bytes: 0, done: [] as string[], notKept: [] as string[] };
  const failures: { path: string; code: string; message: string }[] = [];
  const wish = { recursive: false, preserve: false, sync: false, layout: undefined, ...options };
  const copier = new Copier(wish, {
    bytes: (count) => (told.bytes += count),
    done: (kind) => told.done.push(kind),
    notKept: (what) => told.notKept.push(what),
    failed: (pair, error) => {
      const { code, message } = error instanceof FsError ? error : (error as FsError);
      failures.push({ path: pair.from.path.toString(), code, message });
    },
  });
  const place = (path: string) => ({ tree, path: Buffer.from(path) });
  await copier.copy({ from: place(from), to: place(to) });
  return { ...told, failures };
}

test('a file of many pieces arrives whole', async (t) => {
  const root = await directory(t);
  const content = Buffer.from(
    Uint8Array.from({ length: 9 * 2 ** 20 + 3 }, (_, i) => (i * 31) % 251),
  );
  await writeFile(join(root, 'a'), content);
  const { bytes, done, failures } = await copy(join(root, 'a'), join(root, 'b'), { sync: true });
  t.deepEqual(failures, []);
  t.deepEqual({ bytes, done }, { bytes: content.length, done: ['files'] });
  t.true(content.equals(await readFile(join(root, 'b'))));
});

test('files of every size around a piece arrive whole, over longer ones too', async (t) => {
  const root = await directory(t);
  for (const size of [0, 1, 4095, 2 ** 22 - 1, 2 ** 22, 2 ** 22 + 1]) {
    const content = Buffer.alloc(size, size % 251);
    await writeFile(join(root, 'a'), content);
    await copy(join(root, 'a'), join(root, 'b'));
    t.true(content.equals(await readFile(join(root, 'b'))), String(size));
  }
  await writeFile(join(root, 'a'), 'short');
  await copy(join(root, 'a'), join(root, 'b'));
  t.is(await readFile(join(root, 'b'), 'utf8'), 'short');
});

test('a tree keeps names, content, modes, times and links', async (t) => {
  const root = await directory(t);
  const from = join(root, 'from');
  const to = join(root, 'to');
  await mkdir(join(from, 'dir', 'deep'), { recursive: true });
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => writeFile(join(from, 'dir', `file${i}`), `content ${i}`)),
  );
  await writeFile(join(from, 'dir', 'deep', 'x'), 'x', { mode: 0o640 });
  await symlink('dir/deep/x', join(from, 'link'));
  await symlink('nowhere', join(from, 'dangling'));
  await utimes(join(from, 'dir', 'deep', 'x'), 1_000_000_000.25, 1_000_000_001.5);
  await chmod(join(from, 'dir', 'deep'), 0o500);
  await utimes(join(from, 'dir'), 5, 6);
  t.teardown(() => Promise.all([from, to].map((one) => chmod(join(one, 'dir', 'deep'), 0o700))));

  const { done, failures } = await copy(from, to, { recursive: true });
  t.deepEqual(failures, []);
  const counts = (kind: string) => done.filter((one) => one === kind).length;
  t.deepEqual([counts('files'), counts('directories'), counts('links')], [101, 3, 2]);
  t.deepEqual(
    (await readdir(to, { recursive: true })).toSorted(),
    (await readdir(from, { recursive: true })).toSorted(),
  );
  t.is(await readFile(join(to, 'dir', 'file42'), 'utf8'), 'content 42');
  t.is(await readlink(join(to, 'dangling')), 'nowhere');
  const x = await lstat(join(to, 'dir', 'deep', 'x'));
  t.is(x.mode & 0o7777, 0o640);
  t.is(x.mtimeMs, 1_000_000_001_500);
  t.is((await lstat(join(to, 'dir', 'deep'))).mode & 0o7777, 0o500);
  t.is((await lstat(join(to, 'dir'))).mtimeMs, 6000);
});

test('names that are no text are copied byte by byte', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'from'));
  const name = Buffer.concat([Buffer.from(join(root, 'from', 'a')), Buffer.from([0xff, 0xfe])]);
  await writeFile(name, 'content');
  const { failures } = await copy(join(root, 'from'), join(root, 'to'), { recursive: true });
  t.deepEqual(failures, []);
  const [copied] = await readdir(join(root, 'to'), { encoding: 'buffer' });
  t.deepEqual(copied, Buffer.from([0x61, 0xff, 0xfe]));
});

test('links over existing names replace them, as cp -a does', async (t) => {
  const root = await directory(t);
  await Promise.all(['from', 'to'].map((one) => mkdir(join(root, one))));
  await symlink('new', join(root, 'from', 'x'));
  await writeFile(join(root, 'to', 'x'), 'old');
  const { failures } = await copy(join(root, 'from'), join(root, 'to'), { recursive: true });
  t.deepEqual(failures, []);
  t.is(await readlink(join(root, 'to', 'x')), 'new');
});

test('what a copy cannot keep is counted', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'from'));
  await writeFile(join(root, 'from', 'a'), 'a');
  await link(join(root, 'from', 'a'), join(root, 'from', 'b'));
  const { notKept } = await copy(join(root, 'from'), join(root, 'to'), { recursive: true });
  t.deepEqual(notKept, ['hard links', 'hard links']);
});

test('a file is never copied onto itself, by whatever name', async (t) => {
  const root = await directory(t);
  await Promise.all(['from', 'to'].map((one) => mkdir(join(root, one))));
  await writeFile(join(root, 'from', 'a'), 'precious');
  await link(join(root, 'from', 'a'), join(root, 'to', 'a'));
  const onto = await copy(join(root, 'from', 'a'), join(root, 'to', 'a'));
  const below = await copy(join(root, 'from'), join(root, 'to'), { recursive: true });
  for (const { failures } of [onto, below])
    t.regex(failures[0]?.message ?? '', /are the same file/);
  t.is(await readFile(join(root, 'from', 'a'), 'utf8'), 'precious');
});

test('a directory is never copied into itself, also through a link', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'd', 'inner'), { recursive: true });
  await symlink('d/inner', join(root, 'way'));
  for (const to of [join(root, 'd', 'x'), join(root, 'd', 'inner', 'x'), join(root, 'way', 'x')]) {
    const { failures } = await copy(join(root, 'd'), to, { recursive: true });
    t.regex(failures[0]?.message ?? '', /into itself/, to);
  }
  t.deepEqual(await readdir(join(root, 'd', 'inner')), []);
});

test('a directory needs -r, and no kind goes over another', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'd'));
  await writeFile(join(root, 'f'), '');
  const recursive = { recursive: true };
  t.is((await copy(join(root, 'd'), join(root, 'x'))).failures[0]?.code, 'EISDIR');
  t.is((await copy(join(root, 'd'), join(root, 'f'), recursive)).failures[0]?.code, 'ENOTDIR');
  t.is((await copy(join(root, 'f'), join(root, 'd'))).failures[0]?.code, 'EISDIR');
  t.is((await copy(join(root, 'f'), `${join(root, 'new')}/`)).failures[0]?.code, 'ENOTDIR');
});

test('what fails is told, and the rest is copied', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'from'));
  for (const name of ['a', 'b', 'c']) await writeFile(join(root, 'from', name), name);
  const flawed: Tree = {
    ...localTree,
    async open(path, sizeHint) {
      if (path.toString().endsWith('/b')) throw new FsError('EIO', { what: 'a bad sector' });
      return localTree.open(path, sizeHint);
    },
  };
  const options = { recursive: true };
  const { failures } = await copy(join(root, 'from'), join(root, 'to'), options, flawed);
  t.deepEqual(failures, [
    { path: join(root, 'from', 'b'), code: 'EIO', message: 'EIO: a bad sector' },
  ]);
  t.deepEqual((await readdir(join(root, 'to'))).toSorted(), ['a', 'c']);
});

test('a lost cluster ends the copy instead of failing file by file', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'from'));
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => writeFile(join(root, 'from', `f${i}`), '')),
  );
  const gone: Tree = {
    ...localTree,
    async open() {
      throw await Promise.resolve(new FsError('ETIMEDOUT', { id: 'WEFT_E_MGR_UNREACHABLE' }));
    },
  };
  const options = { recursive: true };
  const { failures } = await copy(join(root, 'from'), join(root, 'to'), options, gone);
  t.true(failures.length > 0 && failures.length <= 33, String(failures.length));
});

test('owners that cannot be given away are counted, and suid goes with them', async (t) => {
  const root = await directory(t);
  await writeFile(join(root, 'a'), 'a', { mode: 0o755 });
  await chmod(join(root, 'a'), 0o4755);
  const ordinary: Tree = {
    ...localTree,
    owner: { uid: 4_000_000, gid: 4_000_000 },
    async keep(path, attributes) {
      if (attributes.owner !== undefined) throw toFsError({ code: 'EPERM' });
      return localTree.keep(path, attributes);
    },
  };
  const { notKept } = await copy(join(root, 'a'), join(root, 'b'), { preserve: true }, ordinary);
  t.deepEqual(notKept, ['owners']);
  t.is((await lstat(join(root, 'b'))).mode & 0o7777, 0o755);
});
