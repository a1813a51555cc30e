import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import type { HistogramReading } from '../../shared/metrics/histogram.ts';
import type { MetricOf, Readings } from '../../shared/metrics/readings.ts';
import { metricTable } from '../../shared/metrics/table.ts';
import { nameOps } from '../../shared/wire/mgr-ops.ts';
import { rights } from '../../shared/wire/values.ts';
import { at, mgrPort, MgrWorld } from './mgr-world.ts';

type MgrReadings = Readings<MetricOf<'mgr'>>;

/** A mgr, and what it shows when it is scraped. */
function watched(seed: number) {
  let shown: MgrReadings | undefined;
  const world = new MgrWorld(seed, {
    process: {
      residentBytes: () => 1,
      expose: async (readings) => {
        shown = readings as MgrReadings;
        return { status: 200, contentType: 'text/plain', body: '' };
      },
    },
  });
  const scrape = async (): Promise<MgrReadings> => {
    await world.complete(world.world.network.http('m', mgrPort, '/metrics'));
    if (shown === undefined) throw new Error('nothing was shown');
    return shown;
  };
  return { world, scrape };
}

/** How many values a histogram has seen. */
function total({ counts }: HistogramReading): number {
  return Array.from(counts).reduce((sum, count) => sum + count, 0);
}

const mkdir = {
  at: at('/d'),
  kind: 'directory' as const,
  mode: 0o755,
  device: 0,
  maker: undefined,
  lend: false,
};

test('every metric of a mgr is shown, and nothing else', async (t) => {
  const { world, scrape } = watched(1);
  await world.client();
  const expected = Object.entries(metricTable).filter(([, { roles }]) =>
    roles.some((role) => role === 'mgr'),
  );
  t.deepEqual(Object.keys(await scrape()).toSorted(), expected.map(([name]) => name).toSorted());
});

test('a mgr that was given nothing to write them with has no such page', async (t) => {
  const world = new MgrWorld(2);
  await world.client();
  t.like(await world.complete(world.world.network.http('m', mgrPort, '/metrics')), { status: 404 });
});

test('sessions, files and opens are those that there are', async (t) => {
  const { world, scrape } = watched(3);
  const client = await world.client();
  const { attr } = await world.complete(client.create('/file'));
  t.like(await scrape(), {
    weftfs_mgr_sessions: 1,
    weftfs_mgr_sessions_away: 0,
    weftfs_mgr_files: 1,
    weftfs_mgr_open_files: 1,
    weftfs_connections: 1,
    weftfs_connections_accepted_total: 1,
  });
  await world.complete(client.close(attr.handle, rights.read | rights.write));
  client.process.kill();
  await world.pass(60);
  t.like(await scrape(), {
    weftfs_mgr_sessions: 1,
    weftfs_mgr_sessions_away: 1,
    weftfs_mgr_open_files: 0,
    weftfs_connections: 0,
  });
});

test('commits, their failures, and mutations that came again are counted', async (t) => {
  const { world, scrape } = watched(4);
  const client = await world.client();
  const before = (await scrape()).weftfs_mgr_commit_changes.sum;
  const commitsBefore = world.commits.length;
  await world.complete(client.once(nameOps.makeNode, mkdir, 3, 1));
  await world.complete(client.once(nameOps.makeNode, mkdir, 3, 1));
  world.commitFailure = new FsError('EIO');
  await t.throwsAsync(world.complete(client.mkdir('/other')));
  const after = await scrape();
  t.is(after.weftfs_mgr_replayed_replies_total, 1);
  t.is(after.weftfs_mgr_commit_failures_total, 1);
  const stored = world.commits.slice(commitsBefore).flat();
  t.is(after.weftfs_mgr_commit_changes.sum - before, stored.length);
  t.is(total(after.weftfs_mgr_commit_duration_seconds), total(after.weftfs_mgr_commit_changes));
  const made = after.weftfs_request_duration_seconds.filter(
    ({ labels }) => labels.op === 'makeNode',
  );
  t.deepEqual(
    made.map(({ labels, value }) => [labels.outcome, total(value)]),
    [
      ['ok', 2],
      ['error', 1],
    ],
  );
  t.true(
    after.weftfs_request_errors_total.some(
      ({ labels, value }) => labels.op === 'makeNode' && labels.errno === 'EIO' && value === 1,
    ),
  );
});

test('a full disk is shown, and who is still to come back after a restart', async (t) => {
  const { world, scrape } = watched(5);
  const client = await world.client();
  await world.complete(client.create('/file'));
  client.process.kill();
  world.process.restart();
  await world.pass(100);
  world.room.isLeft = false;
  const shown = await scrape();
  t.is(shown.weftfs_mgr_has_room, 0);
  t.is(shown.weftfs_mgr_sessions_away, 1);
  t.is(shown.weftfs_generation, 2);
  t.deepEqual(shown.weftfs_recovery_running, [{ labels: { phase: 'reclaim' }, value: 1 }]);
  t.true(shown.weftfs_recovery_elapsed_seconds > 0);
  t.deepEqual(
    shown.weftfs_state.filter(({ value }) => value === 1).map(({ labels }) => labels.state),
    ['RECOVERING'],
  );
});
