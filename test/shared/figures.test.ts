import test from 'ava';
import { counted, humanBytes, humanDuration, humanRate, percent } from '../../shared/figures.ts';

test('sizes are those of ls -h: rounded up, one digit below ten', (t) => {
  const cases: [number, string][] = [
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0K'],
    [1025, '1.1K'],
    [10_239, '10K'],
    [1_048_575, '1.0M'],
    [128 * 2 ** 20, '128M'],
    [Number.MAX_SAFE_INTEGER, '8.0P'],
  ];
  for (const [bytes, text] of cases) t.is(humanBytes(bytes), text);
});

test('durations grow from milliseconds to days', (t) => {
  const cases: [number, string][] = [
    [0.35, '350 ms'],
    [1.24, '1.2 s'],
    [125, '2:05'],
    [10_812, '3:00:12'],
    [372_600, '4d 7h'],
  ];
  for (const [seconds, text] of cases) t.is(humanDuration(seconds), text);
});

test('rates are powers of 1000, and none without time', (t) => {
  t.is(humanRate(2_400_000_000, 1), '2.4 GB/s');
  t.is(humanRate(118_000_000, 1), '118 MB/s');
  t.is(humanRate(5, 0), '-');
});

test('one is one and two are many', (t) => {
  t.deepEqual([counted(1, 'file'), counted(2, 'file')], ['1 file', '2 files']);
  t.deepEqual([percent(1, 3), percent(1, 0)], ['33%', '-']);
});
