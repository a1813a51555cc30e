/** What is made in a lent directory, and when the mgr hears of it. */
import test from 'ava';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import { openFlags } from '../../shared/wire/mgr-ops.ts';
import {
  directoryAttr,
  firstHandle,
  LendingMgr,
  lentHandle,
  linesOf,
  made,
  placeOf,
  room,
  type Settlements,
  user,
} from './lending-mgr.ts';
import { isOver, soon } from './passing-time.ts';

const later = { seconds: 5001, nanoseconds: 1_500_000 };

test('what is made is there at once, with what it gets from its maker and its directory', async (t) => {
  const mgr = await LendingMgr.with();
  const { cache, names, files, time } = mgr;
  time.pass(2.5);
  const sub = mgr.make('sub', { mode: 0o1750 });
  const owner = { uid: user.uid, gid: user.gid };
  const times = { accessed: later, modified: later, changed: later, born: later };
  const expected = { handle: firstHandle, kind: 'directory', mode: 0o1750, links: 2 } as const;
  t.like(sub, { ...expected, ...owner, ...times, size: 0 });
  t.is(cache.find(lentHandle, byteString('sub')), firstHandle);
  t.is(cache.find(firstHandle, byteString('x')), null, 'all of it is known');
  t.deepEqual(names.attr(firstHandle), sub);
  const of = { modified: later, changed: later, accessed: made };
  t.like(names.attr(lentHandle), { links: 3, ...of });
  t.is(cache.attr(lentHandle), names.attr(lentHandle), 'the kernel may keep it');
  const target = byteString('../there');
  const link = mgr.make('link', { kind: 'symlink', mode: 0o777, target });
  t.like(link, { kind: 'symlink', mode: 0o777, size: target.length, links: 1, ...owner });
  const file = mgr.open('file');
  t.like(names.attr(file.handle), { kind: 'file', mode: 0o644, size: 0, links: 1, ...owner });
  t.deepEqual(files.attr(file.handle), names.attr(file.handle));
  t.is(names.attr(lentHandle)?.links, 3, 'of directories alone');
  t.deepEqual(mgr.told, []);
});

test('a set-gid directory hands its group on, and directories that they are so', async (t) => {
  const mgr = await LendingMgr.with({ mode: 0o2775, gid: 9 });
  const sub = mgr.make('sub');
  t.like(sub, { gid: 9, mode: 0o2755, uid: user.uid });
  const within = { at: placeOf('in', sub?.handle) };
  t.like(mgr.make('in', within), { gid: 9, mode: 0o2755 });
  t.like(mgr.names.attr(mgr.open('foreign', { mode: 0o2755 }).handle), { gid: 9, mode: 0o755 });
  const insider = { ...user, groups: [9] };
  const member = mgr.open('member', { mode: 0o2755, maker: insider });
  t.like(mgr.names.attr(member.handle), { gid: 9, mode: 0o2755 });
});

test('all is told in one message, a moment later, as it is then', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.write('a', 'abc');
  await mgr.pass(limits.lentMs - 1);
  mgr.make('sub');
  const link = mgr.make('link', { kind: 'symlink', target: byteString('there') });
  t.deepEqual(mgr.told, []);
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a sub link`]);
  const [{ made: all, ...directory }] = mgr.told as [Settlements];
  t.like(directory, {
    mode: 0o755,
    uid: 0,
    gid: 0,
    modified: link?.modified,
    changed: link?.changed,
  });
  t.is(Buffer.from(directory.contents ?? []).toString(), 'abcthere');
  t.deepEqual(
    all.map(({ length }) => length),
    [3, 0, 5],
  );
  const [file, sub] = all;
  t.like(file, { kind: 'file', mode: 0o644, uid: user.uid, gid: user.gid, born: made });
  t.like(sub, { kind: 'directory', mode: 0o755, handle: firstHandle + 1 });
  t.truthy(mgr.names.attr(firstHandle), 'it is on its way');
  await mgr.answer();
  t.is(mgr.names.attr(firstHandle), undefined, 'the mgr knows');
  t.like(mgr.cache.attr(firstHandle), { size: 3, right: true });
  t.truthy(mgr.names.attr((firstHandle + 1) as Handle), 'that is lent too');
  await mgr.pass(limits.lentMs);
  t.deepEqual(mgr.told, [], 'nothing is told twice');
});

test('to which there is no right, nothing is kept of', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.write('a', 'abc');
  await mgr.pass(limits.lentMs);
  await mgr.answer({ rights: Uint8Array.of(0) });
  t.is(mgr.cache.attr(firstHandle), undefined);
  t.is(mgr.cache.find(lentHandle, byteString('a')), firstHandle, 'but its name');
});

test('a file that stays open is made with its handle, and then told what is in it', async (t) => {
  const mgr = await LendingMgr.with();
  const file = mgr.open('open', { mode: 0o600 });
  mgr.files.write(file.handle, Buffer.from('abc'), 0);
  await mgr.pass(limits.lentMs / 2);
  const young = mgr.open('young');
  await mgr.pass(limits.lentMs / 2);
  const [opening] = mgr.opening;
  t.like(opening, { at: placeOf('open'), mode: 0o600, handle: file.handle });
  const { create, exclusive, lend, write } = openFlags;
  t.is(opening?.flags, create | exclusive | lend | write);
  t.deepEqual(mgr.told, []);
  t.is(file.grant, undefined);
  t.is(mgr.names.close(file.file), undefined, 'it closes what the mgr has opened');
  await mgr.answer();
  t.truthy(file.grant);
  t.like(file.settled, [{ made: { seconds: 6000, nanoseconds: 0 }, mode: 0o600 }]);
  t.is(file.settled[0] && Buffer.from(file.settled[0].bytes).toString(), 'abc');
  await file.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: `], 'the directory has changed');
  await mgr.answer();
  t.is(young.grant, undefined);
  await mgr.pass(limits.lentMs / 2);
  t.like(mgr.opening, [{ handle: young.handle }]);
});

test('of a file, who closes it waits until the mgr knows of it', async (t) => {
  const mgr = await LendingMgr.with();
  const file = mgr.open('a');
  t.is(mgr.names.close(new LendingMgr() as never), undefined, 'another file');
  const closing = mgr.names.close(file.file) ?? Promise.resolve();
  t.truthy(file.closed);
  t.false(await isOver(closing));
  await mgr.pass(limits.lentMs);
  t.deepEqual(mgr.opening, []);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a`]);
  t.false(await isOver(closing));
  await mgr.answer();
  t.true(await isOver(closing));
});

test('who wants to know that it is durable waits for all that its directory has, once', async (t) => {
  const mgr = await LendingMgr.with();
  const file = mgr.open('open');
  mgr.write('closed', 'abc');
  const settled = mgr.names.settle(file.handle) ?? Promise.resolve();
  await soon();
  t.like(mgr.opening, [{ handle: file.handle }]);
  await mgr.answer();
  await file.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: closed`]);
  t.false(await isOver(settled));
  await mgr.answer();
  t.true(await isOver(settled));
  t.is(mgr.names.settle(file.handle), undefined);
  t.is(mgr.names.settle(lentHandle), undefined);
  t.is(mgr.names.settle(8 as Handle), undefined);
});

test('what was done after it was told is told again before it is said to be durable', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.make('a');
  const first = mgr.names.settle(lentHandle) ?? Promise.resolve();
  await soon();
  mgr.make('b');
  const second = mgr.names.settle(lentHandle) ?? Promise.resolve();
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a`]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: b`]);
  t.false(await isOver(second));
  await mgr.answer();
  t.true(await isOver(Promise.all([first, second])));
});

test('who waits for all of it has it told, whatever else is told in the same turn', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.make('a');
  await mgr.pass(limits.lentMs);
  const file = mgr.open('young');
  const settled = mgr.names.settle(file.handle) ?? Promise.resolve();
  for (let i = 0; i < limits.namesPerSettle; i++) mgr.make(`${i}`);
  await mgr.answerAll();
  t.truthy(file.grant, 'it is younger than what is told by itself');
  await file.answer();
  await mgr.answerAll();
  t.true(await isOver(settled));
});

test('many names are told in several messages, without waiting for time to pass', async (t) => {
  const mgr = await LendingMgr.with();
  const { namesPerSettle } = limits;
  for (let i = 0; i < namesPerSettle - 1; i++) mgr.make(`${i}`);
  await soon();
  t.deepEqual(mgr.told, []);
  for (let i = 0; i < 3; i++) mgr.make(`more ${i}`);
  await soon();
  t.deepEqual(
    mgr.told.map((one) => one.made.length),
    [namesPerSettle],
  );
  await mgr.answer();
  t.deepEqual(
    mgr.told.map((one) => one.made.length),
    [2],
  );
});

test('no message has more bytes than it may', async (t) => {
  const mgr = new LendingMgr();
  mgr.lend(directoryAttr(lentHandle), limits.smallFileBytesMax);
  await soon();
  const bytes = limits.smallFileBytesMax;
  const count = Math.ceil(limits.settleBytesMax / bytes) + 2;
  for (let i = 0; i < count; i++) mgr.write(`${i}`, 'x'.repeat(bytes));
  await mgr.pass(limits.lentMs);
  await mgr.answerAll();
  const sums = mgr.everTold.map(({ contents }) => contents.length);
  t.is(sums.length, 2);
  t.is(
    sums.reduce((a, b) => a + b, 0),
    count * bytes,
  );
  for (const sum of sums) t.true(sum <= limits.settleBytesMax);
});

test('the mgr hears of a directory before it hears of what is in it', async (t) => {
  const mgr = await LendingMgr.with();
  const top = mgr.make('top')?.handle;
  const sub = mgr.make('sub', { at: placeOf('sub', top) })?.handle;
  mgr.write('leaf', 'abc', { at: placeOf('leaf', sub) });
  const settled = mgr.names.settle(sub ?? lentHandle) ?? Promise.resolve();
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: top`]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${top}: sub`]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${sub}: leaf`]);
  t.false(await isOver(settled));
  await mgr.answer();
  t.true(await isOver(settled));
  mgr.write('next', '', { at: placeOf('next', sub) });
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${sub}: next`], 'its directories are known');
});

test('what is to be made by the mgr is not made here', async (t) => {
  const mgr = await LendingMgr.with();
  t.is(mgr.make('a', { at: placeOf('a', 8 as Handle) }), undefined, 'it is not lent');
  mgr.make('a');
  t.is(mgr.make('a'), undefined, 'there is one');
  t.is(mgr.tryOpen('a'), undefined);
  t.is(mgr.make('x'.repeat(limits.nameBytesMax + 1)), undefined, 'it says that this is no name');
  t.truthy(mgr.make('x'.repeat(limits.nameBytesMax)));
  mgr.cache.changeUnknown(lentHandle, byteString('b'));
  t.is(mgr.make('b'), undefined, 'nobody knows');
  const without = new LendingMgr();
  without.lend(directoryAttr(lentHandle), 0);
  await soon();
  t.is(without.tryOpen('file'), undefined, 'its bytes are for the iods');
  t.truthy(without.make('directory'));
  const full = await LendingMgr.with({ links: limits.linksMax - 1 });
  t.truthy(full.make('last'));
  t.is(full.make('more'), undefined);
  t.truthy(full.tryOpen('file'));
});

test('without a handle at hand the mgr makes it', async (t) => {
  const mgr = new LendingMgr();
  mgr.blocks = 0;
  mgr.lend(directoryAttr(lentHandle));
  await soon();
  t.is(mgr.make('a'), undefined);
  mgr.blocks = 1;
  await soon();
  t.is(mgr.make('a'), undefined, 'it is asked for more');
  await soon();
  t.truthy(mgr.make('a'));
});

test('a bound holds what the mgr does not know, and who makes more waits for room', async (t) => {
  const mgr = await LendingMgr.with();
  const sub = mgr.make('sub')?.handle;
  for (let i = 1; i < limits.unbornMax; i++) {
    // So that there are handles.
    if (i % 100 === 0) await soon();
    t.is(mgr.names.isFull, undefined);
    const at = placeOf(`${i}`, i % 2 === 0 ? lentHandle : sub);
    t.truthy(mgr.make('', { at, kind: 'symlink', target: byteString('x') }));
  }
  await soon();
  t.is(mgr.make('more'), undefined);
  t.is(mgr.tryOpen('more'), undefined);
  const isFull = mgr.names.isFull ?? Promise.reject(new Error('there is room'));
  t.false(await isOver(isFull));
  await mgr.answerAll();
  t.true(await isOver(isFull));
  t.is(mgr.names.isFull, undefined);
  t.truthy(mgr.make('more'));
});

test('who waits for room hears of it also when all is on its way already', async (t) => {
  const mgr = await LendingMgr.with();
  const directories = Array.from({ length: 16 }, (_, i) => mgr.make(`d${i}`)?.handle);
  await mgr.pass(limits.lentMs);
  await mgr.answerAll();
  for (let i = 0; i < limits.unbornMax; i++) {
    // So that there are handles.
    if (i % 100 === 0) await soon();
    mgr.write('', '', { at: placeOf(`${i}`, directories[i % directories.length]) });
  }
  await mgr.pass(limits.lentMs);
  const isFull = mgr.names.isFull ?? Promise.reject(new Error('there is room'));
  t.false(await isOver(isFull));
  await mgr.answerAll();
  t.true(await isOver(isFull));
});

test('owner, mode and times of a lent directory are changed here, and told', async (t) => {
  const mgr = await LendingMgr.with();
  const { names, cache } = mgr;
  mgr.time.pass(2.5);
  const at = { seconds: 1, nanoseconds: 2 };
  const change = { mode: 0o700, uid: 3, gid: 4, modified: { at, now: false } };
  const changed = { mode: 0o700, uid: 3, gid: 4, modified: at, changed: later, accessed: made };
  const asked = cache.moment();
  t.like(names.change(lentHandle, change), changed);
  cache.learn(asked, directoryAttr(lentHandle));
  t.is(cache.attr(lentHandle), names.attr(lentHandle));
  t.is(names.change(8 as Handle, change), undefined);
  t.true(await isOver(Promise.resolve()));
  t.deepEqual(mgr.told, []);
  await mgr.pass(limits.lentMs);
  t.like(mgr.told, [{ ...changed, directory: lentHandle, made: [], back: false }]);
  mgr.make('a', { at: placeOf('a') });
  t.like(names.attr(lentHandle), { mode: 0o700, uid: 3 });
});

test('of a new symbolic link where it leads and its owner are here, until they are on their way', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  const target = byteString('\u{c3}\u{bc}ber/there');
  const { handle = lentHandle } = mgr.make('link', { kind: 'symlink', mode: 0o777, target }) ?? {};
  t.is(names.target(handle)?.toString('latin1'), target);
  t.is(names.target(lentHandle), undefined);
  t.is(names.target(mgr.write('file', target).handle), undefined);
  t.like(names.change(handle, { uid: 8, gid: 9 }), { uid: 8, gid: 9, mode: 0o777 });
  t.like(names.attr(handle), { uid: 8, gid: 9 });
  void names.settle(handle);
  await soon();
  t.is(names.change(handle, { uid: 1 }), undefined, 'the mgr is told');
  const [told] = mgr.told;
  t.like(told?.made[0], { kind: 'symlink', uid: 8, gid: 9 });
  const { contents = [] } = told ?? {};
  t.is(Buffer.from(contents).toString('latin1').slice(0, target.length), target);
});

test('a file that stays open may have as many bytes as the directory has room for', async (t) => {
  const mgr = await LendingMgr.with();
  const { handle } = mgr.open('file');
  t.true(mgr.files.write(handle, Buffer.alloc(room), 0));
  t.false(mgr.files.write(handle, Buffer.alloc(1), room));
  t.is(mgr.names.change(handle, { mode: 0 }), undefined, 'that is for the file');
});
