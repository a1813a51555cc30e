import test from 'ava';
import {
  type Counters,
  pointBetween,
  pointsMax,
  together,
  withCounters,
} from '../../../../client/dashboard/model/activity.ts';

const counters = (atMs: number, count: number): Counters => ({
  atMs,
  answered: count,
  answeredInMicroseconds: count * 500,
  readBytes: count * 1000,
  writtenBytes: count * 100,
});

test('a point is what has grown, by the second', (t) => {
  t.deepEqual(pointBetween(counters(1000, 10), counters(3000, 30)), {
    atMs: 3000,
    answersPerSecond: 10,
    meanMs: 0.5,
    readBytesPerSecond: 10_000,
    writtenBytesPerSecond: 1000,
  });
});

test('where nothing was asked there is no mean', (t) => {
  t.is(pointBetween(counters(0, 5), counters(1000, 5)).meanMs, undefined);
});

test('a daemon that has started anew counts from nothing', (t) => {
  t.like(pointBetween(counters(0, 100), counters(1000, 4)), {
    answersPerSecond: 4,
    meanMs: 0.5,
    readBytesPerSecond: 4000,
  });
});

test('the latest points are kept, and no more', (t) => {
  let activity = withCounters(undefined, counters(0, 0));
  t.deepEqual(activity.points, []);
  for (let i = 1; i <= pointsMax + 5; i++) activity = withCounters(activity, counters(i * 1000, i));
  t.is(activity.points.length, pointsMax);
  t.is(activity.points.at(-1)?.atMs, (pointsMax + 5) * 1000);
});

test('daemons that are watched for less long count where they have points', (t) => {
  let long = withCounters(undefined, counters(0, 0));
  for (let i = 1; i <= 3; i++) long = withCounters(long, counters(i * 1000, i));
  const short = withCounters(withCounters(undefined, counters(2000, 0)), counters(3000, 2));
  t.deepEqual(
    together([long, short], ({ answersPerSecond }) => answersPerSecond),
    [1, 1, 3],
  );
  t.deepEqual(
    together([], () => 1),
    [],
  );
});
