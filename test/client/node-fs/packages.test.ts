/** Packages that take a `node:fs` do their work on a cluster, as they are. */
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import test from 'ava';
import fastGlob from 'fast-glob';
import { glob } from 'glob';
import * as git from 'isomorphic-git';
import { memfs } from 'memfs';
import serveHandler from 'serve-handler';
import * as tarFs from 'tar-fs';
import { Union } from 'unionfs';
import webpack from 'webpack';
import type { ConnectedFileSystem } from '../../../client/index.ts';
import { limits } from '../../../shared/limits.ts';
import { type LocalCluster, startLocalCluster } from './local-cluster.ts';

let cluster: LocalCluster;
let fs: ConnectedFileSystem;
test.before(async () => {
  cluster = await startLocalCluster(2, limits.smallFileBytesDefault);
  ({ fs } = cluster);
});
test.after.always(() => cluster.stop());

/** What a tree is, whichever file system it is in. */
async function contentOf(
  from: typeof nodeFs.promises | ConnectedFileSystem['promises'],
  root: string,
): Promise<Record<string, unknown>> {
  const entries = await from.readdir(root, { recursive: true, withFileTypes: true });
  const all = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const { mode, mtime } = await from.lstat(path);
    // An archive has whole seconds of a date, which Node has rounded to a millisecond before.
    const seconds = Math.floor(mtime.getTime() / 1000);
    if (entry.isDirectory()) return [path.slice(root.length), { mode }];
    const content = entry.isSymbolicLink()
      ? await from.readlink(path)
      : (await from.readFile(path)).toString('hex');
    return [path.slice(root.length), { mode, content, ...(entry.isFile() && { seconds }) }];
  });
  return Object.fromEntries(await Promise.all(all)) as Record<string, unknown>;
}

test('isomorphic-git keeps a repository of 200 files', async (t) => {
  const dir = '/repository';
  const author = { name: 'A', email: 'a@example.org' };
  await git.init({ fs, dir, defaultBranch: 'main' });
  const files = Array.from({ length: 200 }, (_, i) => `d${i % 7}/f${i}.txt`);
  for (let i = 0; i < 7; i++) await fs.promises.mkdir(`${dir}/d${i}`);
  await Promise.all(files.map((file) => fs.promises.writeFile(`${dir}/${file}`, `one ${file}`)));
  await git.add({ fs, dir, filepath: files });
  await git.commit({ fs, dir, message: 'first', author });
  await fs.promises.writeFile(`${dir}/d0/f0.txt`, 'two');
  await fs.promises.rm(`${dir}/d1/f1.txt`);
  await fs.promises.symlink('f0.txt', `${dir}/d0/link`);
  const changed = (await git.statusMatrix({ fs, dir })).filter(
    ([, head, work, stage]) => head !== 1 || work !== 1 || stage !== 1,
  );
  t.deepEqual(changed, [
    ['d0/f0.txt', 1, 2, 1],
    ['d0/link', 0, 2, 0],
    ['d1/f1.txt', 1, 0, 1],
  ]);
  await git.branch({ fs, dir, ref: 'other', checkout: true });
  await git.add({ fs, dir, filepath: ['d0/f0.txt', 'd0/link'] });
  await git.remove({ fs, dir, filepath: 'd1/f1.txt' });
  await git.commit({ fs, dir, message: 'second', author });
  await git.checkout({ fs, dir, ref: 'main' });
  t.is(await fs.promises.readFile(`${dir}/d0/f0.txt`, 'utf8'), 'one d0/f0.txt');
  t.is(await fs.promises.readFile(`${dir}/d1/f1.txt`, 'utf8'), 'one d1/f1.txt');
  await t.throwsAsync(() => fs.promises.lstat(`${dir}/d0/link`), { code: 'ENOENT' });
  await git.checkout({ fs, dir, ref: 'other' });
  t.is(await fs.promises.readlink(`${dir}/d0/link`), 'f0.txt');
  t.is((await git.log({ fs, dir })).length, 2);
});

function pathsOf(found: readonly { readonly path: string }[]): readonly string[] {
  return found.map(({ path }) => path).toSorted();
}

test('glob and fast-glob find what they find in a directory of the host', async (t) => {
  const host = join(cluster.directory, 'glob');
  const files = ['a.ts', 'b.js', 'deep/c.ts', 'deep/er/d.ts', 'deep/er/.hidden.ts', 'ü/e.ts'];
  for (const [where, promises] of [
    [host, nodeFs.promises],
    ['/glob', fs.promises],
  ] as const) {
    for (const file of files) {
      await promises.mkdir(join(where, file, '..'), { recursive: true });
      await promises.writeFile(join(where, file), file);
    }
    await promises.symlink('deep', `${where}/link`);
  }
  for (const pattern of ['**/*.ts', '*', 'deep/**', 'link/*.ts', '**/*.{js,md}', 'none/*']) {
    const found = await glob(pattern, { cwd: '/glob', fs });
    t.deepEqual(found.toSorted(), (await glob(pattern, { cwd: host })).toSorted(), pattern);
    const faster = await fastGlob(pattern, { cwd: '/glob', fs, stats: true });
    const expected = await fastGlob(pattern, { cwd: host, stats: true });
    t.deepEqual(pathsOf(faster), pathsOf(expected), pattern);
  }
});

test('tar-fs packs and extracts a tree with links, modes and times', async (t) => {
  const host = join(cluster.directory, 'tar');
  await nodeFs.promises.cp('client', join(host, 'client'), { recursive: true });
  await nodeFs.promises.symlink('client/index.ts', join(host, 'link'));
  await nodeFs.promises.writeFile(join(host, 'large'), Buffer.alloc(3_000_000, 'large'));
  await nodeFs.promises.chmod(join(host, 'large'), 0o750);
  await nodeFs.promises.utimes(join(host, 'large'), 1, 1_000_000_000.9997);
  await fs.promises.mkdir('/tar');
  // Documented, but not in its types.
  const through: object = { fs };
  await pipeline(tarFs.pack(host), tarFs.extract('/tar', through));
  const expected = await contentOf(nodeFs.promises, host);
  t.true(Object.keys(expected).length > 50);
  t.deepEqual(await contentOf(fs.promises, '/tar'), expected);
  const back = join(cluster.directory, 'tar-back');
  await pipeline(tarFs.pack('/tar', through), tarFs.extract(back));
  t.deepEqual(await contentOf(nodeFs.promises, back), expected);
});

test('unionfs shows a cluster and memory as one', async (t) => {
  const memory = memfs({ '/memory/a': 'of memory' }).fs;
  await fs.promises.mkdir('/union');
  await fs.promises.writeFile('/union/a', 'of the cluster');
  const union = new Union();
  union.use(memory as never).use(fs as never);
  t.is(await union.promises.readFile('/union/a', 'utf8'), 'of the cluster');
  t.is(await union.promises.readFile('/memory/a', 'utf8'), 'of memory');
  t.deepEqual(await promisify(union.readdir)('/union'), ['a']);
  await promisify(union.writeFile)('/union/b', 'written');
  t.is(await fs.promises.readFile('/union/b', 'utf8'), 'written');
});

test('serve-handler serves files, ranges of them and listings over HTTP', async (t) => {
  const content = Buffer.from(Array.from({ length: 500_000 }, (_, i) => i & 0xff));
  await fs.promises.mkdir('/site/sub', { recursive: true });
  await fs.promises.writeFile('/site/file.bin', content);
  await fs.promises.writeFile('/site/sub/page.html', '<p>hello</p>');
  const { lstat, realpath, readdir } = fs.promises;
  const server = createServer((request, response) => {
    const options = { public: '/site' };
    const { createReadStream } = fs;
    void serveHandler(request, response, options, {
      lstat,
      realpath,
      readdir,
      createReadStream,
    } as never);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const whole = await fetch(`${at}/file.bin`);
  t.true(Buffer.from(await whole.arrayBuffer()).equals(content));
  const part = await fetch(`${at}/file.bin`, { headers: { range: 'bytes=100000-299999' } });
  t.is(part.status, 206);
  t.is(part.headers.get('content-range'), 'bytes 100000-299999/500000');
  t.true(Buffer.from(await part.arrayBuffer()).equals(content.subarray(100_000, 300_000)));
  t.is(await (await fetch(`${at}/sub/page`)).text(), '<p>hello</p>');
  t.regex(await (await fetch(`${at}/sub`)).text(), /page\.html/);
  t.is((await fetch(`${at}/none`)).status, 404);
});

test('webpack reads its input from a cluster and writes its output there', async (t) => {
  await fs.promises.mkdir('/app/src', { recursive: true });
  await fs.promises.writeFile(
    '/app/src/index.js',
    "import { a } from './a.js'; globalThis.it = a;",
  );
  await fs.promises.writeFile('/app/src/a.js', "export const a = 'bundled';");
  const compiler = webpack({
    mode: 'production',
    context: '/app',
    entry: './src/index.js',
    output: { path: '/app/dist' },
  });
  t.truthy(compiler);
  if (!compiler) return;
  compiler.inputFileSystem = fs as never;
  compiler.outputFileSystem = fs as never;
  const stats = await promisify(compiler.run.bind(compiler))();
  t.deepEqual(stats?.compilation.errors, []);
  await promisify(compiler.close.bind(compiler))();
  t.regex(await fs.promises.readFile('/app/dist/main.js', 'utf8'), /bundled/);
});
