/** Lent directories that are taken away where they are lent too. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import {
  directoryAttr,
  LendingMgr,
  lentHandle,
  linesOf,
  onItsWay,
  placeOf,
} from './lending-mgr.ts';
import { isOver } from './passing-time.ts';

const sub = 30 as Handle;

/** A directory that the mgr knows, in a lent one, and lent too. */
async function begin(): Promise<LendingMgr> {
  const mgr = await LendingMgr.with({ links: 3 });
  mgr.know('sub', { handle: sub, kind: 'directory', links: 2 });
  mgr.lend(directoryAttr(sub));
  return mgr;
}

function removes(mgr: LendingMgr, name = 'sub') {
  return mgr.names.removeDirectory(placeOf(name));
}

test('one that was made and taken away here the mgr never hears of', async (t) => {
  const mgr = await LendingMgr.with();
  const { handle = sub } = mgr.make('sub') ?? {};
  mgr.write('f', 'abc', { at: placeOf('f', handle) });
  t.is(removes(mgr), undefined, 'there is something in it');
  t.true(mgr.names.remove(placeOf('f', handle)));
  t.true(removes(mgr));
  t.is(mgr.cache.find(lentHandle, byteString('sub')), null);
  t.like(mgr.names.attr(lentHandle), { links: 2 });
  t.is(mgr.names.attr(handle), undefined);
  t.is(mgr.names.inTheWayOf({ handle }), undefined);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: `]);
  await mgr.answerAll();
  await mgr.pass(limits.lentDirectoryMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`], 'it is not given back itself');
  t.is(removes(mgr), undefined, 'there is none');
});

test('one that the mgr knows is gone at once, and told a moment later', async (t) => {
  const mgr = await begin();
  t.true(removes(mgr));
  t.is(mgr.cache.find(lentHandle, byteString('sub')), null);
  t.like(mgr.names.attr(lentHandle), { links: 2 });
  t.is(mgr.make('f', { at: placeOf('f', sub) }), undefined, 'nothing is made in it any more');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub`]);
  await mgr.answer();
  t.is(mgr.names.inTheWayOf({ handle: sub }), undefined);
});

/** One in which a file was taken away, and which then was itself. */
async function emptied(): Promise<LendingMgr> {
  const mgr = await begin();
  mgr.know('old', {}, sub);
  if (removes(mgr) !== undefined) throw new Error('there is something in it');
  for (const gone of [mgr.names.remove(placeOf('old', sub)), removes(mgr)]) {
    if (gone !== true) throw new Error('it is not gone at once');
  }
  return mgr;
}

test('one that was emptied is gone at once, and the mgr knows that it is empty before it hears that', async (t) => {
  const mgr = await emptied();
  t.is(mgr.cache.find(lentHandle, byteString('sub')), null);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${sub}: -old`]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub`]);
  await mgr.answerAll();
  await mgr.pass(limits.lentDirectoryMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
});

test('so it is with those within each other, and when one is on its way', async (t) => {
  const mgr = await begin();
  const inner = 31 as Handle;
  mgr.know('inner', { handle: inner, kind: 'directory', links: 2 }, sub);
  mgr.lend(directoryAttr(inner));
  mgr.know('a', {}, inner);
  mgr.know('b', { handle: 61 as Handle }, inner);
  t.true(mgr.names.remove(placeOf('a', inner)));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${inner}: -a`]);
  t.true(mgr.names.remove(placeOf('b', inner)));
  t.true(mgr.names.removeDirectory(placeOf('inner', sub)));
  t.true(removes(mgr));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${inner}: -a`]);
  for (const next of [`${inner}: -b`, `${sub}: -inner`, `${lentHandle}: -sub`]) {
    await mgr.answer();
    t.deepEqual(linesOf(mgr.told), [next]);
  }
});

test('one that was made here is gone as soon as the mgr knows it, while more is told of where it was', async (t) => {
  const mgr = await LendingMgr.with();
  const { handle = sub } = mgr.make('sub') ?? {};
  mgr.write('f', 'abc', { at: placeOf('f', handle) });
  t.true(mgr.names.remove(placeOf('f', handle)));
  await mgr.pass(limits.lentMs);
  mgr.write('other', 'abc');
  await mgr.answer();
  t.true(removes(mgr));
  const over = mgr.names.owed() ?? Promise.resolve();
  await mgr.answerAll();
  t.true(await isOver(over));
  t.true(linesOf(mgr.everTold).at(-1)?.startsWith(`${lentHandle}: -sub`));
});

test('another of the name of one that was emptied waits with it', async (t) => {
  const mgr = await emptied();
  t.truthy(mgr.make('sub'));
  mgr.write('f', 'abc');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${sub}: -old`]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub sub f`]);
});

test('whoever wants to look into one that was emptied waits until the mgr knows that it is gone', async (t) => {
  const mgr = await emptied();
  const recalled = mgr.names.recalled([sub]);
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${sub}: -old`]);
  await mgr.answer();
  t.false(await isOver(recalled));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub`]);
  await mgr.answer();
  t.true(await isOver(recalled));
});

test('one that the mgr does not know to be empty stays there, and is asked for', async (t) => {
  const mgr = await emptied();
  mgr.write('f', 'abc');
  await mgr.pass(limits.lentMs);
  await mgr.refuse(new FsError('EIO'), ({ directory }) => directory === sub);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: f`]);
  t.is(mgr.cache.find(lentHandle, byteString('sub')), undefined);
  await mgr.answerAll();
  t.is(mgr.names.inTheWayOf({ handle: sub }), undefined);
});

test('of one that was emptied nothing is told in the next session', async (t) => {
  const mgr = await emptied();
  await mgr.loseSession();
  t.is(mgr.cache.find(lentHandle, byteString('sub')), undefined);
  t.is(mgr.cache.find(sub, byteString('old')), undefined);
  await mgr.pass(limits.lentMs);
  t.deepEqual(mgr.told, []);
  t.is(mgr.names.inTheWayOf({ handle: sub }), undefined);
});

test('nor when the session ends while the mgr is being told that it is empty', async (t) => {
  const mgr = await emptied();
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${sub}: -old`]);
  await mgr.loseSession();
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), []);
  t.is(mgr.cache.find(lentHandle, byteString('sub')), undefined);
});

test('one that is on its way is taken away when the mgr knows it', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.make('sub');
  await mgr.pass(limits.lentMs);
  const told = onItsWay(removes(mgr));
  t.false(await isOver(told));
  await mgr.answer();
  t.true(await isOver(told));
  t.true(removes(mgr));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub`]);
});

test('what only the mgr can take away it is asked to', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('known', { handle: 52 as Handle, kind: 'directory', links: 2 });
  mgr.write('file', 'abc');
  for (const name of ['known', 'file', 'nothing']) t.is(removes(mgr, name), undefined, name);
  const other = await begin();
  other.cache.changeUnknown(sub, byteString('somebody'));
  t.is(removes(other), undefined, 'nobody knows what is in it');
  const gone = await begin();
  void gone.names.recalled([lentHandle]);
  t.is(removes(gone), undefined, 'where it is goes back');
  const invalid = await begin();
  invalid.isValid = false;
  t.is(removes(invalid), undefined);
});

test('whoever wants to look into it waits until the mgr knows that it is gone', async (t) => {
  for (const asks of [
    (mgr: LendingMgr) => mgr.names.recalled([sub]),
    (mgr: LendingMgr) => mgr.names.inTheWayOf({ handle: sub }),
  ]) {
    const mgr = await begin();
    t.true(removes(mgr));
    const waits = asks(mgr) ?? Promise.resolve();
    t.false(await isOver(waits));
    t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub`]);
    await mgr.answer();
    t.true(await isOver(waits));
  }
});

test('another of its name is told in the same message', async (t) => {
  const mgr = await begin();
  t.true(removes(mgr));
  t.truthy(mgr.make('sub'));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -sub sub`]);
});

test('what was taken away is asked for again when the message is lost', async (t) => {
  const mgr = await begin();
  t.true(removes(mgr));
  await mgr.pass(limits.lentMs);
  await mgr.loseSession();
  t.is(mgr.cache.find(lentHandle, byteString('sub')), undefined);
  t.is(mgr.names.inTheWayOf({ handle: sub }), undefined);
});
