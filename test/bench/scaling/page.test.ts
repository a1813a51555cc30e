import test from 'ava';
import type { ScalingReport } from '../../../bench/scaling/curves.ts';
import { scalingChart, scalingPage } from '../../../bench/scaling/page.ts';
import { sample } from '../peers/sample-report.ts';

const report: ScalingReport = {
  schema: 1,
  isQuick: true,
  machine: sample.machine,
  points: [
    { curve: 'opens-memory', at: 10, value: 50 },
    { curve: 'iods-read', at: 1, value: 1000 },
    { curve: 'opens-memory', at: 20_000, value: 100 },
  ],
};

test('the page has a line for each curve that was measured, from few to many', (t) => {
  const page = scalingPage(report, 'chart.svg');
  t.true(page.startsWith('2 processors, 24 GiB of memory'));
  t.true(page.includes('; small sizes.'));
  t.true(page.includes('](chart.svg)'));
  const lines = page.split('\n').filter((line) => line.startsWith('| '));
  t.deepEqual(lines.slice(2), [
    '| streaming reads, MB/s | iods | 1: 1,000 |',
    '| memory of the mgr, MiB | files open | 10: 50; 20,000: 100 |',
  ]);
});

test('the chart has a bar for each point', (t) => {
  const chart = scalingChart(report);
  t.is(chart.match(/<rect class="ours"/g)?.length, 3);
  t.true(chart.includes('>20,000<'));
  t.true(chart.includes('MiB, by files open'));
});
