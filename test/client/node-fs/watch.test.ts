/** `watch`, beside Node's own on a directory of this host. */
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type LocalCluster, startLocalCluster } from './local-cluster.ts';

let cluster: LocalCluster;
test.before(async () => {
  cluster = await startLocalCluster();
});
test.after.always(() => cluster.stop());

type Promises = typeof nodeFs.promises;
type Events = readonly string[];

type Watch = (path: string, options?: object) => nodeFs.FSWatcher;

/** What a watcher has told since `heard` was emptied. */
class Ear {
  readonly heard: string[] = [];
  readonly watcher: nodeFs.FSWatcher;

  constructor(t: ExecutionContext, watcher: nodeFs.FSWatcher) {
    this.watcher = watcher;
    t.teardown(() => watcher.close());
    watcher.on('change', (type, name) => {
      const event = `${type} ${String(name)}`;
      // Of a change that is told in several steps there are as many as it took.
      if (this.heard.at(-1) !== event) this.heard.push(event);
    });
  }

  /** @returns what came before `last`, which need not be the end */
  async until(last: string): Promise<Events> {
    while (!this.heard.includes(last)) await tick();
    return this.heard.splice(0, this.heard.indexOf(last));
  }

  /** Nothing but an event tells that it has begun: makes directories until one is told of. */
  async begun(by: Promises, at: string): Promise<void> {
    for (let i = 0; this.heard.length === 0; i++) {
      await by.mkdir(`${at}/begin-${i}`);
      await tick();
    }
    await by.mkdir(`${at}/begun`);
    while (this.heard.at(-1)?.endsWith('begun') !== true) await tick();
    this.heard.length = 0;
  }
}

const steps: Readonly<Record<string, (fs: Promises, at: string) => Promise<unknown>>> = {
  'a file is made': async (fs, at) => (await fs.open(`${at}/new`, 'w')).close(),
  'a file is written': (fs, at) => fs.writeFile(`${at}/file`, 'content'),
  'a file is cut': (fs, at) => fs.truncate(`${at}/file`, 1),
  'a mode is changed': (fs, at) => fs.chmod(`${at}/file`, 0o600),
  'times are set': (fs, at) => fs.utimes(`${at}/file`, 1, 2),
  'a directory is made': (fs, at) => fs.mkdir(`${at}/more`),
  'a file is moved': (fs, at) => fs.rename(`${at}/file`, `${at}/moved`),
  'a file is moved over another': async (fs, at) => fs.rename(`${at}/file`, `${at}/other`),
  'a file is moved away': (fs, at) => fs.rename(`${at}/file`, `${at}/below/file`),
  'a file gets one more name': (fs, at) => fs.link(`${at}/file`, `${at}/link`),
  'a symbolic link is made': (fs, at) => fs.symlink('file', `${at}/symlink`),
  'a file is removed': (fs, at) => fs.unlink(`${at}/file`),
  'a directory is removed': (fs, at) => fs.rmdir(`${at}/empty`),
  'something changes further below': (fs, at) => fs.writeFile(`${at}/below/deep`, ''),
};

/** @returns what a watcher of a new directory hears while `step` runs */
async function watched(
  t: ExecutionContext,
  watch: Watch,
  by: Promises,
  at: string,
  step: (fs: Promises, at: string) => Promise<unknown>,
): Promise<Events> {
  for (const name of ['', '/below', '/empty']) await by.mkdir(`${at}${name}`);
  for (const name of ['file', 'other']) await by.writeFile(`${at}/${name}`, 'begin');
  const ear = new Ear(t, watch(at));
  await ear.begun(by, at);
  await step(by, at);
  await by.mkdir(`${at}/end`);
  return ear.until('rename end');
}

let count = 0;
const onLinux = process.platform === 'linux' ? test : test.skip;
for (const [what, step] of Object.entries(steps)) {
  onLinux(`${what}: who watches the directory hears what he hears of Node`, async (t) => {
    const { fs, directory } = cluster;
    const other = await cluster.connect();
    const name = `watched-${count++}`;
    const theirs = await watched(t, nodeFs.watch, nodeFs.promises, `${directory}/${name}`, step);
    const ours = await watched(t, other.watch, fs.promises, `/${name}`, step);
    t.deepEqual(ours, theirs);
  });
}

test('with `recursive` all below is told, with its path', async (t) => {
  const { fs } = cluster;
  const other = await cluster.connect();
  await fs.mkdir('/tree/a/b', { recursive: true });
  const ear = new Ear(t, other.watch('/tree', { recursive: true }));
  await ear.begun(fs.promises, '/tree/a');
  await fs.mkdir('/tree/a/b/c');
  await fs.writeFile('/tree/a/b/c/file', 'content');
  await fs.rename('/tree/a/b', '/tree/a/d');
  await fs.unlink('/tree/a/d/c/file');
  await fs.mkdir('/tree/end');
  t.deepEqual(
    [...(await ear.until('rename end'))],
    [
      'rename a/b/c',
      'rename a/b/c/file',
      'change a/b/c/file',
      'rename a/b',
      'rename a/d',
      'rename a/d/c/file',
    ],
  );
});

test('a file that is watched bears its own name, whoever changes it, and however it is called later', async (t) => {
  const { fs } = cluster;
  const other = await cluster.connect();
  await fs.writeFile('/own', 'content');
  const watcher = other.watch('/own', { encoding: 'buffer' });
  t.teardown(() => watcher.close());
  const seen: string[] = [];
  watcher.on('change', (type, name) =>
    seen.push(`${type} ${Buffer.isBuffer(name)} ${String(name)}`),
  );
  for (let mode = 0o600; seen.length === 0; mode ^= 1) {
    await fs.chmod('/own', mode);
    await tick();
  }
  seen.length = 0;
  await fs.rename('/own', '/renamed');
  await fs.unlink('/renamed');
  while (seen.filter((event) => event.startsWith('rename')).length < 2) await tick();
  t.true(seen.every((event) => event.endsWith(' true own')));
});

test('what cannot be watched is told as an error; without a listener for it nobody is ended', async (t) => {
  const { fs } = cluster;
  const watcher = fs.watch('/nothing-here');
  const [error] = (await once(watcher, 'error')) as [Error];
  t.like(error, { code: 'ENOENT', syscall: 'watch', path: '/nothing-here' });
  const unheard = fs.watch('/nothing-here');
  await new Promise<void>((resolve) => unheard.on('close', resolve));
  await t.throwsAsync(fs.promises.watch('/nothing-here')[Symbol.asyncIterator]().next(), {
    code: 'ENOENT',
  });
  t.throws(() => fs.watch(5 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => fs.watch('/', { recursive: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a signal ends both: one closes, the other fails with AbortError', async (t) => {
  const { fs } = cluster;
  const ends = new AbortController();
  const watcher = fs.watch('/', { signal: ends.signal });
  const closed = once(watcher, 'close');
  const asked = fs.promises.watch('/', { signal: ends.signal })[Symbol.asyncIterator]().next();
  await tick();
  ends.abort();
  await closed;
  await t.throwsAsync(asked, { name: 'AbortError', code: 'ABORT_ERR' });
  await once(fs.watch('/', { signal: ends.signal }), 'close');
});

test('nothing is told after `close`', async (t) => {
  const { fs } = cluster;
  const other = await cluster.connect();
  await fs.mkdir('/closed');
  const ear = new Ear(t, other.watch('/closed'));
  await ear.begun(fs.promises, '/closed');
  const { watcher } = ear;
  const closed = once(watcher, 'close');
  watcher.close();
  watcher.on('change', () => t.fail('it was closed'));
  await fs.mkdir('/closed/late');
  await other.stat('/closed/late');
  await closed;
  t.is(watcher.ref().unref(), watcher);
});

test('`fs.promises.watch` gives changes one after another, none is left out, until the loop is left', async (t) => {
  const { fs } = cluster;
  const other = await cluster.connect();
  await fs.mkdir('/one-by-one');
  const events = other.promises.watch('/one-by-one');
  const iterator = events[Symbol.asyncIterator]();
  const first = iterator.next();
  const begun: unknown[] = [];
  void first.then((event) => begun.push(event));
  for (let i = 0; begun.length === 0; i++) {
    await fs.mkdir(`/one-by-one/begin-${i}`);
    await tick();
  }
  const names = Array.from({ length: 100 }, (_, i) => `name-${i}`);
  await Promise.all(names.map((name) => fs.mkdir(`/one-by-one/${name}`)));
  await fs.mkdir('/one-by-one/end');
  const heard = new Set<string | null>();
  for await (const { eventType, filename } of { [Symbol.asyncIterator]: () => iterator }) {
    t.is(eventType, 'rename');
    if (filename === 'end') break;
    heard.add(filename);
  }
  for (const name of names) t.true(heard.has(name), name);
  t.true((await iterator.next()).done);
});
