/** Directories that were there before: lent to whoever changes them alone. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { LendingMgr, linesOf, made, placeOf } from './lending-mgr.ts';
import { isOver, soon } from './passing-time.ts';

const directory = 30 as Handle;

/** A directory of the mgr that is known. */
async function begin(): Promise<LendingMgr> {
  const mgr = new LendingMgr();
  // So that there are handles.
  mgr.names.ask();
  await soon();
  mgr.knowEmpty(directory);
  return mgr;
}

function makes(mgr: LendingMgr, name = 'a'): boolean {
  return mgr.make(name, { at: placeOf(name, directory) }) !== undefined;
}

test('a directory is wanted that is changed for the second time within a moment', async (t) => {
  const mgr = await begin();
  t.false(mgr.names.wants(directory));
  await mgr.pass(limits.lentDirectoryMs - 1);
  t.true(mgr.names.wants(directory));
  await mgr.pass(limits.lentDirectoryMs);
  t.false(mgr.names.wants(directory), 'that was long ago');
  t.false(mgr.names.wants(31 as Handle));
  t.true(mgr.names.wants(directory));
});

test('after something was done in a borrowed one the next is wanted with its first change', async (t) => {
  const mgr = await begin();
  const next = 31 as Handle;
  mgr.knowEmpty(next);
  const borrowed = mgr.names.borrow(directory);
  await mgr.answer();
  await borrowed;
  t.false(mgr.names.wants(next), 'it was of no use yet');
  await mgr.pass(limits.lentDirectoryMs);
  await mgr.answerAll();
  const again = mgr.names.borrow(directory);
  await mgr.answer();
  await again;
  t.true(makes(mgr));
  await mgr.pass(limits.lentStreakMs - 1);
  t.true(mgr.names.wants(next));
  await mgr.pass(limits.lentDirectoryMs);
  t.false(mgr.names.wants(next));
});

test('a directory that was made here says nothing of others', async (t) => {
  const mgr = await LendingMgr.with();
  const next = 31 as Handle;
  mgr.knowEmpty(next);
  mgr.write('a', 'abc');
  t.false(mgr.names.wants(next));
});

test('one is not wanted of which not all names are known, or nothing may be used', async (t) => {
  const mgr = await begin();
  const unknown = 31 as Handle;
  mgr.names.wants(unknown);
  t.false(mgr.names.wants(unknown));
  mgr.names.wants(directory);
  mgr.isValid = false;
  t.false(mgr.names.wants(directory));
  mgr.isValid = true;
  t.true(mgr.names.wants(directory));
  mgr.cache.changeUnknown(directory, placeOf('a').path);
  t.false(mgr.names.wants(directory));
});

test('one is not wanted again while it is being asked for', async (t) => {
  const mgr = await begin();
  mgr.names.wants(directory);
  t.true(mgr.names.wants(directory));
  const borrowed = mgr.names.borrow(directory);
  t.false(mgr.names.wants(directory), 'the mgr would ask us for it');
  await mgr.answer({ lent: false });
  await borrowed;
  t.true(mgr.names.wants(directory));
  const failing = t.throwsAsync(mgr.names.borrow(directory), { code: 'ETIMEDOUT' });
  await mgr.refuse(new FsError('ETIMEDOUT'));
  await failing;
  t.true(mgr.names.wants(directory));
});

test('what is made in a borrowed directory is made here, at times by the clock of the mgr', async (t) => {
  const mgr = await begin();
  const borrowed = mgr.names.borrow(directory);
  t.deepEqual(mgr.borrowing, [{ handle: directory }]);
  t.false(makes(mgr));
  const now = { seconds: 7000, nanoseconds: 0 };
  await mgr.answer({ now });
  await borrowed;
  mgr.time.pass(500);
  const later = { seconds: 7000, nanoseconds: 500_000_000 };
  const file = mgr.write('a', 'abc', { at: placeOf('a', directory) });
  t.like(mgr.files.attr(file.handle), { born: later, changed: later });
  t.like(mgr.names.attr(directory), { modified: later, accessed: made, born: made });
  mgr.know('b', {}, directory);
  t.true(mgr.names.remove(placeOf('b', directory)));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${directory}: -b a`]);
});

test("one that is not lent is the mgr's as before", async (t) => {
  const mgr = await begin();
  const borrowed = mgr.names.borrow(directory);
  await mgr.answer({ lent: false });
  await borrowed;
  t.false(makes(mgr));
  t.is(mgr.names.attr(directory), undefined);
  t.is(mgr.names.inTheWayOf({ handle: directory }), undefined);
});

test('one that was asked back before the answer has come is not taken', async (t) => {
  for (const recall of [[directory], 'all'] as const) {
    const mgr = await begin();
    const borrowed = mgr.names.borrow(directory);
    await Promise.all([mgr.files.recalled(recall), mgr.names.recalled(recall)]);
    await mgr.answer();
    await borrowed;
    t.false(makes(mgr));
    t.deepEqual(mgr.told, []);
  }
  const mgr = await begin();
  const borrowed = mgr.names.borrow(directory);
  await mgr.files.recalled([31 as Handle]);
  await mgr.answer();
  await borrowed;
  t.true(makes(mgr), 'another was asked back');
});

test('one of which not all is known when the answer comes goes back at once', async (t) => {
  const losses: ((mgr: LendingMgr) => void)[] = [
    ({ cache }) => cache.changeUnknown(directory, placeOf('b').path),
    ({ cache }) => cache.recall(directory),
    (mgr) => (mgr.isValid = false),
  ];
  for (const lose of losses) {
    const mgr = await begin();
    const borrowed = mgr.names.borrow(directory);
    lose(mgr);
    await mgr.answer();
    await borrowed;
    t.false(makes(mgr));
    t.deepEqual(linesOf(mgr.told), [`${directory}:  back`]);
    const waits = mgr.names.inTheWayOf({ handle: directory }) ?? Promise.resolve();
    t.false(await isOver(waits));
    await mgr.answer();
    t.true(await isOver(waits));
  }
});

test('one that is lent is not taken anew', async (t) => {
  const mgr = await begin();
  const first = mgr.names.borrow(directory);
  const second = mgr.names.borrow(directory);
  await mgr.answer();
  await Promise.all([first, second]);
  t.true(makes(mgr));
  t.like(mgr.names.attr(directory), { links: 3 });
  const recalled = mgr.names.recalled([directory]);
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${directory}: a back`]);
  await mgr.answer();
  t.true(await isOver(recalled));
});

test('one in which nothing more is done goes back', async (t) => {
  const mgr = await begin();
  const borrowed = mgr.names.borrow(directory);
  await mgr.answer();
  await borrowed;
  await mgr.pass(limits.lentDirectoryMs);
  t.deepEqual(linesOf(mgr.told), [`${directory}:  back`]);
});
