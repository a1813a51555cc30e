/** `weft health` and `weft metrics` before real clusters, well and sick. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { promtool, promtoolTest } from '../promtool.ts';
import { clusterDirectory, Running, up, type UpReport, weft } from './cli-runner.ts';
import { until } from './cluster-fixture.ts';

interface Health {
  readonly schema: number;
  readonly verdict: string;
  readonly findings: readonly { readonly code: string; readonly subject: string }[];
}

interface Checkup {
  readonly code: number | null;
  readonly verdict: string;
  /** `CODE subject`. */
  readonly found: readonly string[];
}

/** Asks a cluster for its health, as a program would. */
async function checkup({ url, dataDir }: Pick<UpReport, 'url' | 'dataDir'>): Promise<Checkup> {
  const { code, stdout } = await weft({ url }, 'health', '--data', dataDir, '--json');
  const { schema, verdict, findings } = JSON.parse(stdout) as Health;
  if (schema !== 1) throw new Error(`schema ${schema}`);
  return { code, verdict, found: findings.map((one) => `${one.code} ${one.subject}`) };
}

/** Asks until it has found `wanted`. */
async function found(cluster: UpReport, wanted: string): Promise<Checkup> {
  let last = await checkup(cluster);
  await until(async () => {
    if (last.found.includes(wanted)) return true;
    last = await checkup(cluster);
    return false;
  });
  return last;
}

async function chaos({ dataDir }: UpReport, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await weft({}, 'chaos', ...words, '--data', dataDir);
  if (code !== 0) throw new Error(stderr);
}

/** Takes connections, and says nothing. @returns its port */
async function silentPort(t: ExecutionContext): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const well: Checkup = { code: 0, verdict: 'healthy', found: [] };

// One cluster at a time: each is several processes.
test.serial('a sick iod is named: frozen, killed, and well again when it is back', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '2');
  t.deepEqual(await checkup(cluster), well);
  t.is((await weft({ url: cluster.url }, 'health')).stdout, 'healthy\n');

  await chaos(cluster, 'stop', 'iod1');
  const silent = await found(cluster, 'WEFT_H_IOD_SILENT iod1');
  t.deepEqual(silent, { code: 1, verdict: 'warnings', found: ['WEFT_H_IOD_SILENT iod1'] });
  await chaos(cluster, 'kill', 'iod1');
  const away = await found(cluster, 'WEFT_H_IOD_ABSENT iod1');
  t.deepEqual(away, { code: 2, verdict: 'errors', found: ['WEFT_H_IOD_ABSENT iod1'] });
  const { stdout } = await weft({ url: cluster.url }, 'health');
  t.regex(stdout, /^error: WEFT_H_IOD_ABSENT: iod1: an iod is away \(silent for .*\)$/m);
  t.regex(stdout, /^ {2}try: .*weft up/m);

  await up(cluster.dataDir);
  t.deepEqual(await checkup(cluster), well);
});

test.serial('without the mgr it tells of the processes of this host', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '3');
  await chaos(cluster, 'kill', 'mgr', 'iod1');
  await chaos(cluster, 'stop', 'iod2');
  t.deepEqual(await checkup(cluster), {
    code: 2,
    verdict: 'errors',
    found: [
      'WEFT_H_MGR_UNREACHABLE mgr',
      'WEFT_H_IOD_ABSENT iod1',
      'WEFT_H_IOD_ALONE iod0',
      'WEFT_H_IOD_SILENT iod2',
    ],
  });
  const elsewhere = await checkup({ url: cluster.url, dataDir: join(cluster.dataDir, 'none') });
  t.deepEqual(elsewhere.found, ['WEFT_H_MGR_UNREACHABLE mgr']);
});

test.serial('a mgr that is frozen is one that does not answer', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  await chaos(cluster, 'stop', 'mgr');
  t.deepEqual((await checkup(cluster)).found, [
    'WEFT_H_MGR_UNREACHABLE mgr',
    'WEFT_H_IOD_ALONE iod0',
  ]);
  await chaos(cluster, 'go', 'mgr');
});

test.serial(
  'whoever looks for trouble is not kept waiting by a mgr or an iod that hangs',
  async (t) => {
    const cluster = await up(await clusterDirectory(t), '--iods', '2');
    const { url } = cluster;
    // Somebody who wants his work done, of a mgr that takes connections and says nothing.
    const silent = new URL(url);
    silent.port = String(await silentPort(t));
    const timed = async (words: readonly string[]) => {
      const patient = new Running('client/cli/main.js', ['ls', '/', '--timeout', '6'], {
        WEFT_URL: silent.href,
      });
      const look = weft({ url }, ...words);
      const first = await Promise.race([
        look.then(() => 'look'),
        patient.exited.then(() => 'work'),
      ]);
      t.is(first, 'look', words.join(' '));
      patient.signal('SIGKILL');
      await patient.exited;
      return look;
    };
    const looks = ['top --count 1', 'events', 'recovery list', 'sessions', 'opens', 'opens /x'];
    await chaos(cluster, 'stop', 'iod1');
    const top = await timed(['top', '--count', '1']);
    t.regex(top.stdout, /^iod0 +serving/m);
    t.regex(top.stdout, /^iod1: .*does not answer$/m);
    t.regex((await timed(['recovery', 'list'])).stdout, /mgr-1 .*first-start/);
    await chaos(cluster, 'stop', 'mgr');
    for (const look of looks) t.is((await timed(look.split(' '))).code, 1, look);
    // What is written down on this host is told all the same.
    const { dataDir } = cluster;
    const events = await timed(['events', '--data', dataDir]);
    t.is(events.code, 1);
    t.regex(events.stdout, /^\S+ {2}iod {7}iod1 {2}serving {2}start 1$/m);
    const reports = await timed(['recovery', 'list', '--data', dataDir]);
    t.is(reports.code, 1);
    t.regex(reports.stdout, /iod1-1 .*first-start/);
    t.regex((await timed(['recovery', 'show', 'iod1-1', '--data', dataDir])).stdout, /iod1/);
    t.is((await timed(['events', '--data', join(dataDir, 'other')])).stdout, '');
    await chaos(cluster, 'go', 'mgr', 'iod1');
  },
);

test.serial('clients that died are told, also while a new mgr waits for them', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  const client = new Running('client/cli/main.js', ['put', '/x'], { WEFT_URL: cluster.url });
  // Its standard input has no end: it stays.
  await until(async () => {
    const { stdout } = await weft({ url: cluster.url }, 'status', '--json');
    return (JSON.parse(stdout) as { mgr: { opens: number } }).mgr.opens === 1;
  });
  client.signal('SIGKILL');
  await client.exited;
  const away = await found(cluster, 'WEFT_H_SESSION_SILENT clients');
  t.deepEqual(away, { code: 1, verdict: 'warnings', found: ['WEFT_H_SESSION_SILENT clients'] });
  await chaos(cluster, 'kill', 'mgr');
  await up(cluster.dataDir);
  t.deepEqual((await found(cluster, 'WEFT_H_MGR_RECOVERING mgr')).verdict, 'warnings');
});

test.serial('who may not ask is told so, as an error', async (t) => {
  const { url, dataDir } = await up(await clusterDirectory(t), '--iods', '1');
  const [withoutKey = ''] = url.split('?');
  const expected = { code: 2, verdict: 'errors', found: ['WEFT_H_CANNOT_ASK mgr'] };
  t.deepEqual(await checkup({ url: withoutKey, dataDir }), expected);
  t.deepEqual(await checkup({ url: '', dataDir }), expected);
});

/** What a daemon says to Prometheus: values by name, and by labels where it has some. */
async function scraped(t: ExecutionContext, { url }: UpReport, daemon: string) {
  const { code, stdout, stderr } = await weft({ url }, 'metrics', daemon);
  t.is(code, 0, stderr);
  const values = new Map<string, number>();
  for (const line of stdout.split('\n')) {
    const [, name = '', value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (!line.startsWith('#')) values.set(name, Number(value));
  }
  return { stdout, value: (name: string) => values.get(name) };
}

test.serial('metrics count what was done, at the mgr and at the iods', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '2');
  const { url } = cluster;
  const content = Buffer.alloc(3 * 1024 * 1024, 7);
  t.is((await weft({ url, stdin: content }, 'put', '/file')).code, 0);
  t.is((await weft({ url }, 'cat', '/file', '/file')).code, 0);
  t.is((await weft({ url }, 'cat', '/missing')).code, 1);

  const iods = [await scraped(t, cluster, 'iod0'), await scraped(t, cluster, 'iod1')];
  const sum = (name: string) => iods.reduce((total, { value }) => total + (value(name) ?? NaN), 0);
  t.is(sum('weftfs_iod_written_bytes_total'), content.length);
  t.is(sum('weftfs_iod_read_bytes_total'), 2 * content.length);
  for (const { value } of iods) {
    t.is(value('weftfs_state{state="SERVING"}'), 1);
    // When the other iod becomes a member in the middle of its sync, it connects and begins again.
    t.true([1, 2].includes(value('weftfs_iod_mgr_connections_total') ?? 0));
    t.is(value('weftfs_generation'), 1);
    t.true((value('weftfs_iod_lease_left_seconds') ?? 0) > 0);
    const writes = 'weftfs_request_duration_seconds_count{op="write",outcome="ok"}';
    t.true((value(writes) ?? 0) > 0);
  }

  const { value } = await scraped(t, cluster, 'mgr');
  t.is(value('weftfs_state{state="ACTIVE"}'), 1);
  t.is(value('weftfs_mgr_files'), 1);
  t.is(value('weftfs_mgr_open_files'), 0);
  t.is(value('weftfs_mgr_iod_state{iod="iod1",state="serving"}'), 1);
  t.is(value('weftfs_mgr_has_room'), 1);
  t.is(value('weftfs_request_duration_seconds_count{op="open",outcome="ok"}'), 3);
  t.true((value('weftfs_request_errors_total{op="open",errno="ENOENT"}') ?? 0) >= 1);
  t.true((value('weftfs_mgr_commit_duration_seconds_count') ?? 0) > 0);
  t.is(value('weftfs_mgr_commit_changes_count'), value('weftfs_mgr_commit_duration_seconds_count'));
  t.is(value('weftfs_recoveries_total'), 1);
});

test.serial('nobody is told of files', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  const { url } = cluster;
  t.is((await weft({ url, stdin: 'x' }, 'put', '/secret-name')).code, 0);
  for (const { url: at } of cluster.daemons) {
    const page = `${at.replace('ws:', 'http:').split('?')[0] ?? ''}/metrics`;
    const text = await (await fetch(page)).text();
    t.regex(text, /^weftfs_build_info\{/m);
    t.false(text.includes('secret-name'));
  }
});

promtoolTest('Prometheus takes what a cluster says, and how to find it', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  for (const daemon of ['mgr', 'iod0']) {
    const { stdout } = await scraped(t, cluster, daemon);
    t.deepEqual(await promtool(['check', 'metrics'], stdout), { code: 0, words: '' }, daemon);
  }
  const config = await weft({ url: cluster.url }, 'metrics', '--print-scrape-config');
  const file = join(cluster.dataDir, 'prometheus.yml');
  await writeFile(file, config.stdout);
  const { code, words } = await promtool(['check', 'config', file]);
  t.is(code, 0, words);
});

test.serial('alerts and board need no cluster; a daemon that is not there is told', async (t) => {
  t.regex((await weft({}, 'metrics', '--print-alerts')).stdout, /^ {6}- alert: WeftfsIodDown$/m);
  const board = await weft({}, 'metrics', '--print-dashboard');
  t.like(JSON.parse(board.stdout), { title: 'weftfs' });
  const both = await weft({}, 'metrics', '--print-alerts', '--print-dashboard');
  t.is(both.code, 2);
  const { url } = await up(await clusterDirectory(t), '--iods', '1');
  t.is((await weft({ url }, 'metrics', 'iod7')).code, 2);
});
