/** Arguments that Node refuses are refused with the same words, at the same moment. */
import * as nodeFs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { startLocalCluster, type LocalCluster } from './local-cluster.ts';
import { type AnyFs, failureOf } from './outcome.ts';

let cluster: LocalCluster;
test.before(async () => {
  cluster = await startLocalCluster(1);
});
test.after.always(() => cluster.stop());

const noPaths = [undefined, null, 5, {}, true, Symbol('path'), () => 1, 'a\0b', Buffer.from('a\0')];
const noPathsOrDescriptors = noPaths.filter((one) => !['number', 'symbol'].includes(typeof one));
const urls = [
  new URL('http://host/file'),
  new URL('file://host/file'),
  new URL('file:///with%2Fslash'),
  new URL('file:///none/x'),
];
const paths = [...noPaths, ...urls, '/none/x', ''];
const noOptions = [5, true, { encoding: 'none' }, { signal: 5 }, { signal: null }];
const noModes = ['9', '0x1', -1, 1.5, 2 ** 32, {}, NaN];
const numbers = ['5', -2, 1.5, NaN, 2 ** 32, Infinity, {}, 5n, undefined];
const noTimes = [{}, 'yesterday', NaN, Infinity, undefined, null, true];
const long = 'x'.repeat(256);

/** One call for each value in the place of `HERE`. */
const here = Symbol('here');
type Row = readonly [method: string, args: readonly unknown[], values: readonly unknown[]];
const ofBoth: readonly Row[] = [
  ...['access', 'stat', 'lstat', 'unlink', 'rmdir', 'readlink', 'mkdir', 'opendir'].map(
    (method): Row => [method, [here], [...paths, long]],
  ),
  ['readdir', [here], [...paths, long]],
  ['statfs', [here], paths],
  ['truncate', [here], [...noPathsOrDescriptors, ...urls]],
  ['access', ['/', here], ['r', 8, -1, {}]],
  ['appendFile', [here, 'x'], noPathsOrDescriptors],
  ['appendFile', ['/none/x', here], [5, undefined, null, true]],
  ['chmod', [here, 0o644], paths],
  ['chmod', ['/none', here], noModes],
  ['chown', [here, 0, 0], paths],
  ['chown', ['/none', here, 0], numbers],
  ['chown', ['/none', 0, here], numbers],
  ['copyFile', [here, '/b'], paths],
  ['copyFile', ['/none', here], paths],
  ['copyFile', ['/none', '/b', here], [8, -1, 'a']],
  ['cp', [here, '/b'], noPaths],
  ['cp', ['/none', here], noPaths],
  ['cp', ['/none', '/b', here], [5, null, { filter: 5 }, { mode: 9 }, { mode: 'x' }]],
  ['cp', ['/none', '/b', here], ['dereference', 'force', 'recursive'].map((key) => ({ [key]: 1 }))],
  ['cp', ['/none', '/b', here], [{ dereference: true, verbatimSymlinks: true }]],
  ['lchown', ['/none', here, 0], numbers],
  ['link', [here, '/b'], paths],
  ['link', ['/none', here], paths],
  ['lutimes', ['/none', here, 0], noTimes],
  ['mkdir', ['/none/x', here], [...noModes, { recursive: 1 }, { mode: '8' }]],
  ['mkdtemp', [here], noPaths],
  ['mkdtemp', ['/none/x', here], noOptions],
  ['open', [here], paths],
  ['open', ['/none', here], ['q', 'rw', '', {}, 1.5, 2 ** 31, true]],
  ['open', ['/none', 'r', here], noModes],
  ['opendir', ['/none', here], noOptions],
  ['readFile', [here], noPathsOrDescriptors],
  ['readFile', ['/none', here], [...noOptions, { signal: AbortSignal.abort('enough') }]],
  ['readdir', ['/none', here], noOptions],
  ['readlink', ['/none', here], noOptions],
  ['realpath', [here], ['a\0b', ...urls, '/none/x', `/${long}`]],
  ['realpath', ['/none', here], noOptions],
  ['rename', [here, '/b'], paths],
  ['rename', ['/none', here], paths],
  ['rm', [here], paths],
  ['rm', ['/none', here], [5, null, { force: 1 }, { maxRetries: -1 }, { retryDelay: 'x' }]],
  ['rmdir', ['/none', here], [5, null, { recursive: 1 }]],
  ['symlink', [here, '/none/b'], noPaths],
  ['symlink', ['a', here], noPaths],
  ['symlink', ['a', '/none/b', here], ['link', 'DIR']],
  ['utimes', [here, 0, 0], paths],
  ['utimes', ['/none', here, 0], noTimes],
  ['utimes', ['/none', 0, here], noTimes],
  ['writeFile', [here, 'x'], noPathsOrDescriptors],
  ['writeFile', ['/none/x', here], [5, undefined, null, true]],
  ['writeFile', ['/none/x', '', here], [...noOptions, { flag: 'q' }, { flush: 1 }, { mode: '9' }]],
];

const descriptors = ['1', -1, 1.5, NaN, 2 ** 31, {}, null, undefined];
const ofCallbacks: readonly Row[] = [
  ['truncate', ['/none', here], numbers.filter((one) => one !== undefined)],
  ...['close', 'fdatasync', 'fstat', 'fsync'].map((method): Row => [method, [here], descriptors]),
  ['fchmod', [here, 0], descriptors],
  ['fchown', [here, 0, 0], descriptors],
  ['ftruncate', [here, 0], descriptors],
  ['futimes', [here, 0, 0], descriptors],
  ['read', [here, Buffer.alloc(1), 0, 1, 0], descriptors],
  ['read', [99_999, here, 0, 1, 0], ['text', 5]],
  ['read', [99_999, Buffer.alloc(3), here, 1, 0], [-1, 1.5, 'x', 4]],
  ['read', [99_999, Buffer.alloc(3), 0, here, 0], [-1, 4]],
  ['read', [99_999, Buffer.alloc(3), 0, 1, here], ['x', 1.5, -2, {}, 2n ** 64n, 0, 0n]],
  ['read', [99_999, Buffer.alloc(0), 0, 1, 0], [0]],
  ['readv', [99_999, here, 0], [5, 'x', [5], [Buffer.alloc(1)]]],
  ['write', [here, Buffer.alloc(1), 0, 1, 0], descriptors],
  ['write', [99_999, here], [5, null, undefined, {}, 'text']],
  ['write', [99_999, Buffer.alloc(3), here], [-1, 1.5, 4, 'x']],
  ['write', [99_999, Buffer.alloc(3), 0, here], [-1, 4, 2 ** 31]],
  ['write', [99_999, 'abc', 0, here], ['hex']],
  ['writev', [99_999, here], [5, 'x', [5], [Buffer.alloc(1)]]],
  ['fchmod', [99_999, here], ['9', -1, 0o600]],
  ['fchown', [99_999, here, 0], ['9', -2, 0]],
  ['ftruncate', [99_999, here], ['9', 1.5, 0]],
  ['futimes', [99_999, here, 0], ['then', {}, 0]],
  ['writeFile', [here, 'x'], [99_999]],
  ['close', [here], [99_999]],
  ['fstat', [here], [99_999]],
];

type Method = (...args: readonly unknown[]) => unknown;

function methodOf(from: unknown, name: string): Method {
  return (from as Record<string, Method>)[name]?.bind(from) as Method;
}

function hide(text: string): string {
  return text.replace(/(\/none\/x)\w{6}/g, '$1XXXXXX');
}

async function promised(fs: AnyFs, method: string, args: readonly unknown[]): Promise<unknown> {
  try {
    await methodOf(fs.promises, method)(...args);
    return 'it worked';
  } catch (error) {
    return failureOf(error, hide);
  }
}

function calledBack(fs: AnyFs, method: string, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve) => {
    try {
      methodOf(fs, method)(...args, (error: unknown) => {
        resolve(error ? { calledBack: failureOf(error, hide) } : 'it worked');
      });
    } catch (error) {
      resolve({ thrown: failureOf(error, hide) });
    }
  });
}

for (const [style, rows, run] of [
  ['promises', ofBoth, promised],
  ['callbacks', [...ofBoth, ...ofCallbacks], calledBack],
] as const) {
  test(`what ${style} of Node refuse is refused in the same words`, async (t) => {
    const differences: unknown[] = [];
    for (const [method, args, values] of rows) {
      for (const value of values) {
        const given = args.map((arg) => (arg === here ? value : arg));
        const expected = await run(nodeFs, method, given);
        const got = await run(cluster.fs, method, given);
        if (expected === 'it worked' || !isDeepStrictEqual(got, expected)) {
          differences.push({ method, given, got, expected });
        }
      }
    }
    t.deepEqual(differences, []);
  });
}

function refusal(make: () => unknown): unknown {
  try {
    make();
    return 'it worked';
  } catch (error) {
    return failureOf(error, hide);
  }
}

test('streams refuse what those of Node refuse', (t) => {
  const ranges = [{ start: -1 }, { start: 'x' }, { end: -1 }, { end: 'x' }, { start: 5, end: 4 }];
  const others = [{ fd: 'x' }, { fd: -1 }, { encoding: 'none' }, { signal: 5 }, 5];
  for (const options of [...ranges, ...others]) {
    t.deepEqual(
      refusal(() => cluster.fs.createReadStream('/none', options as never)),
      refusal(() => nodeFs.createReadStream('/none', options as never)),
    );
  }
  for (const options of [{ start: -1 }, { start: 'x' }, { flush: 1 }, ...others]) {
    t.deepEqual(
      refusal(() => cluster.fs.createWriteStream('/none', options as never)),
      refusal(() => nodeFs.createWriteStream('/none', options as never)),
    );
  }
  for (const path of noPaths) {
    t.deepEqual(
      refusal(() => cluster.fs.createReadStream(path as never)),
      refusal(() => nodeFs.createReadStream(path as never)),
    );
  }
});

test('a call without a callback is refused where only Node has it', (t) => {
  for (const method of ['copyFile', 'realpath', 'mkdtemp', 'fstat', 'fsync']) {
    t.throws(() => methodOf(cluster.fs, method)('/none', '/b'), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});
