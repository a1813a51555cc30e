import * as fc from 'fast-check';
import test from 'ava';
import { FsError } from '../../../shared/errno.ts';
import { Histogram } from '../../../shared/metrics/histogram.ts';
import { RequestMeter } from '../../../shared/metrics/request-meter.ts';
import { metricTable } from '../../../shared/metrics/table.ts';
import { dataOps } from '../../../shared/wire/iod-ops.ts';

test('each value of a histogram is in the first bucket that is not below it', (t) => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const rising = fc
    .uniqueArray(finite, { minLength: 1 })
    .map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(rising, fc.array(finite), (bounds, values) => {
      const histogram = new Histogram(bounds);
      for (const value of values) histogram.observe(value);
      const upTo = (bound: number) => values.filter((value) => value <= bound).length;
      let below = 0;
      for (const [bucket, bound] of bounds.entries()) {
        below += histogram.counts[bucket] ?? 0;
        t.is(below, upTo(bound));
      }
      t.is(below + (histogram.counts[bounds.length] ?? 0), values.length);
    }),
  );
  t.pass();
});

test('requests are counted by message and by what became of them', (t) => {
  let nowMs = 0;
  const meter = new RequestMeter({ now: () => nowMs });
  const take = (ms: number, error?: FsError): void => {
    const begunAt = nowMs;
    nowMs += ms;
    meter.answered(dataOps.read, begunAt, error, 4096);
  };
  take(2);
  take(3);
  take(7, new FsError('EIO'));
  take(1, new FsError('EAGAIN'));
  const durations = meter.durations();
  t.deepEqual(
    durations.map(({ labels, value }) => [labels, value.sum]),
    [
      [{ op: 'read', outcome: 'ok' }, 0.005],
      [{ op: 'read', outcome: 'error' }, 0.007],
      [{ op: 'read', outcome: 'retry' }, 0.001],
    ],
  );
  t.deepEqual(durations[0]?.value.bounds, metricTable.weftfs_request_duration_seconds.buckets);
  t.deepEqual(meter.errors(), [
    { labels: { op: 'read', errno: 'EIO' }, value: 1 },
    { labels: { op: 'read', errno: 'EAGAIN' }, value: 1 },
  ]);
  t.deepEqual(meter.totals(), { answered: 4, answeredInMicroseconds: 13_000 });
});

test('bytes are those that moved: of requests that failed there are none', (t) => {
  const meter = new RequestMeter({ now: () => 0 });
  meter.answered(dataOps.write, 0, undefined, 100);
  meter.answered(dataOps.write, 0, undefined, 20);
  meter.answered(dataOps.write, 0, new FsError('ENOSPC'), 1000);
  t.is(meter.bytesOf(dataOps.write), 120);
  t.is(meter.bytesOf(dataOps.read), 0);
});

test('messages that do not exist are one line, whatever their numbers', (t) => {
  const meter = new RequestMeter({ now: () => 0 });
  for (let i = 0; i < 10; i++) meter.answered(undefined, 0, new FsError('ENOSYS'), 0);
  t.deepEqual(meter.errors(), [{ labels: { op: 'unknown', errno: 'ENOSYS' }, value: 10 }]);
});
