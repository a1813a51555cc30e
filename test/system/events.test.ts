/** `weft events` before a real cluster whose daemons die and come back. */
import test from 'ava';
import { parseSince } from '../../client/cli/commands/events.ts';
import { connect } from '../../client/index.ts';
import { clusterDirectory, Running, up, type UpReport, weft } from './cli-runner.ts';
import { until } from './cluster-fixture.ts';

interface Event {
  readonly schema: number;
  readonly number: number;
  readonly at: string;
  readonly kind: string;
  readonly subject: string;
  readonly what: string;
}

async function events({ url }: UpReport, ...words: readonly string[]): Promise<Event[]> {
  const { code, stdout, stderr } = await weft({ url }, 'events', ...words, '--json');
  if (code !== 0) throw new Error(stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event);
}

const wordsOf = (all: readonly Event[], kind: string): string[] =>
  all.filter((one) => one.kind === kind).map(({ subject, what }) => `${subject} ${what}`);

async function chaos({ dataDir }: UpReport, ...words: readonly string[]): Promise<void> {
  const { code, stderr } = await weft({}, 'chaos', ...words, '--data', dataDir);
  if (code !== 0) throw new Error(stderr);
}

// One cluster at a time: each is several processes.
test.serial('what happened to daemons and sessions is told, also by the next mgr', async (t) => {
  const cluster = await up(await clusterDirectory(t), '--iods', '2');
  const fs = await connect(cluster.url, { name: 'watched' });
  t.teardown(() => fs.close());
  const follower = new Running('client/cli/main.js', ['events', '--follow', '--json'], {
    WEFT_URL: cluster.url,
  });
  t.teardown(async () => {
    follower.signal('SIGINT');
    await follower.exited;
  });
  const followed = follower.says(/"subject":"iod1","what":"absent"/);
  await follower.says(/"subject":"iod1","what":"serving"/);
  await chaos(cluster, 'kill', 'iod1');
  t.like(JSON.parse(await followed), { schema: 1, kind: 'iod' });
  await until(async () => {
    return wordsOf(await events(cluster), 'health').includes('iod1 raised');
  });
  await chaos(cluster, 'kill', 'mgr');
  const recovered = follower.says(/"subject":"mgr","what":"started"/);
  await up(cluster.dataDir);
  await recovered;
  await until(async () => {
    return wordsOf(await events(cluster), 'health').includes('iod1 cleared');
  });

  const all = await events(cluster);
  t.deepEqual(
    all.map(({ number }) => number),
    all.map(({ number }) => number).toSorted((a, b) => a - b),
  );
  t.deepEqual(wordsOf(all, 'mgr'), [
    'mgr started',
    'mgr recovering',
    'mgr active',
    'mgr started',
    'mgr recovering',
    'mgr active',
  ]);
  const ofIod = wordsOf(all, 'iod').filter((one) => one.startsWith('iod1'));
  // On a busy host it may take more than one attempt to serve first.
  t.is(ofIod[0], 'iod1 syncing');
  t.is(ofIod[ofIod.indexOf('iod1 serving') + 1], 'iod1 absent');
  t.is(ofIod.at(-1), 'iod1 serving');
  t.true(wordsOf(all, 'recovery').includes('mgr recovered'));
  const sessions = wordsOf(all, 'session');
  const own = `session ${fs.session.session.id}`;
  t.deepEqual(
    sessions.filter((one) => one.startsWith(`${own} `)),
    [`${own} began`, `${own} back`],
  );

  t.deepEqual(await events(cluster, '--since', '2030-01-01'), []);
  t.true((await events(cluster, '--since', '1h')).length >= all.length);
  const shown = (await weft({ url: cluster.url }, 'events')).stdout;
  t.regex(shown, /^\d{4}-.*Z {2}iod {7}iod1 {2}absent$/m);
  t.is((await weft({ url: cluster.url }, 'events', '--since', 'yesterday')).code, 2);
});

test.serial('without the key of the cluster nothing is told', async (t) => {
  const { url } = await up(await clusterDirectory(t), '--iods', '1');
  const [withoutKey = ''] = url.split('?');
  t.not((await weft({ url: withoutKey }, 'events')).code, 0);
});

test('a time is a span before now, or a date', (t) => {
  t.is(parseSince('90s', 100_000), 10_000);
  t.is(parseSince('2h', 10_000_000), 10_000_000 - 7_200_000);
  t.is(parseSince('1970-01-02T00:00Z', 0), 86_400_000);
  for (const wrong of ['', '5', 'now', '-1s', '1y', '2026-99-99']) {
    t.throws(() => parseSince(wrong, 0), undefined, wrong);
  }
});
