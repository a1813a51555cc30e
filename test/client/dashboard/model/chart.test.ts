import test from 'ava';
import { niceTop, pathOf } from '../../../../client/dashboard/model/chart.ts';

test('the upper edge is the next round number', (t) => {
  for (const [values, top] of [
    [[], 1],
    [[0, undefined], 1],
    [[0.3], 0.5],
    [[1], 1],
    [[1.1], 2],
    [[700, 3], 1000],
    [[5000], 5000],
  ] as const) {
    t.is(niceTop(values), top, values.join());
  }
});

const frame = { width: 100, height: 50, places: 11, top: 10 };

test('the last value is at the right edge, and zero at the lower one', (t) => {
  t.is(pathOf([0, 10, 5], frame), 'M80.0 50.0L90.0 0.0L100.0 25.0');
});

test('a line has a gap where there is no value, and a point alone is a dot', (t) => {
  t.is(pathOf([1, undefined, 2, 2], frame), 'M70.0 45.0h.1M90.0 40.0L100.0 40.0');
  t.is(pathOf([], frame), '');
});
