import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { stopCluster } from '../../client/cli/local-cluster/local-cluster.ts';
import { isRunning, startOf } from '../../client/cli/local-cluster/process-table.ts';
import { clusterDirectory, Running, startByCommand, up, weft } from './cli-runner.ts';

// One cluster at a time: each is several processes.
test.serial(
  'up reports its daemons, keeps its ports, and down ends every one of them',
  async (t) => {
    const dataDir = await clusterDirectory(t);
    const first = await up(dataDir, '--iods', '2');
    t.like(first, { schema: 1, dataDir, alreadyUp: false });
    t.deepEqual(
      first.daemons.map(({ role, name }) => [role, name]),
      [
        ['mgr', 'mgr'],
        ['iod', 'iod0'],
        ['iod', 'iod1'],
      ],
    );
    const ids = await Promise.all(
      first.daemons.map(async ({ pid }) => ({ pid, started: (await startOf(pid)) ?? '' })),
    );
    t.deepEqual(await Promise.all(ids.map(isRunning)), [true, true, true]);

    const status = await weft({ url: first.url }, 'status', '--json');
    t.is(status.code, 0, status.stderr);
    t.like(JSON.parse(status.stdout), { schema: 1, healthy: true, url: first.url });

    const second = await up(dataDir);
    t.deepEqual(second, { ...first, alreadyUp: true });

    const down = await weft({}, 'down', '--data', dataDir, '--json');
    t.like(JSON.parse(down.stdout), { stopped: { length: 3 } });
    t.deepEqual(await Promise.all(ids.map(isRunning)), [false, false, false]);
    t.regex((await weft({}, 'down', '--data', dataDir)).stdout, /^nothing runs in /);

    const third = await up(dataDir);
    t.deepEqual(
      third.daemons.map(({ url }) => url),
      first.daemons.map(({ url }) => url),
    );
  },
);

test.serial('files go in, out and about as with cp, ls, mv, ln and rm', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir);
  const files = await mkdtemp(join(tmpdir(), 'weft-files-'));
  t.teardown(() => rm(files, { recursive: true }));
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await weft({ url }, ...args);
    t.is(code, 0, `weft ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  const content = Buffer.from(
    Uint8Array.from({ length: 5 * 2 ** 20 + 7 }, (_, i) => (i * 7) % 253),
  );
  await mkdir(join(files, 'in', 'deep'), { recursive: true });
  await writeFile(join(files, 'in', 'big'), content, { mode: 0o640 });
  await writeFile(join(files, 'in', 'deep', 'small'), 'small');
  await symlink('deep/small', join(files, 'in', 'link'));

  await ok('cp', '-r', join(files, 'in'), 'weft:/tree');
  await ok('cp', '-r', 'weft:/tree', 'weft:/twin');
  await ok('cp', '-r', 'weft:/twin', join(files, 'out'));
  t.true(content.equals(await readFile(join(files, 'out', 'big'))));
  t.is(await readFile(join(files, 'out', 'link'), 'utf8'), 'small');
  t.deepEqual((await readdir(join(files, 'out'))).toSorted(), ['big', 'deep', 'link']);

  t.is(await ok('cat', '/tree/deep/small', 'weft:/twin/link'), 'smallsmall');
  const put = await weft({ url, stdin: content }, 'put', '/put', '--json', '--iods', '1', '--sync');
  t.like(JSON.parse(put.stdout), { schema: 1, path: '/put', bytes: content.length });
  const where = JSON.parse(await ok('where', '/put', '--json', '--offset', '1M'));
  t.like(where, { size: content.length, iods: { length: 1, 0: { bytes: content.length } } });
  t.regex(await ok('where', '--draw', '/tree/big'), /^ {5}0 {2}(\[\d\])+$/m);

  await ok('mkdir', '-p', '/a/b');
  await ok('mkdir', '--retention', '1', '/scratch');
  await weft({ url, stdin: content }, 'put', '/scratch/file');
  await ok('mv', '/put', '/a/b');
  await ok('ln', '/a/b/put', '/a/again');
  await ok('ln', '-s', 'b/put', '/a/soft');
  await ok('truncate', '-s', '1K', '/a/again');
  t.is(await ok('ls', '/a'), 'again\nb\nsoft\n');
  t.regex(
    await ok('ls', '-l', '/a'),
    /^-rw\S+ {2}2 .* 1024 .* again\nd.* b\nl.* soft -> b\/put\n$/,
  );
  t.like(JSON.parse(await ok('stat', '--json', '/a/b/put')), { size: 1024, links: 2 });
  await ok('rm', '-r', '/a', '/twin');
  while ((await ok('ls', '/scratch')) !== '') continue;
  await ok('rm', '-r', '/scratch');
  t.is(await ok('ls'), 'tree\n');

  t.like(JSON.parse(await ok('df', '--json')), { partial: false, iods: { length: 4 } });
  const ping = JSON.parse(await ok('ping', '--json')) as { ok: boolean; links: unknown[] };
  t.is(ping.links.length, 1 + 4 + 4);
  const fsck = JSON.parse(await ok('fsck', '--json')) as object;
  t.like(fsck, { ok: true, files: 2, findingsTotal: 0 });

  const both = await weft({ url }, 'rm', '/nothing', '/tree/deep/small');
  t.is(both.code, 1);
  t.regex(both.stderr, /^weft: ENOENT: no such file or directory/);
  t.is((await weft({ url }, 'stat', '/tree/deep/small')).code, 1, 'the second was removed');
});

test.serial(
  'daemons that were killed are named, come back by their commands, and are stopped by down',
  async (t) => {
    const dataDir = await clusterDirectory(t);
    const { url, daemons } = await up(dataDir, '--iods', '2');
    await weft({ url, stdin: 'content' }, 'put', '/file');
    const iod1 = daemons.find(({ name }) => name === 'iod1');
    const chaos = await weft({}, 'chaos', 'kill', 'iod1', '--data', dataDir, '--json');
    t.like(JSON.parse(chaos.stdout), { struck: [{ name: 'iod1', pid: iod1?.pid }] });

    const ping = await weft({ url }, 'ping');
    t.is(ping.code, 1);
    t.regex(ping.stdout, /here -> iod1 +FAILED/);
    t.regex(ping.stdout, /here -> iod0 +ok/);

    const again = await startByCommand(t, iod1?.command ?? []);
    t.is((await weft({ url }, 'cat', '/file')).stdout, 'content');
    t.is((await weft({ url }, 'ping')).code, 0);
    const mgr = daemons.find(({ name }) => name === 'mgr');
    process.kill(mgr?.pid ?? 0, 'SIGKILL');
    const mgrAgain = await startByCommand(t, mgr?.command ?? []);
    t.is((await weft({ url }, 'cat', '/file')).stdout, 'content');
    t.like(await up(dataDir), { alreadyUp: true });

    const down = await weft({}, 'down', '--data', dataDir, '--json');
    const { stopped } = JSON.parse(down.stdout) as { stopped: { name: string; pid: number }[] };
    t.is(stopped.find(({ name }) => name === 'iod1')?.pid, again.pid);
    t.is(stopped.find(({ name }) => name === 'mgr')?.pid, mgrAgain.pid);
  },
);

test.serial('what chaos stops stands still until it is let go', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { daemons } = await up(dataDir, '--iods', '1');
  const pid = daemons[1]?.pid ?? 0;
  const isStopped = async () => /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  t.is((await weft({}, 'chaos', 'stop', 'iod0', '--data', dataDir)).code, 0);
  t.true(await isStopped());
  t.is((await weft({}, 'chaos', 'go', 'iod0', '--data', dataDir)).code, 0);
  t.false(await isStopped());
  t.is((await weft({}, 'chaos', 'stop', 'iod0', '--for', '1', '--data', dataDir)).code, 0);
  t.false(await isStopped());

  const wrong = [
    ['chaos', 'break', 'iod0'],
    ['chaos', 'kill', 'iod9'],
    ['chaos', 'kill', 'iod0', '--for', '1'],
  ];
  for (const words of wrong) t.is((await weft({}, ...words, '--data', dataDir)).code, 2);
  const nowhere = await weft({}, 'chaos', 'kill', 'iod0', '--data', join(dataDir, 'none'));
  t.is(nowhere.code, 1);
  t.regex(nowhere.stderr, /no cluster was started in/);
});

test.serial('up starts what does not run, and nothing else', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { daemons } = await up(dataDir, '--iods', '2');
  const id = { pid: daemons[2]?.pid ?? 0, started: (await startOf(daemons[2]?.pid ?? 0)) ?? '' };
  process.kill(id.pid, 'SIGKILL');
  const after = await up(dataDir);
  t.false(await isRunning(id));
  t.false(after.alreadyUp);
  t.deepEqual(
    after.daemons.map(({ pid }) => pid).slice(0, 2),
    daemons.map(({ pid }) => pid).slice(0, 2),
  );
  t.is((await weft({ url: after.url }, 'ping')).code, 0);
});

test.serial('up that cannot start one daemon stops the others and says why', async (t) => {
  const dataDir = await clusterDirectory(t);
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await writeFile(join(dataDir, 'mine'), `mgr 127.0.0.1:${port}\n127.0.0.1:1\n`);
  const args = ['up', '--data', dataDir, '--iodtab', join(dataDir, 'mine'), '--detach'];
  const { code, stderr } = await weft({}, ...args);
  t.is(code, 1);
  t.regex(stderr, /mgr ended with status 1 before it was ready.*in use/s);
  t.regex((await weft({}, 'down', '--data', dataDir)).stdout, /^nothing runs in /);
});

test.serial('up in the foreground tells of a death, and Ctrl-C stops the rest', async (t) => {
  const dataDir = await clusterDirectory(t);
  const args = ['up', '--data', dataDir, '--port', '0', '--iods', '2', '--json'];
  const running = new Running('client/cli/main.js', args);
  t.teardown(() => running.signal('SIGKILL'));
  const { daemons } = JSON.parse(await running.says(/^\{/)) as Awaited<ReturnType<typeof up>>;
  const died = running.says(/^iod0 \(pid \d+\) died: SIGKILL/);
  process.kill(daemons[1]?.pid ?? 0, 'SIGKILL');
  t.regex(await died, /weft up --detach --data/);
  running.signal('SIGINT');
  const { code, stderr } = await running.exited;
  t.is(code, 1, 'one of them died');
  t.regex(stderr, /stopping \(Ctrl-C again: at once\)/);
  t.regex((await weft({}, 'down', '--data', dataDir)).stdout, /^nothing runs in /);
});

test.serial(
  'up lets pages of the named origins in, also when it brings the cluster back',
  async (t) => {
    const dataDir = await clusterDirectory(t);
    const origin = 'http://localhost:5173';
    const pages = (daemons: Awaited<ReturnType<typeof up>>['daemons']): boolean =>
      daemons.every(({ command }) => command[command.indexOf('--allow-origin') + 1] === origin);
    t.true(pages((await up(dataDir, '--iods', '1', '--allow-origin', origin)).daemons));
    await weft({}, 'down', '--data', dataDir);
    t.true(pages((await up(dataDir)).daemons));
  },
);

/** Where a file of so many bytes comes to lie. */
async function placeOf(url: string, size: string): Promise<string> {
  await weft({ url }, 'rm', '-f', '/f');
  await weft({ url, stdin: Buffer.alloc(Number(size), 1) }, 'put', '/f');
  const { stdout } = await weft({ url }, 'where', '--json', '/f');
  return (JSON.parse(stdout) as { place: string }).place;
}

test.serial('up says how long a file in the mgr may be, also when it brings it back', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '1', '--small-file-bytes', '1K');
  t.deepEqual([await placeOf(url, '1024'), await placeOf(url, '1025')], ['mgr', 'iods']);
  await placeOf(url, '7');
  t.regex(
    (await weft({ url }, 'where', '--draw', '/f')).stdout,
    /^\/f: +7 in the store of the mgr$/m,
  );
  t.is((await weft({ url }, 'fsck')).code, 0);
  await weft({}, 'down', '--data', dataDir);
  await up(dataDir);
  t.deepEqual([await placeOf(url, '1024'), await placeOf(url, '1025')], ['mgr', 'iods']);
});

test.serial('a listing whose reader has seen enough ends without a word', async (t) => {
  const dataDir = await clusterDirectory(t);
  const { url } = await up(dataDir, '--iods', '1');
  const big = Buffer.alloc(8 * 2 ** 20);
  await weft({ url, stdin: big }, 'put', '/big');
  const reading = new Running('client/cli/main.js', ['cat', '/big'], { WEFT_URL: url });
  reading.hangUp();
  const { stderr } = await reading.exited;
  t.is(stderr, '');
});

test.serial('a key is made once, for its owner alone, and a token is made from it', async (t) => {
  const dataDir = await clusterDirectory(t);
  const made = await weft({}, 'init', '--data', dataDir, '--json');
  const { keyFile } = JSON.parse(made.stdout) as { keyFile: string };
  const again = await weft({}, 'init', '--data', dataDir);
  t.is(again.code, 1);
  t.regex(again.stderr, /EEXIST: .* is there already\n {2}effect: it was not touched/);
  const token = await weft({}, 'init', '--data', dataDir, '--user', 'ann', '--json');
  const { keyFile: tokenFile } = JSON.parse(token.stdout) as { keyFile: string };
  t.is(tokenFile, join(dataDir, 'ann.token'));
  t.not(await readFile(tokenFile, 'utf8'), await readFile(keyFile, 'utf8'));
});

test.serial(
  'npm start shows a file that came back the same, and Ctrl-C leaves nothing',
  async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'weft-start-'));
    t.teardown(async () => {
      const left = (await readdir(place)).filter((name) => name.startsWith('weft-'));
      await Promise.all(left.map((name) => stopCluster(join(place, name))));
      await rm(place, { recursive: true });
    });
    const dataDir = await clusterDirectory(t);
    const { daemons } = await up(dataDir, '--iods', '2');
    await weft({}, 'down', '--data', dataDir);
    const [mgr = '', ...iods] = daemons.map(({ url }) => url.replace('ws://', ''));
    await writeFile(join(place, 'iodtab'), `mgr ${mgr}\n${iods.join('\n')}\n`);
    const args = ['--ephemeral', '--iodtab', join(place, 'iodtab')];
    const running = new Running('scripts/start.js', args, { TMPDIR: place });
    t.teardown(() => running.signal('SIGKILL'));
    await running.says(/Ctrl-C stops everything/);
    running.signal('SIGINT');
    const { code, stdout } = await running.exited;
    t.is(code, 0);
    for (const said of [
      /with the same hash/,
      /\[1\]\[0\]\[1\]/,
      /export WEFT_URL='ws:/,
      /^stopped$/m,
    ]) {
      t.regex(stdout, said);
    }
    t.deepEqual(
      (await readdir(place)).filter((name) => name.startsWith('weft-')),
      [],
    );
  },
);

test.serial('Ctrl-C while a cluster starts leaves no daemon behind', async (t) => {
  const dataDir = await clusterDirectory(t);
  const args = ['up', '--data', dataDir, '--port', '0', '--detach'];
  const running = new Running('client/cli/main.js', args);
  t.teardown(() => running.signal('SIGKILL'));
  // It is written when all are started and none is ready.
  const names = watch(dataDir, { signal: AbortSignal.timeout(60_000) });
  for await (const { filename } of names) if (filename === 'cluster.json') break;
  running.signal('SIGINT');
  const { code, stderr } = await running.exited;
  t.is(code, 1);
  t.regex(stderr, /EINTR: it was interrupted\n {2}effect: what was started is stopped again/);
  t.regex((await weft({}, 'down', '--data', dataDir)).stdout, /^nothing runs in /);
});
