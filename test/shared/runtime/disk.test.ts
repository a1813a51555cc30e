import test from 'ava';
import * as fc from 'fast-check';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Errno, FsError } from '../../../shared/errno.ts';
import { makeDisk } from '../../../shared/runtime/node/disk.ts';
import { temporaryDirectory } from './recorder.ts';

const disk = makeDisk();

test('each mode of opening makes, demands or refuses the file as it says', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  for (const mode of ['read', 'write'] as const) {
    const error = await t.throwsAsync(disk.open(path, mode), { instanceOf: FsError });
    t.is(error.code, 'ENOENT');
    t.regex(error.message, /open .*file/);
  }
  const made = await disk.open(path, 'exclusive');
  await made.write([Buffer.from('kept')], 0);
  await made.close();
  await t.throwsAsync(disk.open(path, 'exclusive'), { code: 'EEXIST' });
  for (const mode of ['create', 'write', 'read'] as const) {
    const file = await disk.open(path, mode);
    const into = Buffer.alloc(4);
    t.is(await file.read([into], 0), 4);
    t.is(into.toString(), 'kept', mode);
    await file.close();
  }
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test('a file opened for reading cannot be written', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, 'x');
  const file = await disk.open(path, 'read');
  t.teardown(async () => file.close());
  const error = await t.throwsAsync(async () => file.write([Buffer.from('y')], 0), {
    instanceOf: FsError,
  });
  t.is(error.code, 'EBADF');
  t.is(error.bytesDone, 0);
});

const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 });

test('what is written anywhere, in any pieces, is read back in any other pieces', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = await disk.open(join(directory, 'file'), 'create');
  t.teardown(async () => file.close());
  let model = Buffer.alloc(0);
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(300), pieces, fc.nat(400), async (from, at, into, readAt) => {
      const bytes = Buffer.concat(from);
      await file.write(from, at);
      if (bytes.length > 0 && model.length < at + bytes.length) {
        model = Buffer.concat([model, Buffer.alloc(at + bytes.length - model.length)]);
      }
      bytes.copy(model, at);
      const done = await file.read(into, readAt);
      const expected = model.subarray(readAt, readAt + Buffer.concat(into).length);
      t.is(done, expected.length);
      t.true(Buffer.concat(into).subarray(0, done).equals(expected));
      t.is((await file.stat()).sizeBytes, model.length);
    }),
    { numRuns: 60 },
  );
});

test('more buffers than one system call takes are read and written whole (SCENARIOS 220)', async (t) => {
  const file = await disk.open(join(await temporaryDirectory(t), 'file'), 'create');
  t.teardown(async () => file.close());
  const from = Array.from({ length: 3000 }, (_, i) => Buffer.from([i & 0xff, i >> 8]));
  await file.write(from, 7);
  const into = Array.from({ length: 2000 }, () => Buffer.alloc(3));
  t.is(await file.read(into, 7), 6000);
  t.true(Buffer.concat(into).equals(Buffer.concat(from)));
  t.is(await file.read([Buffer.alloc(10)], 7 + 6000), 0, 'nothing beyond the end');
});

test('a write that fails in the middle tells how many bytes are done (SCENARIOS 220)', async (t) => {
  const file = await disk.open('/dev/full', 'write');
  t.teardown(async () => file.close());
  const error = await t.throwsAsync(async () => file.write([Buffer.alloc(10)], 0), {
    instanceOf: FsError,
  });
  t.is(error.code, 'ENOSPC');
  t.is(error.bytesDone, 0);
  t.regex(error.message, /write \/dev\/full/);
});

test('truncate cuts and extends with a hole; sync and stat agree', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  const file = await disk.open(path, 'create');
  t.teardown(async () => file.close());
  await file.write([Buffer.alloc(8192, 1)], 0);
  await file.truncate(100);
  await file.sync();
  t.is((await file.stat()).sizeBytes, 100);
  await file.truncate(2 ** 33);
  const sparse = await file.stat();
  t.is(sparse.sizeBytes, 2 ** 33);
  t.true(sparse.allocatedBytes < 2 ** 20);
  t.is(sparse.kind, 'file');
  const into = Buffer.alloc(200, 9);
  t.is(await file.read([into], 2 ** 33 - 200), 200);
  t.true(into.equals(Buffer.alloc(200)));
});

test('a closed file refuses work, and closing waits for the work under way', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  const file = await disk.open(path, 'create');
  const bytes = Buffer.alloc(1_000_000, 5);
  const writing = Promise.all(
    Array.from({ length: 8 }, async (_, i) => file.write([bytes], i * 1_000_000)),
  );
  await file.close();
  await file.close();
  await writing;
  t.is((await stat(path)).size, 8_000_000);
  for (const act of [
    async () => file.read([Buffer.alloc(1)], 0),
    async () => file.write([bytes], 0),
    async () => file.sync(),
  ]) {
    await t.throwsAsync(act, { code: 'EBADF' });
  }
});

test('directories are made with their parents, listed, renamed, synced and removed', async (t) => {
  const top = await temporaryDirectory(t);
  const inner = join(top, 'a', 'b');
  await disk.makeDirectory(inner);
  await disk.makeDirectory(inner);
  await writeFile(join(inner, 'one'), '1');
  await writeFile(join(inner, 'two'), '22');
  t.deepEqual((await disk.list(inner)).toSorted(), ['one', 'two']);
  await disk.rename(join(inner, 'two'), join(inner, 'three'));
  await disk.syncDirectory(inner);
  t.is((await disk.stat(join(inner, 'three')))?.sizeBytes, 2);
  t.is(await disk.stat(join(inner, 'two')), undefined);
  t.is((await disk.stat(inner))?.kind, 'directory');
  t.is((await disk.stat('/dev/null'))?.kind, 'other');
  await t.throwsAsync(disk.remove(inner), { code: 'ENOTEMPTY' });
  await disk.remove(join(inner, 'one'));
  await disk.remove(join(inner, 'three'));
  await disk.remove(inner);
  t.deepEqual(await disk.list(join(top, 'a')), []);
});

test('errors carry the errno of the system and name operation and path', async (t) => {
  const top = await temporaryDirectory(t);
  const none = join(top, 'none');
  const file = join(top, 'file');
  await writeFile(file, '');
  const cases: [string, Errno, () => Promise<unknown>][] = [
    ['readdir', 'ENOENT', async () => disk.list(none)],
    ['readdir', 'ENOTDIR', async () => disk.list(file)],
    ['remove', 'ENOENT', async () => disk.remove(none)],
    ['rename', 'ENOENT', async () => disk.rename(none, file)],
    ['mkdir', 'EEXIST', async () => disk.makeDirectory(file)],
    ['fsync', 'ENOENT', async () => disk.syncDirectory(none)],
    ['statfs', 'ENOENT', async () => disk.space(none)],
    ['stat', 'ENOTDIR', async () => disk.stat(join(file, 'x'))],
    ['open', 'EISDIR', async () => disk.open(top, 'write')],
  ];
  for (const [operation, code, act] of cases) {
    const error = await t.throwsAsync(act, { instanceOf: FsError });
    t.is(error.code, code, operation);
    t.true(error.what?.startsWith(`${operation} ${top}`), error.what);
  }
});

test('times of modification are exact to the nanosecond', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, 'x');
  const { mtimeNs } = await stat(path, { bigint: true });
  const found = await disk.stat(path);
  t.is(
    BigInt(found?.modified.seconds ?? 0) * 10n ** 9n + BigInt(found?.modified.nanoseconds ?? 0),
    mtimeNs,
  );
});

test('space tells sizes that fit together', async (t) => {
  const space = await disk.space(await temporaryDirectory(t));
  t.true(space.totalBytes > 0);
  t.true(space.freeBytes >= 0 && space.freeBytes <= space.totalBytes);
  t.true(space.freeFiles <= space.totalFiles);
});

test('a file that became shorter while it is read ends the read', async (t) => {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, Buffer.alloc(100));
  const file = await disk.open(path, 'read');
  t.teardown(async () => file.close());
  await truncate(path, 30);
  t.is(await file.read([Buffer.alloc(20), Buffer.alloc(20)], 0), 30);
  t.is((await readFile(path)).length, 30);
});
