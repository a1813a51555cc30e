import test from 'ava';
import { costsOf } from '../../../bench/modelled/costs.ts';
import { iodCounts, modelledPoints } from '../../../bench/modelled/model.ts';
import { modelledChart, modelledPage } from '../../../bench/modelled/page.ts';
import type { ProfileReport } from '../../../bench/profile/report.ts';
import type { ScalingReport } from '../../../bench/scaling/curves.ts';
import { sample } from '../peers/sample-report.ts';

const common = { schema: 1, isQuick: false, machine: sample.machine } as const;
const nothing = { ours: 0, node: 0, sqlite: 0, checksum: 0, system: 0, gc: 0, libraries: 0 };

function profiled(headline: string, per: 'call' | 'GiB'): ProfileReport['profiled'][number] {
  const processes = (['client', 'mgr', 'iods'] as const).map((role) => {
    return { role, cpu: per === 'GiB' ? 100 : 10, byKind: nothing, longest: [] };
  });
  return { headline, per, perSecond: 1, processes };
}

const profile: ProfileReport = {
  ...common,
  profiled: [
    profiled('stat, 128 at once', 'call'),
    profiled('create, 128 at once', 'call'),
    profiled('4 KiB read, 128 at once', 'call'),
    profiled('read, calls of 1 MiB', 'GiB'),
    profiled('overwrite, calls of 1 MiB', 'GiB'),
  ],
};

const scaling: ScalingReport = {
  ...common,
  points: [
    { curve: 'sessions-stat-cpu', at: 1, value: 20 },
    { curve: 'sessions-stat-cpu', at: 256, value: 60 },
  ],
};

const points = modelledPoints(costsOf(profile, scaling));

test('what a frame costs an end is half of what calls cost more when they share none', (t) => {
  t.true(Math.abs(costsOf(profile, scaling).frame - 20e-6) < 1e-12);
  t.throws(() => costsOf({ ...common, profiled: [] }, scaling).call('stat, 128 at once', 'mgr'), {
    message: /was not profiled/,
  });
});

test('many clients get from the mgr what its processor can do, and no more', (t) => {
  const last = points.findLast(({ curve }) => curve === 'stat');
  t.true(Math.abs((last?.value ?? 0) - 1 / 30e-6) < 1);
  t.like(last?.busiest, { name: 'processor of the mgr' });
});

test('iods that clients keep busy stream as fast as their links, in sum', (t) => {
  const reads = points.filter(({ curve }) => curve === 'read-iods');
  for (const { at, value } of reads) {
    t.true(value <= at * 1.25);
    t.true(value > at * 1.2, `${at} iods: ${value} GB/s`);
  }
  t.deepEqual(
    reads.map(({ at }) => at),
    [...iodCounts],
  );
});

test('page and chart say of each curve what it is, and that it is modelled', (t) => {
  const page = modelledPage(points, 'chart.svg');
  t.true(page.includes('](chart.svg)'));
  t.true(page.includes('| streaming reads, 256 iods, GB/s | clients | 1: '));
  t.true(page.includes('processor of the mgr, 100 % |'));
  t.regex(modelledChart(points), /durable creates of all[^]*modelled/);
});
