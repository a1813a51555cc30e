import test from 'ava';
import * as fc from 'fast-check';
import { median, spreadOf } from '../../../bench/peers/statistics.ts';

test('the median is the one in the middle, of an even number the lower one', (t) => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 3, 2]), 2);
  t.is(median([7]), 7);
  t.is(median([]), NaN);
});

test('the median was measured, and as many runs are above it as below', (t) => {
  const property = fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
    const { median: middle, min, max } = spreadOf(values);
    t.true(values.includes(middle) && min <= middle && middle <= max);
    t.true(values.filter((value) => value < middle).length <= values.length / 2);
    t.true(values.filter((value) => value > middle).length <= values.length / 2);
  });
  fc.assert(property);
});
