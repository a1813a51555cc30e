/** `connectSync`: the same calls on Node's own file system and on a cluster have the same outcomes. */
import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fastGlob from 'fast-glob';
import { globSync } from 'glob';
import { connect } from '../../client/index.ts';
import { type ConnectedFileSystemSync, connectSync } from '../../client/sync/index.ts';
import { clusterDirectory, up } from './cli-runner.ts';
import { failureOf } from '../client/node-fs/outcome.ts';

type SyncFs = Pick<typeof nodeFs, Extract<keyof typeof nodeFs, `${string}Sync`>>;
type Method = (...args: readonly unknown[]) => unknown;

/** What came of a call, without what two file systems need not share. */
function outcomeOf(fs: object, root: string, method: string, args: readonly unknown[]): unknown {
  const hide = (text: string): string => text.replaceAll(root, 'ROOT');
  const run = (fs as Record<string, Method>)[method];
  if (run === undefined) throw new Error(`no ${method}`);
  try {
    const result = run(...args);
    if (result instanceof Uint8Array) return Buffer.from(result).toString('latin1');
    if (typeof result === 'string') return hide(result);
    if (typeof result !== 'object' || result === null) return result;
    if (Array.isArray(result)) return result.map(String).toSorted();
    if ('isFile' in result) {
      const stats = result as nodeFs.Stats;
      return [stats.isFile(), stats.isDirectory(), stats.mode, stats.isFile() ? stats.size : 0];
    }
    return Object.keys(result).toSorted();
  } catch (error) {
    return failureOf(error, hide);
  }
}

/** One of each call, good and bad, as they follow on each other. */
function script(at: (name: string) => string): readonly (readonly [string, ...unknown[]])[] {
  const bytes = Buffer.from('hello');
  return [
    ['mkdirSync', at('d')],
    ['mkdirSync', at('d')],
    ['mkdirSync', at('d/e/f'), { recursive: true }],
    ['writeFileSync', at('d/file'), 'some text'],
    ['writeFileSync', at('d/bytes'), bytes.subarray(1, 4), { mode: 0o600 }],
    ['writeFileSync', at('nowhere/file'), 'x'],
    ['appendFileSync', at('d/file'), '!'],
    ['readFileSync', at('d/file'), 'utf8'],
    ['readFileSync', at('d/bytes')],
    ['readFileSync', at('d')],
    ['readFileSync', at('missing')],
    ['statSync', at('d/file')],
    ['statSync', at('d/file'), { bigint: true }],
    ['statSync', at('missing'), { throwIfNoEntry: false }],
    ['lstatSync', at('d/file/x'), { throwIfNoEntry: false }],
    ['lstatSync', at('missing')],
    ['existsSync', at('d')],
    ['existsSync', at('missing')],
    ['existsSync', 7],
    ['accessSync', at('d/file'), 4],
    ['accessSync', at('missing')],
    ['chmodSync', at('d/file'), 0o640],
    ['utimesSync', at('d/file'), 1, new Date(2000)],
    ['copyFileSync', at('d/file'), at('d/copy')],
    ['copyFileSync', at('d/file'), at('d/copy'), nodeFs.constants.COPYFILE_EXCL],
    ['cpSync', at('d'), at('c'), { recursive: true }],
    ['readdirSync', at('c')],
    ['readdirSync', at('c'), { recursive: true }],
    ['readdirSync', at('d/file')],
    ['linkSync', at('d/file'), at('d/link')],
    ['symlinkSync', 'file', at('d/soft')],
    ['readlinkSync', at('d/soft')],
    ['realpathSync', at('d/soft')],
    ['truncateSync', at('d/link'), 4],
    ['statSync', at('d/file')],
    ['renameSync', at('d/link'), at('d/renamed')],
    ['renameSync', at('missing'), at('d/renamed')],
    ['statfsSync', at('d')],
    ['rmdirSync', at('d')],
    ['unlinkSync', at('d/renamed')],
    ['rmSync', at('missing')],
    ['rmSync', at('missing'), { force: true }],
    ['rmSync', at('c'), { recursive: true }],
    ['openSync', at('missing'), 'r'],
    ['closeSync', -3],
    ['fstatSync', 2 ** 30 + 77],
  ];
}

interface Place {
  readonly cluster: ConnectedFileSystemSync;
  readonly directory: string;
  readonly url: string;
}

async function started(t: ExecutionContext): Promise<Place> {
  const directory = await clusterDirectory(t);
  const { url } = await up(directory, '--iods', '2');
  const cluster = connectSync(url);
  t.teardown(() => {
    cluster.closeSync();
  });
  return { cluster, directory, url };
}

function outcomes(fs: object, root: string): unknown[] {
  return script((name) => `${root}/${name}`).map(([method, ...args]) => [
    method,
    outcomeOf(fs, root, method, args),
  ]);
}

test.serial('calls that wait have the outcomes of Node', async (t) => {
  const { cluster, directory } = await started(t);
  const local = join(directory, 'local');
  nodeFs.mkdirSync(local);
  cluster.mkdirSync('/scripted');
  const ours = outcomes(cluster, '/scripted');
  outcomes(nodeFs, local).forEach((theirs, i) => t.deepEqual(ours[i], theirs));
});

function readsAndWrites(fs: SyncFs | ConnectedFileSystemSync, file: string): unknown[] {
  const fd = fs.openSync(file, 'w+', 0o600);
  const large = Buffer.alloc(3 * 2 ** 20 + 5, 'pattern ');
  const into = Buffer.alloc(20, '.');
  const others = [Buffer.alloc(3), new Uint16Array(2)];
  const seen = [
    fs.writeSync(fd, large),
    fs.writeSync(fd, 'text', 10),
    fs.writeSync(fd, Buffer.from('abcdef'), 2, 3, 0),
    fs.writevSync(fd, [Buffer.from('one'), Buffer.from('two')], 5),
    fs.readSync(fd, into, 2, 15, 0),
    fs.readSync(fd, into, { position: large.length - 3, offset: 1 }),
    into.toString('latin1'),
    fs.readvSync(fd, others, 4),
    others.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('hex')),
    fs.fstatSync(fd).size,
  ];
  fs.ftruncateSync(fd, 7);
  fs.fsyncSync(fd);
  fs.fchmodSync(fd, 0o644);
  seen.push(fs.readFileSync(file, 'latin1'), fs.fstatSync(fd).mode);
  fs.closeSync(fd);
  return seen;
}

test.serial('reads and writes land where they belong', async (t) => {
  const { cluster, directory } = await started(t);
  const theirs = readsAndWrites(nodeFs, join(directory, 'bytes'));
  t.deepEqual(readsAndWrites(cluster, '/bytes'), theirs);
});

test.serial('a directory is read entry by entry, and results have their classes', async (t) => {
  const { cluster, url } = await started(t);
  cluster.mkdirSync('/many');
  for (let i = 0; i < 300; i++) cluster.writeFileSync(`/many/${i}`, '');
  const names: string[] = [];
  const dir = cluster.opendirSync('/many');
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
    t.true(entry.isFile());
    names.push(entry.name);
  }
  dir.closeSync();
  t.throws(() => dir.readSync(), { code: 'ERR_DIR_CLOSED' });
  t.is(new Set(names).size, 300);
  t.true(cluster.statSync('/many').mtime instanceof Date);
  t.is(typeof cluster.statSync('/many', { bigint: true }).mtimeNs, 'bigint');
  t.true(Buffer.isBuffer(cluster.readFileSync('/many/1')));
  const error = t.throws(() => cluster.readFileSync('/no'), { code: 'ENOENT' });
  t.regex(error.stack ?? '', /sync\.test/, 'the stack leads to the call');
  await using other = await connect(url);
  t.is((await other.readdir('/many')).length, 300);
});

test.serial('packages that take synchronous calls find what is there', async (t) => {
  const { cluster } = await started(t);
  cluster.mkdirSync('/tree/deep', { recursive: true });
  for (const name of ['/tree/a.ts', '/tree/b.js', '/tree/deep/c.ts'])
    cluster.writeFileSync(name, '');
  const fs = cluster as unknown as typeof nodeFs;
  t.deepEqual(globSync('/tree/**/*.ts', { fs }).toSorted(), ['/tree/a.ts', '/tree/deep/c.ts']);
  const { lstatSync, statSync, readdirSync } = fs;
  const found = fastGlob.sync('/tree/**/*.ts', { fs: { lstatSync, statSync, readdirSync } });
  t.deepEqual(found.toSorted(), ['/tree/a.ts', '/tree/deep/c.ts']);
});

test.serial(
  'what cannot be connected is told at once, and what is closed stays closed',
  async (t) => {
    const { url } = await started(t);
    t.throws(() => connectSync('ws://127.0.0.1:1', { deadlineMs: 100 }), {
      code: 'ETIMEDOUT',
      message: /WEFT_E_MGR_UNREACHABLE|mgr/,
    });
    const fs = connectSync(url);
    fs.closeSync();
    fs.closeSync();
    t.throws(() => fs.readdirSync('/'), { code: 'EBADF' });
  },
);
