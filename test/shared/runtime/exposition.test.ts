import test from 'ava';
import { Histogram } from '../../../shared/metrics/histogram.ts';
import type { AnyReading, Expose } from '../../../shared/metrics/readings.ts';
import type { MetricRole, MetricSpec } from '../../../shared/metrics/metric-spec.ts';
import { type MetricName, metricTable } from '../../../shared/metrics/table.ts';
import { makeExposition } from '../../../shared/runtime/node/exposition.ts';
import { promtool, promtoolTest } from '../../promtool.ts';

const all = Object.entries(metricTable) as [MetricName, MetricSpec][];
const expose = makeExposition();

/** Some reading of every metric of a role. */
function someReadings(role: MetricRole): Parameters<Expose>[0] {
  const entries = all
    .filter(([, { roles }]) => roles.includes(role))
    .map(([name, { buckets, labels }]): [string, AnyReading] => {
      const value = buckets === undefined ? 3 : new Histogram(buckets);
      const named = Object.fromEntries(labels.map((label) => [label, 'a "b"\\c\nd']));
      return [name, labels.length === 0 ? value : [{ labels: named, value }]];
    });
  return Object.fromEntries(entries) as Parameters<Expose>[0];
}

test('what is read is what is written, labels as they are', async (t) => {
  const { status, contentType, body } = await expose(someReadings('iod'));
  t.is(status, 200);
  t.is(contentType, 'text/plain; version=0.0.4; charset=utf-8');
  const lines = body.split('\n');
  t.true(lines.includes('weftfs_iod_read_bytes_total 3'));
  t.true(lines.includes('# TYPE weftfs_iod_read_bytes_total counter'));
  t.true(lines.includes('weftfs_state{state="a \\"b\\"\\\\c\\nd"} 3'));
});

test('each bucket counts those below it too, and nothing is kept from the scrape before', async (t) => {
  const { buckets } = metricTable.weftfs_mgr_commit_changes;
  const histogram = new Histogram(buckets);
  const linesNow = async (): Promise<string[]> => {
    const readings = { ...someReadings('mgr'), weftfs_mgr_commit_changes: histogram };
    const { body } = await expose(readings);
    return body.split('\n').filter((line) => line.startsWith('weftfs_mgr_commit_changes'));
  };
  for (const value of [1, 2, 3, 5000]) histogram.observe(value);
  t.deepEqual(await linesNow(), [
    ...[1, 3, 3, 3, 3, 3, 3].map(
      (count, i) => `weftfs_mgr_commit_changes_bucket{le="${buckets[i]}"} ${count}`,
    ),
    'weftfs_mgr_commit_changes_bucket{le="+Inf"} 4',
    'weftfs_mgr_commit_changes_sum 5006',
    'weftfs_mgr_commit_changes_count 4',
  ]);
  histogram.observe(1);
  t.true((await linesNow()).includes('weftfs_mgr_commit_changes_count 5'));
});

test('the process tells of itself: memory, time of the processor, lag of the event loop', async (t) => {
  const { body } = await expose(someReadings('iod'));
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.regex(body, new RegExp(`^${name} [0-9.e-]+$`, 'm'), name);
  }
});

for (const role of ['mgr', 'iod'] as const) {
  promtoolTest(`promtool has nothing to say against the metrics of a ${role}`, async (t) => {
    const { body } = await expose(someReadings(role));
    t.deepEqual(await promtool(['check', 'metrics'], body), { code: 0, words: '' });
  });
}
