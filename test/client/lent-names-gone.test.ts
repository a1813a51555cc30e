/** What is taken away in a lent directory, and when the mgr hears of it. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import {
  directoryAttr,
  knownHandle,
  LendingMgr,
  lentHandle,
  linesOf,
  made,
  onItsWay,
  placeOf,
} from './lending-mgr.ts';
import { isOver, soon } from './passing-time.ts';

const later = { seconds: 5001, nanoseconds: 1_500_000 };
const none = Promise.reject(new Error('there is nothing to wait for'));
none.catch(() => undefined);

function found(mgr: LendingMgr, name: string, directory: Handle = lentHandle) {
  return mgr.cache.find(directory, byteString(name));
}

test('of a file that was made and taken away here nothing is ever told, and its close is over', async (t) => {
  const mgr = await LendingMgr.with();
  const { names, files } = mgr;
  const file = mgr.open('a');
  files.write(file.handle, Buffer.from('abc'), 0);
  const closing = names.close(file.file) ?? none;
  t.true(names.remove(placeOf('a')));
  t.true(await isOver(closing));
  t.is(file.lost, undefined);
  t.is(found(mgr, 'a'), null);
  t.deepEqual([names.attr(file.handle), files.attr(file.handle)], [undefined, undefined]);
  t.is(names.inTheWayOf({ handle: file.handle }), undefined);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: `], 'the times of the directory');
  t.deepEqual(mgr.opening, []);
  t.truthy(mgr.make('a'), 'the name is free');
});

test('so is a symbolic link', async (t) => {
  const mgr = await LendingMgr.with();
  const { handle = lentHandle } =
    mgr.make('a', { kind: 'symlink', target: byteString('there') }) ?? {};
  t.true(mgr.names.remove(placeOf('a')));
  t.is(mgr.names.target(handle), undefined);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: `]);
});

test('the name of a file that the mgr knows is gone here at once, and told a moment later', async (t) => {
  const mgr = await LendingMgr.with();
  const { names, cache, time } = mgr;
  mgr.know('a');
  time.pass(2.5);
  t.true(names.remove(placeOf('a')));
  t.is(found(mgr, 'a'), null);
  t.is(cache.attr(knownHandle), undefined, 'who has it open may still want to know');
  t.like(names.attr(lentHandle), { links: 2, modified: later, changed: later, accessed: made });
  t.is(names.remove(placeOf('a')), undefined, 'there is none');
  await mgr.pass(limits.lentMs - 1);
  t.deepEqual(mgr.told, []);
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
  t.like(mgr.told, [{ modified: later, changed: later, back: false }]);
  await mgr.answer();
  await mgr.pass(limits.lentMs);
  t.deepEqual(mgr.told, [], 'nothing is told twice');
});

test('what is made under a name that was taken away is told in the same message', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('a');
  t.true(mgr.names.remove(placeOf('a')));
  const file = mgr.write('a', 'new');
  t.is(found(mgr, 'a'), file.handle);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a a`]);
  await mgr.answer();
  t.is(found(mgr, 'a'), file.handle);
  t.true(mgr.names.remove(placeOf('a')), 'and can be taken away again');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
});

test('a file that is open is made only when what had its name before is told to be gone', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('a');
  t.true(mgr.names.remove(placeOf('a')));
  const file = mgr.open('a');
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
  t.deepEqual(mgr.opening, []);
  await mgr.answer();
  t.like(mgr.opening, [{ at: placeOf('a'), handle: file.handle }]);
});

for (const [what, act, lines] of [
  ['closed', () => true, [`${lentHandle}: a`]],
  ['closed and taken away', (mgr: LendingMgr) => mgr.names.remove(placeOf('a')), []],
  [
    'closed and moved',
    (mgr: LendingMgr) => mgr.names.rename(placeOf('a'), placeOf('b')),
    [`${lentHandle}: b`],
  ],
] as const) {
  test(`a file that is ${what} while that is told is no open file any more`, async (t) => {
    const mgr = await LendingMgr.with();
    mgr.know('a');
    t.true(mgr.names.remove(placeOf('a')));
    const file = mgr.open('a');
    await mgr.pass(limits.lentMs);
    t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
    const closing = mgr.names.close(file.file) ?? none;
    t.not(act(mgr), undefined);
    await mgr.answer();
    t.deepEqual(mgr.opening, []);
    t.deepEqual(
      linesOf(mgr.told).filter((line) => line !== `${lentHandle}: `),
      [...lines],
    );
    await mgr.answerAll();
    t.true(await isOver(closing));
    t.deepEqual([file.lost, file.grant], [undefined, undefined]);
  });
}

test('what is on its way is taken away when the mgr knows it', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.write('a', 'abc');
  await mgr.pass(limits.lentMs);
  const soonOver = onItsWay(mgr.names.remove(placeOf('a')));
  t.truthy(found(mgr, 'a'));
  t.false(await isOver(soonOver));
  await mgr.answer();
  t.true(await isOver(soonOver));
  t.true(mgr.names.remove(placeOf('a')));
  t.is(found(mgr, 'a'), null);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
});

test('what only the mgr can take away it is asked to', async (t) => {
  const mgr = await LendingMgr.with();
  const { names, cache } = mgr;
  mgr.open('open');
  mgr.make('directory');
  mgr.know('twice', { handle: 51 as Handle, links: 2 });
  mgr.know('known directory', { handle: 52 as Handle, kind: 'directory', links: 2 });
  mgr.know('unknown', { handle: 53 as Handle });
  cache.recall(53 as Handle);
  const all = ['open', 'directory', 'twice', 'known directory', 'unknown'];
  for (const name of all) {
    t.is(names.remove(placeOf(name)), undefined, name);
    t.truthy(found(mgr, name), name);
  }
  cache.changeUnknown(lentHandle, byteString('somebody'));
  t.is(names.remove(placeOf('somebody')), undefined, 'nobody knows what it is');
  t.is(names.remove(placeOf('a', 8 as Handle)), undefined, 'it is not lent');
  await mgr.pass(limits.lentMs);
  t.true(mgr.everTold.every(({ removed }) => removed.length === 0));
});

test('more than fit in a message are told in several', async (t) => {
  const mgr = await LendingMgr.with();
  const { namesPerSettle } = limits;
  for (let i = 0; i <= namesPerSettle; i++) mgr.know(`${i}`, { handle: (1000 + i) as Handle });
  for (let i = 0; i < namesPerSettle; i++) t.true(mgr.names.remove(placeOf(`${i}`)));
  const last = placeOf(`${namesPerSettle}`);
  const isTold = onItsWay(mgr.names.remove(last));
  await soon();
  t.deepEqual(
    mgr.told.map(({ removed }) => removed.length),
    [namesPerSettle],
  );
  t.false(await isOver(isTold));
  await mgr.answer();
  t.true(await isOver(isTold));
  t.true(mgr.names.remove(last));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -${namesPerSettle}`]);
});

test('a question that names what has lost its name waits until the mgr knows that', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('a');
  t.true(mgr.names.remove(placeOf('a')));
  const waits = mgr.names.inTheWayOf({ handle: knownHandle }) ?? none;
  t.false(await isOver(waits));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`], 'and the directory stays lent');
  await mgr.answer();
  t.true(await isOver(waits));
  t.is(mgr.names.inTheWayOf({ handle: knownHandle }), undefined);
});

test('a recall is answered when what was taken away is told', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.know('a');
  t.true(mgr.names.remove(placeOf('a')));
  const recalled = mgr.names.recalled([lentHandle]);
  t.is(mgr.names.remove(placeOf('b')), undefined);
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a back`]);
  t.false(await isOver(recalled));
  await mgr.answer();
  t.true(await isOver(recalled));
});

for (const [how, fail] of [
  ['is refused', (mgr: LendingMgr) => mgr.refuseAll(new FsError('EISDIR'))],
  ['comes when the session is lost', (mgr: LendingMgr) => mgr.loseSession()],
] as const) {
  test(`nobody knows what was taken away when the message ${how}`, async (t) => {
    const mgr = await LendingMgr.with();
    const { names, cache } = mgr;
    mgr.know('a');
    mgr.know('b', { handle: 51 as Handle });
    t.true(names.remove(placeOf('a')));
    await mgr.pass(limits.lentMs);
    t.true(names.remove(placeOf('b')));
    const waits = names.inTheWayOf({ handle: knownHandle }) ?? none;
    await fail(mgr);
    t.true(await isOver(waits), 'nobody waits any more');
    t.deepEqual([found(mgr, 'a'), found(mgr, 'b')], [undefined, undefined]);
    t.is(cache.attr(lentHandle), undefined);
    t.true(mgr.revoked.flat().includes(lentHandle), 'the kernel asks');
    for (const handle of [knownHandle, 51 as Handle, lentHandle]) {
      t.is(names.inTheWayOf({ handle }), undefined);
    }
    t.is(names.owed(), undefined);
    await mgr.pass(2 * limits.lentMs);
    t.deepEqual(mgr.told, []);
  });
}

test('of directories the one in which a name was taken away is told alone', async (t) => {
  const mgr = await LendingMgr.with();
  const other = 8 as Handle;
  mgr.lend(directoryAttr(other));
  mgr.know('a', {}, other);
  t.true(mgr.names.remove(placeOf('a', other)));
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${other}: -a`]);
});

test('a file that a program reads without the knowledge of the mgr is gone when the mgr knows who does', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  const { handle } = mgr.know('a');
  const tell: (() => void)[] = [];
  mgr.borne.set(handle, new Promise((resolve) => void tell.push(resolve)));
  const going = onItsWay(names.remove(placeOf('a')));
  t.is(found(mgr, 'a'), handle, 'its name is there yet');
  t.false(await isOver(going));
  mgr.borne.delete(handle);
  tell[0]?.();
  t.true(await isOver(going));
  t.true(names.remove(placeOf('a')));
  t.is(found(mgr, 'a'), null);
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -a`]);
});
