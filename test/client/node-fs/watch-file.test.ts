/** `watchFile`, beside Node's own on a directory of this host. */
import * as nodeFs from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type LocalCluster, startLocalCluster } from './local-cluster.ts';

let cluster: LocalCluster;
test.before(async () => {
  cluster = await startLocalCluster();
});
test.after.always(() => cluster.stop());

type Watching = Pick<typeof nodeFs, 'watchFile' | 'unwatchFile' | 'promises'>;
const interval = 10;
const ignore = (): void => undefined;

function shown({ size, mode, ino }: nodeFs.Stats, kind: boolean): string {
  return `${size} ${mode.toString(8)} ${ino === 0 ? 'absent' : 'there'} ${kind ? 'file' : '-'}`;
}

/** The life of a file, as who looks every few milliseconds is told of it. */
async function lifeOf(t: ExecutionContext, fs: Watching, path: string): Promise<readonly string[]> {
  const told: string[] = [];
  fs.watchFile(path, { interval }, (now, before) => {
    const change = [before, now].map((stats) => shown(stats, stats.isFile()));
    // Times may follow by themselves, when the file is closed.
    if (told.length === 0 || change[0] !== change[1]) told.push(change.join(' -> '));
  });
  t.teardown(() => fs.unwatchFile(path));
  const steps = [
    () => Promise.resolve(),
    async () => (await fs.promises.open(path, 'w', 0o644)).close(),
    () => fs.promises.truncate(path, 5),
    () => fs.promises.chmod(path, 0o600),
    () => fs.promises.unlink(path),
  ];
  for (const [i, step] of steps.entries()) {
    await step();
    while (told.length <= i) await tick();
  }
  return told;
}

test('a file that comes, changes and goes is told of as by Node', async (t) => {
  const { fs, directory } = cluster;
  const theirs = await lifeOf(t, nodeFs, `${directory}/life`);
  t.deepEqual(await lifeOf(t, fs, '/life'), theirs);
});

test('a listener that has ended hears no more, the others do; numbers are exact with `bigint`', async (t) => {
  const { fs } = cluster;
  await fs.writeFile('/shared', 'content');
  const [first, second]: [unknown[], bigint[]] = [[], []];
  const hear = (now: unknown): void => void first.push(now);
  const watcher = fs.watchFile('/shared', { interval, bigint: true }, hear);
  t.is(
    fs.watchFile('/shared', { interval, bigint: true }, (now) => void second.push(now.mode)),
    watcher,
  );
  t.teardown(() => fs.unwatchFile('/shared'));
  for (let mode = 0o600; second.length === 0; mode ^= 0o200) {
    await fs.chmod('/shared', mode);
    for (let i = 0; i < 100; i++) await tick();
  }
  t.is(typeof second[0], 'bigint');
  fs.unwatchFile('/shared', hear);
  const [heardFirst, heardSecond] = [first.length, second.length];
  await fs.chmod('/shared', 0o640);
  while (second.at(-1) !== 0o100640n) await tick();
  t.is(first.length, heardFirst);
  t.true(second.length > heardSecond);
  fs.unwatchFile('/shared');
  fs.unwatchFile('/shared');
  t.is(watcher.listenerCount('change'), 0);
});

test('arguments are checked as by Node', (t) => {
  const { fs } = cluster;
  for (const of of [nodeFs, fs] as readonly Watching[]) {
    t.throws(() => of.watchFile(5 as never, ignore), { code: 'ERR_INVALID_ARG_TYPE' });
    t.throws(() => of.watchFile('/x', {} as never), { code: 'ERR_INVALID_ARG_TYPE' });
    t.throws(() => of.watchFile('/x', { interval: -1 }, ignore), { code: 'ERR_OUT_OF_RANGE' });
    t.notThrows(() => of.unwatchFile('/never-watched'));
  }
});

test('it ends with its file system', async (t) => {
  const other = await cluster.connect();
  const asked: unknown[] = [];
  const stat = other.stat.bind(other);
  Object.assign(other, {
    stat: (...args: Parameters<typeof stat>) => {
      asked.push(args);
      return stat(...args);
    },
  });
  other.watchFile('/ends', { interval: 1 }, () => undefined);
  while (asked.length < 2) await tick();
  await other.close();
  const before = asked.length + 1;
  for (let i = 0; i < 1000; i++) await tick();
  t.true(asked.length <= before, `${asked.length} questions, ${before} at the most`);
});
