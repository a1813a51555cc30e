/** What is renamed in lent directories before the mgr knows of it. */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import {
  directoryAttr,
  knownHandle,
  LendingMgr,
  lentHandle,
  linesOf,
  onItsWay,
  placeOf,
  room,
} from './lending-mgr.ts';
import { isOver, soon } from './passing-time.ts';

const later = { seconds: 5001, nanoseconds: 1_500_000 };
const other = 8 as Handle;
const none = Promise.reject(new Error('there is nothing to wait for'));
none.catch(() => undefined);

function found(mgr: LendingMgr, name: string, directory: Handle = lentHandle) {
  return mgr.cache.find(directory, byteString(name));
}

/** Two directories are lent. */
async function withTwo(roomInOther = room): Promise<LendingMgr> {
  const mgr = await LendingMgr.with();
  mgr.lend(directoryAttr(other), roomInOther);
  return mgr;
}

test('what is renamed is told by its new name alone', async (t) => {
  const mgr = await LendingMgr.with();
  const { names, time } = mgr;
  const { handle } = mgr.write('a', 'abc');
  time.pass(2.5);
  t.true(names.rename(placeOf('a'), placeOf('b')));
  t.deepEqual([found(mgr, 'a'), found(mgr, 'b')], [null, handle]);
  t.like(mgr.files.attr(handle), { changed: later, size: 3 });
  t.like(names.attr(lentHandle), { modified: later, changed: later });
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: b`]);
  t.like(mgr.told[0]?.made[0], { handle, changed: later });
  t.is(Buffer.from(mgr.told[0]?.contents ?? []).toString(), 'abc');
});

test('a symbolic link is moved too', async (t) => {
  const mgr = await withTwo();
  const target = byteString('there');
  const { handle = 0 } = mgr.make('a', { kind: 'symlink', target }) ?? {};
  mgr.time.pass(2.5);
  t.true(mgr.names.rename(placeOf('a'), placeOf('b', other)));
  t.like(mgr.names.attr(handle as Handle), { changed: later });
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told).toSorted(), [`${lentHandle}: `, `${other}: b`]);
});

test('between two directories both have changed, and the file is told where it is', async (t) => {
  const mgr = await withTwo();
  const { names } = mgr;
  const file = mgr.open('a');
  mgr.time.pass(2.5);
  t.true(names.rename(placeOf('a'), placeOf('b', other)));
  t.deepEqual([found(mgr, 'a'), found(mgr, 'b', other)], [null, file.handle]);
  for (const handle of [lentHandle, other]) t.like(names.attr(handle), { modified: later });
  const settled = names.settle(file.handle) ?? none;
  await soon();
  t.like(mgr.opening, [{ at: placeOf('b', other), handle: file.handle }], 'it is still open');
  await mgr.answer();
  await file.answer();
  await mgr.answerAll();
  t.true(await isOver(settled));
  const recalled = names.recalled([lentHandle]);
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
  await mgr.answer();
  t.true(await isOver(recalled));
});

test('who wants to know that a file is durable waits for it also when it is moved meanwhile', async (t) => {
  const mgr = await withTwo();
  const { names } = mgr;
  mgr.make('directory');
  await mgr.pass(limits.lentMs);
  const { handle } = mgr.write('a', 'abc');
  const settled = names.settle(handle) ?? none;
  const asked = names.inTheWayOf({ handle }) ?? none;
  t.true(names.rename(placeOf('a'), placeOf('b', other)));
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: `]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${other}: b`]);
  t.false(await isOver(Promise.race([settled, asked])));
  await mgr.answerAll();
  t.true(await isOver(Promise.all([settled, asked])));
});

test('a file that is not known yet is replaced without a word', async (t) => {
  const mgr = await LendingMgr.with();
  const old = mgr.open('b');
  const closing = mgr.names.close(old.file) ?? none;
  const { handle } = mgr.write('a', 'new');
  t.true(mgr.names.rename(placeOf('a'), placeOf('b')));
  t.true(await isOver(closing));
  t.is(mgr.files.attr(old.handle), undefined);
  t.is(found(mgr, 'b'), handle);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: b`]);
  t.like(mgr.told[0]?.made, [{ handle }]);
});

test('one that the mgr knows is replaced in one message', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('b');
  const { handle } = mgr.write('a', 'new');
  t.true(mgr.names.rename(placeOf('a'), placeOf('b')));
  t.is(found(mgr, 'b'), handle);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -b b`]);
});

test('also when more was made than fits in that message', async (t) => {
  const mgr = await LendingMgr.with();
  const { namesPerSettle } = limits;
  mgr.know('b');
  mgr.make('first');
  await mgr.pass(limits.lentMs);
  for (let i = 0; i < namesPerSettle; i++) mgr.make(`${i}`);
  const { handle } = mgr.write('a', 'new');
  t.true(mgr.names.rename(placeOf('a'), placeOf('b')));
  t.is(mgr.names.remove(placeOf('there is none')), undefined);
  await mgr.answer();
  await mgr.answerAll();
  const replacing = mgr.everTold.filter(({ removed }) => removed.length > 0);
  t.is(replacing.length, 1);
  t.true(
    replacing[0]?.made.some((one) => one.handle === handle),
    'nobody ever finds neither',
  );
});

test('an open file replaces what the mgr knows only there', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('b');
  mgr.open('a');
  t.is(mgr.names.rename(placeOf('a'), placeOf('b')), undefined);
  mgr.write('c', 'abc');
  t.true(mgr.names.rename(placeOf('c'), placeOf('b')));
  t.is(mgr.names.rename(placeOf('a'), placeOf('b')), undefined, 'it is still there');
  mgr.write('d', 'abc');
  t.true(mgr.names.rename(placeOf('a'), placeOf('d')), 'of which it knows nothing');
});

test('what only the mgr can rename it is asked to', async (t) => {
  const mgr = await withTwo();
  const { names, cache } = mgr;
  mgr.write('a', 'abc');
  mgr.open('open');
  mgr.make('directory');
  mgr.know('known');
  mgr.know('twice', { handle: 51 as Handle, links: 2 });
  const to = placeOf('to');
  for (const name of ['directory', 'known', 'twice', 'none']) {
    t.is(names.rename(placeOf(name), to), undefined, name);
  }
  for (const name of ['a', 'open', 'directory', 'twice']) {
    t.is(names.rename(placeOf('a'), placeOf(name)), undefined, `over ${name}`);
  }
  t.is(names.rename(placeOf('a'), placeOf('a', 9 as Handle)), undefined, 'it is not lent');
  t.is(names.rename(placeOf('a', 9 as Handle), to), undefined);
  const long = 'x'.repeat(limits.nameBytesMax);
  t.is(names.rename(placeOf('a'), placeOf(`${long}x`)), undefined, 'it says that this is no name');
  cache.changeUnknown(lentHandle, byteString('somebody'));
  t.is(names.rename(placeOf('a'), placeOf('somebody')), undefined, 'nobody knows what it is');
  t.truthy(found(mgr, 'a'));
  t.true(names.rename(placeOf('a'), placeOf(long, other)));
});

test('no file is moved to where another number of bytes fits', async (t) => {
  for (const roomInOther of [0, room - 1, room + 1]) {
    const mgr = await withTwo(roomInOther);
    mgr.write('a', 'x'.repeat(room));
    t.is(mgr.names.rename(placeOf('a'), placeOf('a', other)), undefined);
    t.true(mgr.names.rename(placeOf('a'), placeOf('b')));
  }
});

test('what is on its way is renamed by the mgr when it knows it', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.write('a', 'abc');
  mgr.write('b', 'abc');
  await mgr.pass(limits.lentMs);
  mgr.write('c', 'abc');
  const both = Promise.all([
    onItsWay(mgr.names.rename(placeOf('a'), placeOf('d'))),
    onItsWay(mgr.names.rename(placeOf('c'), placeOf('b'))),
  ]);
  t.false(await isOver(both));
  await mgr.answer();
  t.true(await isOver(both));
  await mgr.answerAll();
  t.is(mgr.names.rename(placeOf('a'), placeOf('d')), undefined);
  mgr.write('e', 'abc');
  t.true(mgr.names.rename(placeOf('e'), placeOf('b')), 'over what is known now');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -b b`]);
});

test('what is moved away may be followed by another of its name, and is lost where it is', async (t) => {
  const mgr = await withTwo();
  const moved = mgr.write('a', 'abc');
  t.true(mgr.names.rename(placeOf('a'), placeOf('a', other)));
  const next = mgr.write('a', 'abc');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told).toSorted(), [`${lentHandle}: a`, `${other}: a`]);
  await mgr.loseSession();
  for (const file of [moved, next]) t.is(file.lost?.weftCode, 'WEFT_E_DATA_LOST');
  t.is(found(mgr, 'a', other), undefined);
});

test('one that was replaced is in the way of who names it until the mgr knows', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('b');
  mgr.write('a', 'abc');
  t.true(mgr.names.rename(placeOf('a'), placeOf('b')));
  const waits = mgr.names.inTheWayOf({ handle: knownHandle }) ?? none;
  t.false(await isOver(waits));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -b b`]);
  await mgr.answer();
  t.true(await isOver(waits));
});

test('one that a program reads without the knowledge of the mgr is replaced when the mgr knows who does', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  const { handle } = mgr.know('a');
  const fresh = mgr.write('new', 'abc');
  mgr.borne.set(handle, Promise.resolve());
  const going = onItsWay(names.rename(placeOf('new'), placeOf('a')));
  t.is(found(mgr, 'a'), handle);
  t.is(found(mgr, 'new'), fresh.handle, 'all is as it was');
  await going;
  mgr.borne.delete(handle);
  t.true(names.rename(placeOf('new'), placeOf('a')));
  t.is(found(mgr, 'a'), fresh.handle);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a a`]);
});
