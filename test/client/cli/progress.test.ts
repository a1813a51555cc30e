import test from 'ava';
import { shownWidth } from '../../../client/cli/columns.ts';
import { progressLine } from '../../../client/cli/progress.ts';

const half = {
  bytes: 50 * 2 ** 20,
  files: 3,
  seconds: 2,
  total: { bytes: 100 * 2 ** 20, files: 8 },
};

test('a known whole gives bar, rate and what is left', (t) => {
  const line = progressLine(half, 120);
  t.regex(line, /^█{12}░{12}\s+50%  50M of 100M  26 MB\/s  ETA 2\.0 s  3 of 8 files$/);
});

test('an unknown whole gives figures and no promise', (t) => {
  const line = progressLine({ ...half, total: undefined }, 120);
  t.is(line, '50M  3 files  26 MB/s  counting …');
});

test('a line never runs over, and never says more than all', (t) => {
  for (let width = 1; width < 100; width++) {
    const over = { ...half, bytes: half.bytes * 5 };
    t.true(shownWidth(progressLine(over, width)) <= width, String(width));
  }
  t.regex(progressLine({ ...half, bytes: half.bytes * 5 }, 120), / 100% /);
});

test('nothing at all is done at once', (t) => {
  const nothing = { bytes: 0, files: 0, seconds: 0, total: { bytes: 0, files: 0 } };
  t.regex(progressLine(nothing, 120), /100%  0 of 0  -  ETA -/);
});
