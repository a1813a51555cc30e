import test from 'ava';
import * as fc from 'fast-check';
import { type Errno, FsError } from '../../shared/errno.ts';
import { failure } from '../shared/rpc/pair.ts';
import { Scripted } from './scripted.ts';

function pattern(length: number, seed = 1): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (at * 13 + seed * 101 + (at >> 8)) & 0xff));
}

test('what is written anywhere is read back, whole or in parts, over all iods', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  const model = Buffer.alloc(200_000);
  let size = 0;
  const range = fc.record({ at: fc.nat(100_000), length: fc.nat(40_000), cut: fc.nat(40_000) });
  await fc.assert(
    fc.asyncProperty(range, range, async (w, r) => {
      const bytes = pattern(w.length, w.at);
      const cut = Math.min(w.cut, w.length);
      const written = await cluster.run(() =>
        file.write([bytes.subarray(0, cut), bytes.subarray(cut)], w.at),
      );
      t.deepEqual(written, { position: w.at, bytesWritten: w.length });
      bytes.copy(model, w.at);
      if (w.length > 0) size = Math.max(size, w.at + w.length);
      const into = [Buffer.alloc(Math.min(r.cut, r.length), 9), Buffer.alloc(r.length, 9)];
      const room = Buffer.concat(into).length;
      const count = await cluster.run(() => file.read(into, r.at));
      t.is(count, Math.max(0, Math.min(room, size - r.at)));
      t.true(
        Buffer.concat(into)
          .subarray(0, count)
          .equals(model.subarray(r.at, r.at + count)),
      );
    }),
    { numRuns: 60 },
  );
});

test('a cap is shown to each iod once, ahead of the first request, and again when it is unknown (SCENARIOS 175)', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(pattern(30_000), 0));
  await cluster.run(() => file.read(Buffer.alloc(30_000), 0));
  t.is(cluster.count('admit'), 3);
  cluster.iod(1).opens.clear();
  await cluster.run(() => file.write(pattern(30_000), 0));
  t.is(cluster.count('admit'), 4);
  cluster.script = ({ op }) => {
    if (op === 'admit') throw new FsError('EACCES', { id: 'WEFT_E_CAP_REFUSED' });
  };
  cluster.iod(1).opens.clear();
  const error = await failure(cluster.run(() => file.read(Buffer.alloc(30_000), 0)));
  t.like(error, { code: 'ESTALE', weftCode: 'WEFT_E_CAP_STALE', syscall: 'read', path: 'a' });
});

test('a call that was aborted before it showed the cap leaves that to the next one', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  const signal = AbortSignal.abort();
  t.is(
    (await failure(cluster.run(() => file.write(pattern(9000), 0, { signal })))).code,
    'ECANCELED',
  );
  await cluster.run(() => file.write(pattern(9000), 0));
  t.is(cluster.count('write'), 3);
});

test('a read ends at the end of the file, and what is missing below it is zeros', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(pattern(10), 20_000));
  const into = Buffer.alloc(30_000, 9);
  t.is(await cluster.run(() => file.read(into, 0)), 20_010);
  t.true(into.subarray(0, 20_000).every((byte) => byte === 0));
  t.true(into.subarray(20_000, 20_010).equals(pattern(10)));
  t.is(await cluster.run(() => file.read(into, 20_010)), 0);
  t.is(await cluster.run(() => file.read(into, Number.MAX_SAFE_INTEGER)), 0);
  t.is(await cluster.run(() => file.read(Buffer.alloc(0), 0)), 0);
});

test('bytes that another writes while the size is asked for are not taken for a hole', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  await cluster.run(() => file.write(pattern(10), 0));
  cluster.script = ({ op }) => {
    if (op !== 'getAttr') return;
    const [record] = cluster.files.values();
    if (record) cluster.iod(0).objects.set(record.handle, pattern(100));
  };
  const into = Buffer.alloc(200, 9);
  t.is(await cluster.run(() => file.read(into, 0)), 100);
  t.true(into.subarray(0, 100).equals(pattern(100)));
});

test('what a file was not opened for is EBADF, and a wrong place EINVAL or EFBIG', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const writer = await cluster.run(() => fs.open('a', 'w'));
  const reader = await cluster.run(() => fs.open('a', 'r'));
  const fails = async (code: Errno, run: () => Promise<unknown>): Promise<void> => {
    t.is((await failure(cluster.run(run))).code, code);
  };
  await fails('EBADF', () => writer.read(Buffer.alloc(1), 0));
  await fails('EBADF', () => reader.write(Buffer.alloc(1), 0));
  await fails('EBADF', () => reader.truncate(0));
  for (const wrong of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    await fails('EINVAL', () => reader.read(Buffer.alloc(1), wrong));
    await fails('EINVAL', () => writer.write(Buffer.alloc(1), wrong));
    await fails('EINVAL', () => writer.truncate(wrong));
  }
  await fails('EFBIG', () => writer.write(Buffer.alloc(2), Number.MAX_SAFE_INTEGER - 1));
});

test('appends get their place from the mgr, and no two the same', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const [one, two] = await cluster.run(() => Promise.all([fs.open('a', 'a'), fs.open('a', 'a+')]));
  const lengths = [10, 5000, 1, 12_000, 300];
  const written = await cluster.run(() =>
    Promise.all(lengths.map((length, i) => (i % 2 === 0 ? one : two).write(pattern(length, i), 0))),
  );
  const sorted = written.map((at, i) => ({ ...at, i })).toSorted((a, b) => a.position - b.position);
  const into = Buffer.alloc(20_000);
  t.is(await cluster.run(() => two.read(into, 0)), 17_311);
  let end = 0;
  for (const { position, bytesWritten, i } of sorted) {
    t.is(position, end);
    end += bytesWritten;
    t.true(into.subarray(position, end).equals(pattern(lengths[i] ?? 0, i)));
  }
});

test('a write that fails in part tells how far it is whole, and the file has what is there', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  cluster.script = ({ who, op }) => {
    if (who === 'iod1' && op === 'write')
      throw new FsError('ENOSPC', { what: 'disk of iod1 is full' });
  };
  const bytes = pattern(12_288);
  const error = await failure(cluster.run(() => file.write(bytes, 0)));
  t.like(error, {
    code: 'ENOSPC',
    bytesDone: 4096,
    what: 'disk of iod1 is full',
    syscall: 'write',
  });
  await cluster.run(() => file.close());
  const { request } = cluster.heard.at(-1) ?? {};
  t.is(request?.['size'], 12_288, 'the last column is stored');
});

test('fsync asks each iod that was written to, then the mgr, and close tells size and time', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(5000), 0));
  await cluster.run(() => file.sync());
  const asked = cluster.heard.slice(-3).map(({ who, op }) => `${who} ${op}`);
  t.deepEqual(asked.slice(0, 2).toSorted(), ['iod0 sync', 'iod1 sync']);
  t.is(asked[2], 'mgr extend');
  t.is(cluster.heard.at(-1)?.request['size'], 5000);
  await cluster.run(() => file.write(pattern(1), 5000));
  await cluster.run(() => file.close());
  t.like(cluster.heard.at(-1), { op: 'close', request: { size: 5001 } });
  t.truthy(cluster.heard.at(-1)?.request['modified']);
  t.is(cluster.count('sync'), 2);
  const reader = await cluster.run(() => fs.open('a'));
  await cluster.run(() => reader.close());
  t.like(cluster.heard.at(-1), { op: 'close', request: { size: undefined, modified: undefined } });
});

test('what the mgr was told by fsync it is not told again by close', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(10), 0));
  await cluster.run(() => file.sync());
  await cluster.run(() => file.close());
  t.like(cluster.heard.at(-1), { op: 'close', request: { size: undefined, modified: undefined } });
});

test('fsync of a file that nothing was written to asks the mgr once for what others have changed', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w+'));
  const before = cluster.heard.length;
  await cluster.run(() => file.sync());
  t.deepEqual(
    cluster.heard.slice(before).map(({ who, op }) => `${who} ${op}`),
    ['mgr flush'],
  );
});

test('a file that was opened so is synced by every write', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'as'));
  await cluster.run(() => file.write(pattern(10)));
  t.deepEqual([cluster.count('sync'), cluster.count('extend')], [1, 1]);
});

test('an iod that lost writes is told of once by fsync, with the range; then they can be made good (SCENARIOS 4)', async (t) => {
  const cluster = new Scripted({ layout: { ssize: 4096 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(12_288), 0));
  cluster.iod(1).verifier = 2;
  cluster.script = ({ who, op }) => {
    if (who === 'iod0' && op === 'sync') throw new FsError('EIO', { what: 'disk of iod0' });
  };
  const error = await failure(cluster.run(() => file.sync()));
  t.like(error, { code: 'EIO', weftCode: 'WEFT_E_DATA_LOST', syscall: 'fsync' });
  t.regex(error.message, /iod 1 .* bytes 4096 to 8191/);
  const other = await failure(cluster.run(() => file.sync()));
  t.is(other.what, 'disk of iod0', 'it was not forgotten');
  cluster.script = () => undefined;
  await cluster.run(() => file.write(pattern(4096), 4096));
  await cluster.run(() => file.sync());
});

test('writes before and after a loss are a loss, whatever the iod says now', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(10), 0));
  cluster.iod(0).verifier = 2;
  await cluster.run(() => file.write(pattern(10), 10));
  t.is((await failure(cluster.run(() => file.sync()))).weftCode, 'WEFT_E_DATA_LOST');
});

test('close gives the file back once, also when its sync fails, and all who close hear the same', async (t) => {
  const cluster = new Scripted({ iods: 1 });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(10), 0));
  cluster.iod(0).verifier = 2;
  const errors = await cluster.run(() =>
    Promise.all([
      failure(file.close({ sync: true })),
      failure(file.close()),
      failure(file.close()),
    ]),
  );
  t.true(errors.every(({ weftCode }) => weftCode === 'WEFT_E_DATA_LOST'));
  t.is(cluster.count('close'), 1);
  t.is((await failure(cluster.run(() => file.sync()))).code, 'EBADF');
  t.is((await failure(cluster.run(() => file.stat()))).code, 'EBADF');
});

test('truncate goes to the mgr, and close does not grow the file again', async (t) => {
  const cluster = new Scripted();
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  await cluster.run(() => file.write(pattern(5000), 0));
  await cluster.run(() => file.truncate(100));
  t.like(cluster.heard.at(-1), { op: 'setAttr', request: { size: 100 } });
  await cluster.run(() => file.close());
  t.is(cluster.heard.at(-1)?.request['size'], 100);
});

test('the bytes in flight to one iod stay within its window, and the other iods are not held up', async (t) => {
  const cluster = new Scripted({ iods: 2, layout: { ssize: 262_144 } });
  const fs = await cluster.connect();
  const file = await cluster.run(() => fs.open('a', 'w'));
  let slow = 0;
  let most = 0;
  cluster.script = async ({ who, op }, { connection }) => {
    if (op !== 'write' || who !== 'iod0') return;
    most = Math.max(most, ++slow);
    await new Promise<void>((resolve) => connection.clock.timer(1000, resolve));
    slow--;
  };
  const writing = cluster.begin(() => file.write(Buffer.alloc(8 * 1024 * 1024, 1), 0));
  await cluster.pass(900);
  t.is(cluster.heard.filter(({ who, op }) => who === 'iod1' && op === 'write').length, 16);
  await cluster.world.complete(writing);
  t.is(most, 4);
});
