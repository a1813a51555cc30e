/** What of the calls of a program waits for the mgr's disk, as the system sees it. */
import { execFileSync, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { TestCluster } from './cluster-fixture.ts';
import { kept } from './keepsafe.ts';

/** Nothing is synced because time has passed. */
const never = { relaxedCommitMs: 600_000 };

test('a mgr that is killed loses nothing that did not wait for its disk', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2, limits: never });
  const fs = await cluster.connect();
  await fs.writeFile('/f', 'content');
  const file = await fs.open('/f');
  const closed = await fs.open('/f');
  await closed.close();
  await fs.chmod('/f', 0o604);
  await cluster.mgr.kill();
  await cluster.mgr.start();
  t.is((await fs.stat('/f')).mode & 0o777, 0o604);
  await fs.unlink('/f');
  const content = Buffer.alloc(7);
  await file.read(content, 0);
  t.is(content.toString(), 'content');
  await file.close();
  const { opens } = await fs.status();
  t.is(opens, 0);
});

traced(
  'an open to read, a close, a mode and bytes of small files cost no sync at the mgr; a name, an open to write and an fsync do',
  async (t) => {
    const cluster = await TestCluster.start(t, { iods: 2, limits: never });
    const fs = await cluster.connect();
    await fs.writeFile('/f', 'content');
    const syncs = await syncsOf(t, cluster);
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      const before = await syncs();
      await work();
      return (await syncs()) - before;
    };
    const reading = async (): Promise<void> => {
      const file = await fs.open('/f');
      await file.read(Buffer.alloc(7), 0);
      await file.close();
    };
    // Whatever was left of the begin.
    await fs.mkdir('/d');
    t.is(await cost(reading), 0);
    t.is(await cost(() => fs.chmod('/f', 0o600)), 0);
    t.is(await cost(() => fs.utimes('/f', 1, 1)), 0);
    const file = await fs.open('/f');
    t.is(await cost(() => file.sync()), 1);
    t.is(await cost(() => file.sync()), 0, 'all is durable');
    t.is(await cost(() => fs.mkdir('/e')), 1);
    const written = { file: await fs.open('/f') };
    t.is(await cost(async () => (written.file = await fs.open('/f', 'r+'))), 1);
    t.is(await cost(() => written.file.write(Buffer.from('more'), 0)), 0);
    t.is(await cost(() => written.file.close()), 0);
    const durable = await fs.open('/f', 'rs+');
    t.is(await cost(() => durable.write(Buffer.from('more'), 0)), 1);
    await durable.close();
    t.is(await cost(() => fs.writeFile('/new', 'one sync for all of it')), 1);
  },
);

test('a mgr whose host has lost power asks its clients what they have open, and they read on', async (t) => {
  const cluster = await TestCluster.start(t, { iods: 2, limits: never });
  const fs = await cluster.connect();
  const other = await cluster.connect();
  await fs.writeFile('/f', 'content');
  const closed = await fs.open('/f');
  // What waits for the disk has all before it there.
  await fs.mkdir('/d');
  const directory = join(cluster.directory, 'mgr');
  const onDisk = join(cluster.directory, 'on disk');
  await cp(directory, onDisk, { recursive: true, filter: (path) => !path.endsWith('/lock') });
  await closed.close();
  const file = await fs.open('/f');
  await cluster.mgr.kill();
  for (const name of ['meta.db', 'meta.db-wal']) {
    await cp(join(onDisk, name), join(directory, name));
  }
  const identity = join(directory, 'weft.json');
  const known = JSON.parse(await readFile(identity, 'utf8')) as object;
  await writeFile(identity, JSON.stringify({ ...known, bootId: 'another' }));
  await cluster.mgr.start();
  await other.unlink('/f');
  const content = Buffer.alloc(7);
  await file.read(content, 0);
  t.is(content.toString(), 'content');
  t.is((await fs.status()).opens, 1);
  await file.close();
  t.is((await fs.status()).opens, 0);
  t.regex(await cluster.mgr.logTail(), /opens declared/);
});

/** A test that looks at the system calls of the mgr; skipped by name where nobody may. */
function traced(title: string, implementation: (t: ExecutionContext) => Promise<void>): void {
  if (mayTrace()) test(title, implementation);
  else test.skip(`${title} (needs strace)`, implementation);
}

function mayTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns what tells how often the mgr has synced a file since now */
async function syncsOf(t: ExecutionContext, { mgr, directory }: TestCluster) {
  const log = join(directory, 'syncs');
  const args = ['-f', '-e', 'trace=fsync,fdatasync', '-o', log, '-p', String(mgr.pid)];
  const tracer = kept(spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  t.teardown(() => tracer.kill('SIGKILL'));
  for await (const line of createInterface({ input: tracer.stderr })) {
    if (line.includes('attached')) break;
  }
  return async (): Promise<number> =>
    (await readFile(log, 'utf8')).split('\n').filter((line) => /sync\(.*= 0$/.test(line)).length;
}
