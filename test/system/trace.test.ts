import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from './cluster-fixture.ts';
import { Mounted, mountTest } from './mounted.ts';
import { clusterDirectory, Running, up, weft } from './cli-runner.ts';

interface Told {
  readonly process: string;
  readonly kind: string;
  readonly op: string | null;
  readonly text: string;
  readonly number: number;
  readonly partner: { readonly process: string } | string | null;
}

async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'weft-traces-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

function told(stdout: string): Told[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);
}

test.serial('the rings of a whole cluster are one timeline, through a kill -9 too', async (t) => {
  const [dataDir, files] = [await clusterDirectory(t), await scratch(t)];
  const { url, daemons } = await up(dataDir, '--iods', '2');
  const clients = join(files, 'clients');
  await writeFile(join(files, 'big'), Buffer.alloc(2 ** 20, 5));
  const copy = new Running('client/cli/main.js', ['cp', join(files, 'big'), 'weft:/big'], {
    WEFT_URL: url,
    WEFT_TRACE_DIR: clients,
  });
  t.is((await copy.exited).code, 0);
  const [client = ''] = await readdir(clients);
  const trace = (...args: readonly string[]) => weft({}, 'trace', ...args, '--data', dataDir);

  // What the daemons have recorded is in their files a moment later.
  const merged = async (...args: readonly string[]): Promise<Told[]> => {
    const { code, stdout, stderr } = await trace('merge', ...args, '--json');
    t.is(code, 0, stderr);
    return told(stdout);
  };
  const all = await merged('mgr', 'iod0', 'iod1', join(clients, client));
  const writes = all.filter(({ op }) => op === 'write');
  t.is(writes.filter(({ kind }) => kind === 'requestSent').length, 4, 'a transfer is 256 KiB');
  for (const { partner, process, kind } of writes) {
    if (typeof partner === 'string' || partner === null) t.fail(`${process} ${kind}: ${partner}`);
    else t.not(partner.process, process);
  }
  const sent = all.findIndex(({ op, kind }) => op === 'open' && kind === 'requestSent');
  const received = all.findIndex(({ op, kind }) => op === 'open' && kind === 'requestReceived');
  t.true(sent >= 0 && sent < received);
  t.true(all.some(({ text }) => text === 'SYNCING -> SERVING'));
  t.true(all.some(({ text }) => text === 'mgr.commit.after'));

  const iod = daemons.find(({ name }) => name === 'iod0');
  t.is((await weft({}, 'chaos', 'kill', 'iod0', '--data', dataDir)).code, 0);
  await up(dataDir);
  const lives = await merged('iod0', '--lives', '2');
  const last = lives.filter((one) => Reflect.get(one, 'pid') === iod?.pid).at(-1);
  t.true((last?.number ?? 0) > 0);
  t.not(last?.kind, 'ended', 'it was killed');
  t.true(new Set(lives.map((one) => Reflect.get(one, 'pid'))).size === 2);

  const shown = await trace('show', 'iod0', '--last', '3');
  t.is(shown.stdout.trim().split('\n').length, 3);
  t.regex(shown.stderr, /^iod iod0 \(pid \d+\), since .*: \d+ records/);
  for (const format of ['chrome', 'script']) {
    const file = join(files, format);
    const exported = await trace('export', '--format', format, '--output', file);
    t.is(exported.code, 0, exported.stderr);
    t.is(typeof JSON.parse(await readFile(file, 'utf8')), 'object');
  }
  const piped = await trace('export', 'mgr');
  t.true(Array.isArray((JSON.parse(piped.stdout) as { traceEvents: unknown }).traceEvents));
});

test.serial('follow tells what comes, also of a daemon that starts anew', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '1');
  const words = ['trace', 'follow', '--data', dataDir];
  const follow = new Running('client/cli/main.js', words);
  const heartbeat = await follow.says(/request report/);
  t.regex(heartbeat, /^\d\d:\d\d:\d\d\.\d{6} {2}(mgr|iod iod0) /);
  const heard = follow.says(/<- request lookup client weft stat/);
  t.is((await weft({ url }, 'stat', '/')).code, 0);
  await heard;
  const started = follow.says(/iod iod0 .*step iod\.boot\.locked/);
  t.is((await weft({}, 'chaos', 'kill', 'iod0', '--data', dataDir)).code, 0);
  await up(dataDir);
  await started;
  follow.signal('SIGTERM');
  await follow.exited;
});

mountTest(
  'a mount has a ring while it runs, and takes it away when it ends in order',
  async (t) => {
    const mount = await Mounted.start(t, { iods: 1 });
    const directory = join(mount.cluster.directory, 'weftfs');
    const [name = ''] = await readdir(directory);
    await writeFile(mount.path('f'), 'bytes');
    const shown = await mount.cluster.weft('trace', 'show', join(directory, name), '--json');
    t.true(told(shown.stdout).some(({ op, kind }) => op === 'open' && kind === 'requestSent'));
    t.is((await mount.cluster.weft('umount', mount.directory)).code, 0);
    await until(async () => (await readdir(directory)).length === 0);
    t.pass();
  },
);

test.serial('what cannot be shown is said in words', async (t) => {
  const files = await scratch(t);
  const trace = (...args: readonly string[]) => weft({}, 'trace', ...args, '--data', files);
  await writeFile(join(files, 'no.ring'), 'nothing');
  for (const [args, code, pattern] of [
    [['play'], 2, /there is no weft trace play/],
    [['show'], 2, /takes one ring/],
    [['show', 'iod0'], 1, /no cluster was started/],
    [['merge'], 1, /no cluster was started/],
    [['show', join(files, 'no.ring')], 1, /it is no trace of weftfs/],
    [['show', join(files, 'away.ring')], 1, /ENOENT/],
    [['export', '--format', 'gif'], 2, /no format 'gif'/],
  ] as const) {
    const outcome = await trace(...args);
    t.is(outcome.code, code, args.join(' '));
    t.regex(outcome.stderr, pattern);
  }
});
