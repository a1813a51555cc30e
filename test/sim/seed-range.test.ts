import test from 'ava';
import { seedRange } from './seed-range.ts';

test('seeds are told by their number, from the first on', (t) => {
  t.deepEqual(seedRange('10000'), [1, 10_000]);
  t.deepEqual(seedRange('1'), [1, 1]);
});

test('seeds are told by the first and the last of them', (t) => {
  t.deepEqual(seedRange('201..500'), [201, 500]);
  t.deepEqual(seedRange('7..7'), [7, 7]);
  t.deepEqual(seedRange('0..3'), [0, 3]);
});

test('what tells of no seed is refused', (t) => {
  for (const text of ['', '0', '5..4', '3..', '..3', '1..2..3', '-1', '1e4', 'all']) {
    t.is(seedRange(text), undefined, text);
  }
});
