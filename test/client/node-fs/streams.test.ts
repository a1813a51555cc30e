/** Streams, open files and numbers of open files, beside those of Node. */
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { startLocalCluster, type LocalCluster } from './local-cluster.ts';
import { type AnyFs, settled } from './outcome.ts';

type AnyMethod = (...args: readonly unknown[]) => Promise<unknown>;

let cluster: LocalCluster;
let both: readonly (readonly [fs: AnyFs, root: string])[];
const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 9)) & 0xff));

test.before(async () => {
  cluster = await startLocalCluster();
  both = [
    [nodeFs, `${cluster.directory}/streams`],
    [cluster.fs, '/streams'],
  ];
  for (const [fs, root] of both) {
    await fs.promises.mkdir(root);
    await fs.promises.writeFile(`${root}/file`, content);
    await fs.promises.writeFile(`${root}/lines`, 'one\ntwo\r\nthree');
  }
});
test.after.always(() => cluster.stop());

/** What `run` gives for Node, and then for the cluster. */
async function ofBoth(run: (fs: AnyFs, root: string) => Promise<unknown>): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  for (const [fs, root] of both) outcomes.push(await settled(root, '', () => run(fs, root)));
  return outcomes;
}

async function all(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece as Buffer));
  return Buffer.concat(pieces);
}

/** The events of a stream in their order, each of a kind once. */
function eventsOf(stream: NodeJS.EventEmitter): string[] {
  const events: string[] = [];
  for (const name of ['open', 'ready', 'data', 'end', 'finish', 'error', 'close']) {
    stream.once(name, () => events.push(name));
  }
  return events;
}

test('a read stream has the bytes, the events and the counts of Node’s', async (t) => {
  for (const options of [
    {},
    { start: 5, end: 5 },
    { start: 100, end: 70_000 },
    { end: 2_999_999 },
    { start: 2_999_990 },
    { start: 4_000_000 },
    { highWaterMark: 1000, end: 10_000 },
    { highWaterMark: 1024 * 1024 },
    { encoding: 'hex', end: 99 } as const,
    { emitClose: false, end: 9 },
  ]) {
    const [node, ours] = await ofBoth(async (fs, root) => {
      const stream = fs.createReadStream(`${root}/file`, options);
      const { pending, readableHighWaterMark } = stream;
      const events = eventsOf(stream);
      const bytes = await all(stream);
      await new Promise(setImmediate);
      const { bytesRead, path } = stream;
      return { pending, readableHighWaterMark, events, bytes, bytesRead, path: String(path) };
    });
    t.deepEqual(ours, node, JSON.stringify(options));
  }
});

test('a chunk is at most as long as `highWaterMark`, and the default is that of Node', async (t) => {
  for (const [options, most] of [
    [{}, 65_536],
    [{ highWaterMark: 1000 }, 1000],
  ] as const) {
    for await (const chunk of cluster.fs.createReadStream('/streams/file', options)) {
      t.true((chunk as Buffer).length <= most);
    }
  }
});

test('a stream that nobody reads takes a few pieces, and no more', async (t) => {
  const stream = cluster.fs.createReadStream('/streams/file');
  await once(stream, 'readable');
  t.true(stream.readableLength <= 2 * 65_536);
  t.true(stream.bytesRead <= 2 * 65_536);
  stream.destroy();
  await once(stream, 'close');
});

test('streams that are aborted end as those of Node', async (t) => {
  for (const when of ['before', 'after'] as const) {
    for (const make of ['createReadStream', 'createWriteStream'] as const) {
      const [node, ours] = await ofBoth(async (fs, root) => {
        const control = new AbortController();
        if (when === 'before') control.abort();
        const path = `${root}/${make === 'createReadStream' ? 'file' : 'aborted'}`;
        const stream = fs[make](path, { signal: control.signal });
        const closed = once(stream, 'close').catch(() => undefined);
        const failed = new Promise((resolve) => {
          const tell = ({ name, message }: Error): void => resolve([name, message]);
          (stream as NodeJS.EventEmitter).once('error', tell);
        });
        if (when === 'after') {
          await once(stream, 'open');
          control.abort();
        }
        const failure = await failed;
        await closed;
        return { failure, destroyed: stream.destroyed, closed: stream.closed };
      });
      t.deepEqual(ours, node, `${when} ${make}`);
    }
  }
});

test('what cannot be opened is an error of the stream', async (t) => {
  for (const make of ['createReadStream', 'createWriteStream'] as const) {
    const [node, ours] = await ofBoth(async (fs, root) => {
      const stream = fs[make](`${root}/none/file`);
      const events = eventsOf(stream);
      const [error] = (await once(stream, 'error')) as [Error];
      if (!stream.closed) await once(stream, 'close');
      return [events, await settled(root, '', () => Promise.reject(error))];
    });
    t.deepEqual(ours, node);
  }
});

test('a write stream makes, replaces, patches and appends as Node’s does', async (t) => {
  for (const options of [
    {},
    { flags: 'a' },
    { flags: 'r+', start: 3 },
    { flags: 'r+', start: 100_000 },
    { mode: 0o600, flush: true },
    { highWaterMark: 10, encoding: 'latin1' } as const,
    { flags: 'wx' },
  ]) {
    const [node, ours] = await ofBoth(async (fs, root) => {
      const path = `${root}/written`;
      await fs.promises.writeFile(path, 'content before');
      const stream = fs.createWriteStream(path, options);
      const events = eventsOf(stream);
      const called: string[] = [];
      stream.write('ä first ', () => called.push('first'));
      stream.write(Buffer.from('second '));
      stream.end('third', () => called.push('third'));
      await Promise.race([once(stream, 'finish'), once(stream, 'error')]);
      if (!stream.closed) await once(stream, 'close');
      const { mode, size } = await fs.promises.stat(path);
      const text = await fs.promises.readFile(path, 'latin1');
      return { events, called, bytesWritten: stream.bytesWritten, mode, size, text };
    });
    t.deepEqual(ours, node, JSON.stringify(options));
  }
});

test('the callback of a write comes when its bytes are there to be read', async (t) => {
  const { fs } = cluster;
  const stream = fs.createWriteStream('/streams/called');
  for (let i = 1; i <= 5; i++) {
    await promisify((chunk: Buffer, done: (error?: Error | null) => void) => {
      stream.write(chunk, done);
    })(Buffer.alloc(100_000, i));
    t.is((await fs.promises.readFile('/streams/called')).length, i * 100_000);
  }
  stream.end();
  await once(stream, 'close');
});

test('a large copy through streams is a copy', async (t) => {
  const { fs } = cluster;
  await pipeline(fs.createReadStream('/streams/file'), fs.createWriteStream('/streams/copy'));
  t.true((await fs.promises.readFile('/streams/copy')).equals(content));
});

test('streams of a FileHandle go on from its position, and close it unless told not to', async (t) => {
  for (const autoClose of [true, false]) {
    const [node, ours] = await ofBoth(async (fs, root) => {
      const handle = await fs.promises.open(`${root}/file`);
      let closed = 0;
      (handle as unknown as NodeJS.EventEmitter).on('close', () => closed++);
      await handle.read(Buffer.alloc(10));
      const bytes = await all(handle.createReadStream({ end: 99, autoClose }));
      await new Promise(setImmediate);
      const isOpen = handle.fd !== -1;
      await handle.close();
      return { bytes, isOpen, closed };
    });
    t.deepEqual(ours, node, `${autoClose}`);
  }
  const handle = await cluster.fs.promises.open('/streams/of-handle', 'w+');
  await handle.write('start ');
  const stream = handle.createWriteStream({ autoClose: false });
  stream.end('and more');
  await once(stream, 'finish');
  await handle.write(' end');
  await handle.close();
  t.is(await cluster.fs.promises.readFile('/streams/of-handle', 'utf8'), 'start and more end');
});

test('lines, web streams and disposal of a FileHandle', async (t) => {
  const [node, ours] = await ofBoth(async (fs, root) => {
    const lines: string[] = [];
    const handle = await fs.promises.open(`${root}/lines`);
    for await (const line of handle.readLines()) lines.push(line);
    const other = await fs.promises.open(`${root}/file`);
    let bytes = 0;
    for await (const piece of other.readableWebStream({ type: 'bytes' })) {
      bytes += (piece as Uint8Array).byteLength;
    }
    const locked = await settled(root, '', async () => other.readableWebStream());
    await other[Symbol.asyncDispose]();
    return { lines, bytes, locked, fd: other.fd };
  });
  t.deepEqual(ours, node);
});

test('closing waits for the calls that go on', async (t) => {
  const { fs } = cluster;
  const handle = await fs.promises.open('/streams/closing', 'w');
  const writing = handle.write(content);
  const closing = handle.close();
  t.is(handle.fd, -1);
  t.is((await writing).bytesWritten, content.length);
  await closing;
  t.true((await fs.promises.readFile('/streams/closing')).equals(content));
  await t.throwsAsync(() => handle.stat(), { code: 'EBADF', message: 'file closed' });
});

test('a number stands for an open file in every call that takes one', async (t) => {
  const [node, ours] = await ofBoth(async (fs, root) => {
    const call = (name: string, ...args: unknown[]): Promise<unknown> => {
      const method = (fs as unknown as Record<string, () => void>)[name] ?? (() => undefined);
      const promised: AnyMethod = promisify(method);
      return promised(...args);
    };
    const fd = await call('open', `${root}/numbered`, 'w+', '640');
    const outcomes = [
      await call('write', fd, 'hello world'),
      await call('writev', fd, [Buffer.from('!'), Buffer.from('?')]),
      await call('writeFile', fd, ' more'),
      await call('appendFile', fd, '.'),
      await call('read', fd, { buffer: Buffer.alloc(5), position: 6 }),
      await call('read', fd, Buffer.alloc(5), 1, 3, 0n),
      await call('readv', fd, [Buffer.alloc(2), Buffer.alloc(30)], 4),
      await call('ftruncate', fd, 4),
      await call('fchmod', fd, 0o600),
      await call('fchown', fd, 1, 2),
      await call('futimes', fd, 5, 6),
      await call('fsync', fd),
      await call('fdatasync', fd),
      await call('fstat', fd),
    ];
    const stream = fs.createReadStream('', { fd: fd as number, start: 1, autoClose: false });
    outcomes.push(await all(stream), stream.pending);
    outcomes.push(await call('close', fd), (await fs.promises.stat(`${root}/numbered`)).mtimeMs);
    outcomes.push(await settled(root, '', () => call('futimes', 2 ** 31 - 1, 0, 0)));
    return Object.fromEntries(outcomes.entries());
  });
  t.deepEqual(ours, node);
});

test('a number of the host is none of the cluster', async (t) => {
  const { fs } = cluster;
  const handle = await nodeFs.promises.open(`${cluster.directory}/streams/file`);
  await t.throwsAsync(() => promisify(fs.fstat)(handle.fd), { code: 'EBADF' });
  await handle.close();
});
