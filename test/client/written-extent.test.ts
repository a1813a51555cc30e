import test from 'ava';
import { WrittenExtent } from '../../client/written-extent.ts';
import type { Timestamp } from '../../shared/units.ts';

const now: Timestamp = { seconds: 1, nanoseconds: 0 };

/** Bytes that an iod has taken. */
function write(extent: WrittenExtent, at: number, length: number, isReserved = false): void {
  extent.begin(at, length, isReserved);
  extent.reach(at + length, now);
}

function mayHaveHoles(extent: WrittenExtent): boolean | undefined {
  return extent.all?.mayHaveHoles;
}

test('what is written in order, over bytes, or to a place that the mgr gave leaves no hole', (t) => {
  const extent = new WrittenExtent(100);
  write(extent, 100, 50);
  write(extent, 20, 10);
  write(extent, 500, 10, true);
  t.deepEqual(extent.all, { size: 510, modified: now, mayHaveHoles: false });
});

test('what is written behind the end may leave one', (t) => {
  const extent = new WrittenExtent(100);
  write(extent, 101, 1);
  t.true(mayHaveHoles(extent));
});

test('behind a cut the file ends where it was cut', (t) => {
  const extent = new WrittenExtent(100);
  extent.cut(0);
  write(extent, 50, 10);
  t.true(mayHaveHoles(extent));
});

test('what was written before a cut, and after it from there on, leaves none', (t) => {
  const extent = new WrittenExtent(0);
  write(extent, 0, 100);
  extent.cut(10);
  write(extent, 10, 10);
  t.deepEqual(extent.all, { size: 20, modified: now, mayHaveHoles: false });
});

test('a file that was made longer without bytes is the business of the mgr', (t) => {
  const extent = new WrittenExtent(10);
  extent.cut(100);
  write(extent, 10, 10);
  t.deepEqual(extent.all, { size: 20, modified: now, mayHaveHoles: false });
});

test('a write that failed may have left one', (t) => {
  const extent = new WrittenExtent(0);
  write(extent, 0, 10);
  extent.fail();
  t.true(extent.isUncertain);
  t.true(mayHaveHoles(extent));
});

test('what the mgr could not be told is still to be told', async (t) => {
  const extent = new WrittenExtent(0);
  t.is(extent.untold, undefined);
  write(extent, 0, 10);
  await t.throwsAsync(extent.tell(() => Promise.reject(new Error('away'))));
  t.is(extent.untold?.size, 10);
  await extent.tell(() => Promise.resolve());
  t.is(extent.untold, undefined);
  t.is(extent.all?.size, 10);
});
