/** `weft doctor` before a cluster that is well, one that is not, and none. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { clusterDirectory, up, weft } from './cli-runner.ts';
import { until } from './cluster-fixture.ts';

interface Told {
  readonly verdict: string;
  readonly checks: readonly { readonly name: string; readonly verdict: string }[];
}

async function doctor(...words: readonly string[]) {
  const { code, stdout, stderr } = await weft({}, 'doctor', ...words, '--json');
  if (stdout === '') throw new Error(stderr);
  const told = JSON.parse(stdout) as Told;
  const bad = told.checks.filter(({ verdict }) => verdict === 'error').map(({ name }) => name);
  return { code, told, bad };
}

/** Listens on a port that is free. Others on this host may have it for a moment in between. */
async function takePort(t: ExecutionContext, port: number): Promise<void> {
  const thief = createServer();
  t.teardown(() => thief.close());
  await until(async () => {
    thief.listen(port, '127.0.0.1');
    try {
      await once(thief, 'listening');
      return true;
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
      return false;
    }
  });
}

test('a cluster that is well has no errors; every pair and every clock was looked at', async (t) => {
  const dataDir = await clusterDirectory(t);
  await up(dataDir, '--iods', '2');
  const { told, bad } = await doctor('--data', dataDir);
  t.deepEqual(bad, []);
  const names = told.checks.map(({ name }) => name);
  for (const name of [
    'ports',
    'health',
    'mgr: version',
    'iod1: version',
    'here -> mgr',
    'here -> iod1',
    'mgr -> iod0',
    'mgr: clock',
    'iod1: clock',
  ]) {
    t.true(names.includes(name), name);
  }
});

test('a bundle holds what others need, for its owner alone, and no key', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { daemons } = await up(dataDir, '--iods', '2');
  await weft({}, 'chaos', 'kill', 'iod1', '--data', dataDir);
  const secret = (await readFile(join(dataDir, 'cluster.key'), 'utf8')).trim();
  const log = daemons.find(({ name }) => name === 'iod1')?.log ?? '';
  await writeFile(log, `a line with ${secret}\n`, { flag: 'a' });
  const file = join(dataDir, 'found.tgz');

  const iod1 = daemons.find(({ name }) => name === 'iod1');
  await takePort(t, Number(new URL(iod1?.url ?? '').port));

  const { code, bad } = await doctor('--data', dataDir, '--bundle', file);
  t.is(code, 2);
  t.true(bad.includes('ports'));
  t.true(bad.includes('here -> iod1'));
  t.is((await stat(file)).mode & 0o777, 0o600);
  const into = join(dataDir, 'unpacked');
  await mkdir(into);
  execFileSync('tar', ['-xzf', file, '-C', into, '--strip-components=1']);
  for (const name of ['doctor.json', 'host.json', 'cluster.json', 'iodtab.txt', 'mgr.log']) {
    t.true((await stat(join(into, name))).size > 0, name);
  }
  t.regex(await readFile(join(into, 'iod1.log'), 'utf8'), /a line with \(key\)/);
  for (const name of await readdir(into)) {
    const text = await readFile(join(into, name), 'utf8');
    t.false(text.includes(secret), name);
    t.false(text.includes('cluster.key'), `${name} tells where the key is kept`);
  }

  const again = await weft({}, 'doctor', '--data', dataDir, '--bundle', file);
  t.regex(again.stderr, /EEXIST/);
});

test("with a key that is not the cluster's, the host is looked at all the same", async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '1');
  await weft({}, 'init', '--data', join(dataDir, 'other'));
  const other = new URL(url);
  other.searchParams.set('key', join(dataDir, 'other', 'cluster.key'));

  const { code, told, bad } = await doctor('--url', other.href);
  t.is(code, 2);
  t.deepEqual(bad, ['mgr: health']);
  t.true(told.checks.some(({ name, verdict }) => name === 'node' && verdict === 'ok'));
});

test('without a cluster it looks at the host alone', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { stdout } = await weft({}, 'doctor', '--data', join(dataDir, 'not-yet'));
  t.regex(stdout, /^skipped +cluster +none is named/m);
  t.regex(stdout, /^ok +node +version/m);
});
