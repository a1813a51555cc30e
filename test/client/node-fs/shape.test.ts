/** What a connected file system is as a whole: two faces of one thing. */
import * as nodeFs from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { isFsError, type NodeFs } from '../../../client/index.ts';
import { type LocalCluster, startLocalCluster } from './local-cluster.ts';
import { type AnyFs, settled } from './outcome.ts';

let cluster: LocalCluster;
test.before(async () => {
  cluster = await startLocalCluster(3);
});
test.after.always(() => cluster.stop());

test('a call with a callback is Node’s, one without is the library’s', async (t) => {
  const { fs } = cluster;
  const node: NodeFs = fs;
  t.is(await fs.mkdir('/faces', { recursive: true }), true);
  t.is(await promisify(node.mkdir)('/faces/a/b', { recursive: true }), '/faces/a');
  const file = await fs.open('/faces/file', 'w');
  await file.write(Buffer.from('content'));
  await file.close();
  t.is(typeof (await promisify(node.open)('/faces/file', 'r')), 'number');
  t.deepEqual((await fs.readdir('/faces')).map(({ name }) => name).toSorted(), ['a', 'file']);
  t.deepEqual((await promisify(node.readdir)('/faces')).toSorted(), ['a', 'file']);
  t.true(await fs.exists('/faces/file'));
  t.true(await promisify(node.exists)('/faces/file'));
  t.is(await promisify(node.realpath.native)('/faces/../faces/file'), '/faces/file');
});

test('a file is striped as it is wished, whichever call makes it', async (t) => {
  const { fs } = cluster;
  const layout = { pcount: 2, ssize: 65_536 };
  await fs.promises.writeFile('/wide', 'content', { layout } as object);
  const stream = fs.createWriteStream('/wider', { layout } as object);
  await promisify(stream.end.bind(stream))();
  for (const path of ['/wide', '/wider']) t.like((await fs.stat(path)).layout, layout, path);
});

test('what Node does not know is told with advice, under its errno', async (t) => {
  const { fs } = cluster;
  const control = AbortSignal.timeout(1);
  const aborted = await t.throwsAsync(
    () => fs.promises.writeFile('/aborted', slowly(), { signal: control }),
    { code: 'ABORT_ERR' },
  );
  t.is(aborted?.name, 'AbortError');
  const missing = await t.throwsAsync(() => fs.promises.stat('/none'));
  t.true(isFsError(missing));
});

async function* slowly(): AsyncGenerator<string> {
  for (let i = 0; i < 1000; i++) {
    yield 'piece';
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

test('what an error of a program in its callback ends is the program, as in Node', async (t) => {
  const { fs } = cluster;
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const uncaught = new Promise((resolve) => {
    process.once('uncaughtException', resolve);
  });
  fs.stat('/', () => {
    throw new Error('of the program');
  });
  t.is(((await uncaught) as Error).message, 'of the program');
  for (const listener of before) process.on('uncaughtException', listener);
});

test('a tree is listed whole, as names, as entries and in bytes', async (t) => {
  const real = `${cluster.directory}/listed`;
  const both: readonly (readonly [AnyFs, string])[] = [
    [nodeFs, real],
    [cluster.fs, '/listed'],
  ];
  const listings: unknown[] = [];
  for (const [fs, root] of both) {
    for (const directory of ['a/b/c', 'a/d', 'ü', 'empty']) {
      await fs.promises.mkdir(`${root}/${directory}`, { recursive: true });
      await fs.promises.writeFile(`${root}/${directory}/file`, directory);
    }
    listings.push(
      await settled(root, 'readdir', async () => ({
        names: await fs.promises.readdir(root, { recursive: true }),
        withSlash: await fs.promises.readdir(`${root}/a/`, { recursive: true }),
        entries: await fs.promises.readdir(root, { recursive: true, withFileTypes: true }),
        entriesOfOne: await fs.promises.readdir(root, { withFileTypes: true }),
        bytes: await fs.promises.readdir(Buffer.from(root), 'buffer'),
        hex: await fs.promises.readdir(root, 'hex'),
        missing: await settled(root, '', () => {
          return fs.promises.readdir(`${root}/none`, { recursive: true });
        }),
        opened: await fs.promises.opendir(root, { recursive: true }),
      })),
    );
  }
  t.deepEqual(listings[1], listings[0]);
});

test('a Dir is read in turns, and is closed once', async (t) => {
  const { fs } = cluster;
  await fs.promises.mkdir('/turns');
  await Promise.all([1, 2, 3].map((i) => fs.promises.writeFile(`/turns/${i}`, '')));
  const dir = await fs.promises.opendir('/turns');
  const [one, two, three, end] = await Promise.all([1, 2, 3, 4].map(() => dir.read()));
  t.deepEqual(new Set([one?.name, two?.name, three?.name]), new Set(['1', '2', '3']));
  t.is(end, null);
  await dir.close();
  t.throws(() => void dir.read(), { code: 'ERR_DIR_CLOSED' });
  await t.throwsAsync(() => dir.close(), { code: 'ERR_DIR_CLOSED' });
});

test('times and numbers are exact with `bigint`, and dates without', async (t) => {
  const { fs } = cluster;
  await fs.promises.writeFile('/times', '');
  await fs.setAttributes('/times', { modified: { seconds: 5, nanoseconds: 123_456_789 } });
  const exact = await fs.promises.stat('/times', { bigint: true });
  t.like(exact, { mtimeNs: 5_123_456_789n, mtimeMs: 5123n, size: 0n });
  t.is(exact.mtime.getTime(), 5123);
  const stats = await fs.promises.stat('/times');
  t.is(stats.mtime.toISOString(), '1970-01-01T00:00:05.123Z');
  t.true(stats.birthtime instanceof Date);
  t.true(stats instanceof fs.Stats);
});
