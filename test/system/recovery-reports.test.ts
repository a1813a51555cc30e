/** What an operator sees of a recovery, while it runs and afterwards (SCENARIOS 276, 277). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../client/index.ts';
import { decodeRecovery, type RecoveryReport } from '../../shared/recovery-report.ts';
import {
  clusterDirectory,
  Running,
  startByCommand,
  up,
  type UpReport,
  weft,
} from './cli-runner.ts';

type Listed = Omit<RecoveryReport, 'startedAt'> & {
  readonly id: string;
  readonly startedAt: string;
};

async function listOf(t: ExecutionContext, url: string): Promise<readonly Listed[]> {
  const { code, stdout, stderr } = await weft({ url }, 'recovery', 'list', '--json');
  t.is(code, 0, stderr);
  const { schema, reports } = JSON.parse(stdout) as {
    readonly schema: number;
    readonly reports: readonly Listed[];
  };
  t.is(schema, 1);
  return reports;
}

/** Asks until it is there: a daemon that does not serve yet is left out. */
async function waitForReport(
  t: ExecutionContext,
  url: string,
  matches: (report: Listed) => boolean,
): Promise<Listed> {
  for (;;) {
    const found = (await listOf(t, url)).find(matches);
    if (found !== undefined) return found;
  }
}

interface Status {
  readonly healthy: boolean;
  readonly mgr: {
    readonly state: string;
    readonly recovery: {
      readonly phase: string;
      readonly missing: readonly string[];
      readonly leftMs: number;
      readonly done: number;
      readonly total: number;
    } | null;
  };
  readonly iods: readonly {
    readonly name: string;
    readonly state: string;
    readonly recovery: { readonly cause: string; readonly leftMs: number } | null;
  }[];
}

async function statusOf(
  t: ExecutionContext,
  { url, dataDir }: UpReport,
): Promise<{ readonly status: Status; readonly text: string }> {
  const json = await weft({ url }, 'status', '--data', dataDir, '--json');
  // What lasts is still so.
  const text = await weft({ url }, 'status', '--data', dataDir);
  t.is(json.stderr, '');
  return { status: JSON.parse(json.stdout) as Status, text: text.stdout };
}

function daemonOf({ daemons }: UpReport, name: string): UpReport['daemons'][number] {
  const daemon = daemons.find((one) => one.name === name);
  if (daemon === undefined) throw new Error(`there is no ${name}`);
  return daemon;
}

const names = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name);

test.serial(
  'each kill leaves a report that names it, in the directory and in weft recovery (SCENARIOS 278)',
  async (t) => {
    const cluster = await up(await clusterDirectory(t), '--iods', '2');
    const { url } = cluster;
    const fs = await connect(url, { name: 'the holder' });
    t.teardown(() => fs.close());
    const file = await fs.open('/file', 'w+');
    await file.write(Buffer.from('x'), 0);

    const iod1 = daemonOf(cluster, 'iod1');
    process.kill(iod1.pid, 'SIGKILL');
    const second = await startByCommand(t, iod1.command);
    const crash = await waitForReport(
      t,
      url,
      (one) => one.daemon === 'iod1' && one.cause === 'crash',
    );
    t.like(crash, { outcome: 'recovered', restarts: [], dropped: [], uncertain: [] });
    t.deepEqual(names(crash.phases), [
      'boot',
      'connect',
      'join',
      'snapshot',
      'confirm',
      'announce',
    ]);
    t.deepEqual(crash.restored, [{ what: 'opens', count: 1, for: [] }]);
    t.regex(crash.startedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const seen = await waitForReport(t, url, (one) => one.cause === 'iod-lost');
    t.like(seen, { daemon: 'mgr', outcome: 'recovered', why: 'iod1 was lost' });
    t.deepEqual(names(seen.phases), ['absent', 'syncing']);

    process.kill(second.pid, 'SIGTERM');
    await startByCommand(t, iod1.command);
    await waitForReport(t, url, (one) => one.daemon === 'iod1' && one.cause === 'clean-restart');

    process.kill(daemonOf(cluster, 'mgr').pid, 'SIGKILL');
    await startByCommand(t, daemonOf(cluster, 'mgr').command);
    const start = await waitForReport(
      t,
      url,
      (one) => one.daemon === 'mgr' && one.cause === 'crash',
    );
    t.deepEqual(names(start.phases), ['load', 'listen', 'reclaim', 'clean-up']);
    const [sessions, opens] = start.restored.slice(-2);
    t.like(sessions, { what: 'sessions', count: 1 });
    t.regex(sessions?.for[0] ?? '', /^the holder \(session \d+\)$/);
    t.deepEqual(opens, { what: 'opens', count: 1, for: [] });
    for (const name of ['iod0', 'iod1']) {
      await waitForReport(t, url, (one) => one.daemon === name && one.cause === 'mgr-lost');
    }

    const table = await weft({ url }, 'recovery', 'list');
    t.is(table.stderr, '', 'every daemon was asked');
    t.regex(table.stdout, /iod1-2 +crash +recovered +\S+ m?s +\+1 opens +\(boot /);
    const shown = await weft({ url }, 'recovery', 'show', crash.id);
    t.regex(shown.stdout, /^recovery +iod1-2\n.*cause +crash: the process before has died\n/s);
    t.regex(shown.stdout, /\nrestored: 1 opens\n/);
    t.is((await weft({ url }, 'recovery', 'show', 'iod9-9')).code, 2);
    t.true((await readdir(join(iod1.dataDir, 'recoveries'))).includes('2.json'));
    await file.close();
  },
);

test.serial(
  'status answers in every phase: who is missing, how far it is, how long it may take',
  async (t) => {
    const cluster = await up(await clusterDirectory(t), '--iods', '2');
    const { url } = cluster;
    const mgr = daemonOf(cluster, 'mgr');
    const iod1 = daemonOf(cluster, 'iod1');
    const holder = await connect(url, { name: 'the holder' });
    t.teardown(() => holder.close());

    process.kill(iod1.pid, 'SIGKILL');
    for (;;) {
      const { status, text } = await statusOf(t, cluster);
      if (status.iods[1]?.state !== 'absent') continue;
      t.false(status.healthy);
      t.regex(text, /iod1: .*its lease ends in \d+/);
      break;
    }

    process.kill(mgr.pid, 'SIGKILL');
    for (;;) {
      const { status, text } = await statusOf(t, cluster);
      if (status.mgr.state !== 'UNREACHABLE' || status.iods[0]?.recovery == null) continue;
      t.deepEqual(
        status.iods.map(({ name, state }) => [name, state]),
        [
          ['iod0', 'SERVING'],
          ['iod1', 'STOPPED'],
        ],
      );
      t.is(status.iods[0]?.recovery.cause, 'mgr-lost');
      t.true((status.iods[0]?.recovery.leftMs ?? Infinity) < 30_000);
      t.regex(text, /^mgr +unreachable/);
      t.regex(text, /iod0 +serving +process \d+, connect for .*missing: mgr, at most .* left/);
      break;
    }

    // Its port stays closed until there is a mgr: it is never ready here.
    startByCommand(t, [...iod1.command, '--sync-timeout', '600000']).catch(() => {
      // It ends with the test.
    });
    for (;;) {
      const { status, text } = await statusOf(t, cluster);
      if (status.iods[1]?.state !== 'SYNCING') continue;
      t.regex(text, /iod1 +syncing +process \d+, missing: mgr/);
      break;
    }

    // A client that was there and does not come back is waited for.
    await holder.close();
    t.pass();
  },
);

test('a report on the disk is the one that is shown', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '1');
  const { stdout } = await weft({ url: cluster.url }, 'recovery', 'show', 'mgr-1', '--json');
  const { report } = JSON.parse(stdout) as { readonly report: Listed };
  const file = join(daemonOf(cluster, 'mgr').dataDir, 'recoveries', '1.json');
  const stored = decodeRecovery(await readFile(file, 'utf8'));
  t.like(report, { ...stored, id: 'mgr-1', startedAt: report.startedAt });
});

test.serial('a recovery is followed until all serve again', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '2');
  const { url, dataDir } = cluster;
  const at = ['--data', dataDir];
  const well = await weft({ url }, 'recovery', 'follow', ...at);
  t.is(well.code, 0);
  t.regex(well.stdout, /^all serve, after /);
  await weft({}, 'chaos', 'kill', 'iod1', ...at);
  const follower = new Running('client/cli/main.js', ['recovery', 'follow', ...at], {
    WEFT_URL: url,
  });
  t.teardown(() => follower.signal('SIGKILL'));
  await follower.says(/^iod1: absent$/);
  await up(dataDir);
  const { code, stdout } = await follower.exited;
  t.is(code, 0);
  t.regex(stdout, /^all serve, after /);
  await weft({}, 'chaos', 'kill', 'mgr', ...at);
  const again = new Running('client/cli/main.js', ['recovery', 'follow', '--json', ...at], {
    WEFT_URL: url,
  });
  t.teardown(() => again.signal('SIGKILL'));
  await again.says(/"event":"progress","done":0,"total":null,"unit":"steps"/);
  await up(dataDir);
  t.true((JSON.parse((await again.exited).stdout) as { seconds: number }).seconds > 0);
});
