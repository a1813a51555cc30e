import test from 'ava';
import { drawCharts, type Panel } from '../../../bench/peers/chart.ts';

const panel: Panel = {
  title: 'a < b & c',
  note: 'MB/s',
  bars: [
    { label: 'one', value: 100, range: { min: 50, max: 200 }, tone: 'ours' },
    { label: 'two', value: 25, tone: 'theirs' },
  ],
};

const widthOf = (svg: string, tone: string): number =>
  Number(new RegExp(`<rect class="${tone}"[^>]* width="([\\d.]+)"`).exec(svg)?.[1]);

test('bars are as long as their values, and the longest range just fits', (t) => {
  const svg = drawCharts([panel], 'speed');
  t.is(Math.round((10 * widthOf(svg, 'ours')) / widthOf(svg, 'theirs')), 40);
  const [, from = '', to = ''] =
    /<path class="range" d="M([\d.]+) [\d.]+H([\d.]+)"/.exec(svg) ?? [];
  const start = Number(/<rect class="ours" x="(\d+)"/.exec(svg)?.[1]);
  t.is(Math.round((10 * (Number(to) - start)) / widthOf(svg, 'ours')), 20);
  t.is(Math.round((10 * (Number(from) - start)) / widthOf(svg, 'ours')), 5);
});

test('text cannot break the picture', (t) => {
  const svg = drawCharts([panel], '<script>');
  t.true(svg.includes('a &lt; b &amp; c'));
  t.false(svg.includes('<script>'));
});

test('a bar too short to see still shows', (t) => {
  const bars = [
    { label: 'most', value: 1e6, tone: 'ours' },
    { label: 'least', value: 1, tone: 'theirs' },
  ] as const;
  t.is(widthOf(drawCharts([{ ...panel, bars }], ''), 'theirs'), 1);
});

test('panels lie side by side and below each other inside the picture', (t) => {
  const svg = drawCharts([panel, panel, panel], '');
  const places = [...svg.matchAll(/translate\(([\d.]+) ([\d.]+)\)/g)].map(([, x, y]) => [x, y]);
  const [first = [], second = [], third = []] = places;
  t.is(places.length, 3);
  t.is(first[1], second[1]);
  t.is(first[0], third[0]);
  t.true(Number(first[0]) < Number(second[0]) && Number(first[1]) < Number(third[1]));
  t.true(Number(third[1]) < Number(/viewBox="0 0 \d+ ([\d.]+)"/.exec(svg)?.[1]));
});

test('it is light or dark as its reader likes', (t) => {
  t.regex(drawCharts([panel], ''), /@media \(prefers-color-scheme: dark\)/);
});
