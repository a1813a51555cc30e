import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import test from 'ava';
import { type ConnectedFileSystem, nodeShaped } from '../../client/node-fs/node-fs.ts';
import { readStream, writeStream } from '../../client/streams.ts';
import { FsError } from '../../shared/errno.ts';
import { failure } from '../shared/rpc/pair.ts';
import { Scripted } from './scripted.ts';

const MiB = 1024 * 1024;

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 7 + (at >> 9)) & 0xff;
  return bytes;
}

async function withFile(
  length: number,
): Promise<{ cluster: Scripted; fs: ConnectedFileSystem; content: Buffer }> {
  const cluster = new Scripted({ iods: 2, layout: { ssize: 262_144 } });
  const fs = nodeShaped(await cluster.connect());
  const content = pattern(length);
  await cluster.run(() => fs.writeFile('a', content));
  cluster.heard.length = 0;
  return { cluster, fs, content };
}

async function all(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

test('a stream brings the whole file, whatever its length, and closes it', async (t) => {
  for (const length of [0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB, 7 * MiB + 5]) {
    const { cluster, fs, content } = await withFile(length);
    t.true((await cluster.run(() => all(fs.createReadStream('a')))).equals(content), `${length}`);
    await cluster.pass(10);
    t.deepEqual([cluster.count('open'), cluster.count('close')], [1, 1]);
  }
});

test('a range is inclusive, as in node:fs', async (t) => {
  const { cluster, fs, content } = await withFile(3 * MiB);
  for (const [start, end] of [
    [0, 0],
    [100, MiB + 99],
    [MiB, 2 * MiB - 1],
    [MiB + 1, Infinity],
    [3 * MiB, 4 * MiB],
    [2 * MiB, 9 * MiB],
  ] as const) {
    const bytes = await cluster.run(() => all(fs.createReadStream('a', { start, end })));
    t.true(bytes.equals(content.subarray(start, end + 1)), `${start} to ${end}`);
  }
  for (const start of [-1, 0.5, NaN]) {
    t.throws(() => fs.createReadStream('a', { start }), { code: 'ERR_OUT_OF_RANGE' });
    t.throws(() => fs.createWriteStream('a', { start }), { code: 'ERR_OUT_OF_RANGE' });
  }
});

test('a reader that stops taking is read ahead for by a few pieces, not more', async (t) => {
  const { cluster, fs } = await withFile(20 * MiB);
  const file = await cluster.run(() => fs.open('a'));
  const stream = readStream(file);
  await cluster.run(async () => {
    const reader = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 6; i++) await reader.next();
  });
  await cluster.pass(1000);
  const read = cluster.heard.filter(({ op }) => op === 'read').length * 262_144;
  t.true(read >= 8 * MiB, `${read / MiB} MiB`);
  t.true(read <= 12 * MiB, `${read / MiB} MiB`);
  stream.destroy();
  await cluster.run(() => file.close());
});

test('a stream of a file that is its owner’s leaves it open', async (t) => {
  const { cluster, fs, content } = await withFile(10_000);
  const file = await cluster.run(() => fs.open('a', 'r+'));
  t.true((await cluster.run(() => all(readStream(file)))).equals(content));
  const writer = writeStream(file, { start: 5 });
  await cluster.run(async () => {
    writer.end('hello');
    await once(writer, 'finish');
  });
  content.write('hello', 5);
  t.true((await cluster.run(() => all(readStream(file)))).equals(content));
  t.is(cluster.count('close'), 0);
});

test('a stream that is destroyed or aborted ends at once, and its file is closed', async (t) => {
  for (const way of ['destroy', 'abort'] as const) {
    const { cluster, fs } = await withFile(5 * MiB);
    const control = new AbortController();
    cluster.script = async ({ op }, { connection }) => {
      if (op === 'read')
        await new Promise<void>((resolve) => connection.clock.timer(9_000, resolve));
    };
    const stream = fs.createReadStream('a', { signal: control.signal });
    const reading = cluster.begin(() => all(stream));
    await cluster.world.run({ until: () => cluster.count('read') > 0 });
    const begun = cluster.world.nowMs;
    if (way === 'abort') control.abort();
    else stream.destroy(new Error('enough'));
    t.regex((await failure(cluster.world.complete(reading))).message, /enough|abort/);
    t.true(cluster.world.nowMs - begun < 100);
    await cluster.pass(100);
    t.is(cluster.count('close'), 1);
  }
});

test('an error of the file destroys the stream with it', async (t) => {
  const { cluster, fs } = await withFile(5 * MiB);
  const missing = await failure(cluster.run(() => all(fs.createReadStream('none'))));
  t.like(missing, { code: 'ENOENT', syscall: 'open', path: 'none' });
  cluster.script = ({ op }) => {
    if (op === 'read' && cluster.count('read') > 8) throw new FsError('EIO', { what: 'disk' });
  };
  const error = await failure(cluster.run(() => all(fs.createReadStream('a'))));
  t.like(error, { code: 'EIO', syscall: 'read', message: 'EIO: i/o error, read' });
  await cluster.pass(100);
  t.is(cluster.count('close'), 1);
});

test('what is written in chunks of all sizes is the content of the file, in order', async (t) => {
  const { cluster, fs } = await withFile(0);
  const content = pattern(6 * MiB + 77);
  const chunks = function* (): Generator<Buffer> {
    for (let at = 0, i = 1; at < content.length; at += i, i = (i * 5 + 3) % 300_000) {
      yield content.subarray(at, at + i);
    }
  };
  await cluster.run(() => pipeline(chunks, fs.createWriteStream('b')));
  t.true((await cluster.run(() => fs.readFile('b'))).equals(content));
  await cluster.run(() => pipeline(chunks, fs.createWriteStream('b', { flags: 'a' })));
  const twice = Buffer.concat([content, content]);
  t.true((await cluster.run(() => fs.readFile('b'))).equals(twice));
});

test('a copy from stream to stream is a copy', async (t) => {
  const { cluster, fs, content } = await withFile(9 * MiB + 3);
  await cluster.run(() =>
    pipeline(fs.createReadStream('a'), fs.createWriteStream('b', { flush: true })),
  );
  t.true((await cluster.run(() => fs.readFile('b'))).equals(content));
  t.true(cluster.count('extend') > 0, 'it is durable');
  t.is(cluster.count('open'), cluster.count('close'));
});

test('a writer is held back while a few pieces are on their way', async (t) => {
  const { cluster, fs } = await withFile(0);
  cluster.script = async ({ op }, { connection }) => {
    if (op === 'write') await new Promise<void>((resolve) => connection.clock.timer(500, resolve));
  };
  const stream = fs.createWriteStream('b');
  let taken = 0;
  const writing = cluster.begin(async () => {
    for (let i = 0; i < 16; i++) {
      if (!stream.write(pattern(MiB))) await once(stream, 'drain');
      taken++;
    }
    stream.end();
    await once(stream, 'close');
  });
  await cluster.pass(400);
  t.true(taken >= 2 && taken <= 6, `${taken}`);
  await cluster.world.complete(writing);
  t.is(taken, 16);
});

test('a write that fails destroys the stream, even when nobody waits for it', async (t) => {
  const { cluster, fs } = await withFile(0);
  cluster.script = ({ op }) => {
    if (op === 'write') throw new FsError('ENOSPC');
  };
  for (const end of [false, true]) {
    const stream = fs.createWriteStream('b');
    const error = cluster.run(async () => {
      const failed = once(stream, 'error');
      stream.write('x');
      if (end) stream.end();
      const [reason] = (await failed) as [FsError];
      return reason;
    });
    t.like(await error, { code: 'ENOSPC', syscall: 'write' });
  }
  await cluster.pass(100);
  t.is(cluster.count('open'), cluster.count('close'));
});
