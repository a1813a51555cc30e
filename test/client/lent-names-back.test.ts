/** How lent directories go back: when somebody asks for them, when they are idle, and when all is lost. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { byteString, type Handle } from '../../shared/units.ts';
import {
  directoryAttr,
  firstHandle,
  LendingMgr,
  lentHandle,
  linesOf,
  placeOf,
} from './lending-mgr.ts';
import { isOver, soon } from './passing-time.ts';

const other = 8 as Handle;
const nothing = Promise.resolve();

function sumOf(errors: readonly { readonly names?: number }[]): number {
  return errors.reduce((sum, { names = 0 }) => sum + names, 0);
}

test('a recall is answered when all of the directory is told, and it is lent no more', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  mgr.lend(directoryAttr(other));
  mgr.write('closed', 'abc');
  const file = mgr.open('open');
  mgr.make('elsewhere', { at: placeOf('elsewhere', other) });
  const recalled = names.recalled([lentHandle, 9 as Handle]);
  t.is(mgr.make('more'), undefined);
  t.is(mgr.tryOpen('more'), undefined);
  t.is(names.change(lentHandle, { mode: 0 }), undefined);
  t.is(names.attr(lentHandle), undefined, 'somebody else may have changed it before we know');
  t.is(names.attr(file.handle), undefined);
  await soon();
  t.like(mgr.opening, [{ handle: file.handle }]);
  await mgr.answer();
  await file.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: closed back`]);
  const again = names.recalled([lentHandle]);
  t.false(await isOver(Promise.race([recalled, again])));
  await mgr.answer();
  t.true(await isOver(Promise.all([recalled, again])));
  t.truthy(names.attr(other), 'of others nothing was said');
  t.true(await isOver(names.recalled([lentHandle])));
});

test('one in which nothing was made is given back all the same', async (t) => {
  const mgr = await LendingMgr.with();
  const recalled = mgr.names.recalled([lentHandle]);
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
  t.false(await isOver(recalled));
  await mgr.answer();
  t.true(await isOver(recalled));
});

test('a recall while something is being told is answered with what is open told too', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.make('a');
  await mgr.pass(limits.lentMs - 1);
  const file = mgr.open('young');
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a`]);
  const recalled = mgr.names.recalled([lentHandle]);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [], 'it cannot go back yet');
  t.like(mgr.opening, [{ handle: file.handle }]);
  await mgr.answer();
  await file.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
  await mgr.answer();
  t.true(await isOver(recalled));
});

test('when the connection is lost all go back with the next one, and are owed until then', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  mgr.lend(directoryAttr(other));
  mgr.write('a', 'abc');
  t.is(names.owed(), undefined);
  t.true(await isOver(names.recalled('all')), 'nobody waits for it');
  t.deepEqual(linesOf(mgr.told).toSorted(), [`${lentHandle}: a back`, `${other}:  back`]);
  const owed = names.owed() ?? nothing;
  t.false(await isOver(owed));
  await mgr.answer();
  t.true(await isOver(owed));
  t.is(names.owed(), undefined);
  t.is(mgr.make('b'), undefined);
});

test('what is made by the time that something is owed is owed too', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.lend(directoryAttr(other));
  mgr.make('a');
  mgr.make('b', { at: placeOf('b', other) });
  void mgr.names.settle(lentHandle);
  const owed = mgr.names.owed() ?? nothing;
  await soon();
  void mgr.names.settle(other);
  await mgr.answer();
  t.deepEqual(linesOf(mgr.told), [`${other}: b`]);
  t.false(await isOver(owed));
  await mgr.answer();
  t.true(await isOver(owed));
});

/** @param meanwhile before the mkdir is answered @returns whether the directory is lent then */
async function takes(meanwhile: (mgr: LendingMgr) => void): Promise<boolean> {
  const mgr = new LendingMgr();
  mgr.lend(directoryAttr(lentHandle), 100, () => {
    meanwhile(mgr);
  });
  mgr.isValid = true;
  await soon();
  return mgr.make('a') !== undefined;
}

test('what was asked back while its mkdir was on its way is not taken', async (t) => {
  t.false(await takes(({ files }) => void files.recalled([other, lentHandle])));
  t.false(await takes(({ files }) => void files.recalled('all')));
  t.false(await takes((mgr) => void (mgr.isValid = false)));
  t.true(await takes(({ files }) => void files.recalled([other])));
});

test('a question waits until the mgr knows what it names, and has what it looks into', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  const asks = (request: object): Promise<boolean> | undefined => {
    const waits = names.inTheWayOf(request);
    return waits && isOver(waits);
  };
  const sub = mgr.make('sub')?.handle ?? lentHandle;
  const { handle: file } = mgr.write('file', 'abc');
  t.is(asks({ at: placeOf('x', other) }), undefined);
  t.is(asks({ handle: other }), undefined);
  t.false(await asks({ handle: file }));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: sub file`]);
  await mgr.answer();
  t.is(asks({ handle: file }), undefined);
  t.truthy(mgr.make('more', { at: placeOf('more', sub) }), 'nobody looks into what names a file');
  t.false(await asks({ from: placeOf('more', sub), to: placeOf('to', other) }));
  t.deepEqual(linesOf(mgr.told), [`${sub}: more back`]);
  t.false(await asks({ handle: sub }));
  await mgr.answer();
  t.is(asks({ at: placeOf('x', sub) }), undefined);
  t.false(await asks({ at: placeOf('', lentHandle) }));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
});

test('who lists a lent directory waits until the mgr knows what is in it, and it stays lent', async (t) => {
  const mgr = await LendingMgr.with();
  const { names } = mgr;
  const listing = (handle: Handle): Promise<boolean> | undefined => {
    const waits = names.inTheWayOf({ at: placeOf('', handle) }, true);
    return waits && isOver(waits);
  };
  t.is(listing(lentHandle), undefined, 'nothing was made in it');
  const sub = mgr.make('sub')?.handle ?? lentHandle;
  t.truthy(mgr.make('deep', { at: placeOf('deep', sub) }));
  t.false(await listing(sub));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: sub`]);
  await mgr.answer();
  t.false(await listing(sub));
  t.deepEqual(linesOf(mgr.told), [`${sub}: deep`]);
  await mgr.answer();
  t.is(listing(sub), undefined);
  t.truthy(mgr.make('more', { at: placeOf('more', sub) }));
  mgr.know('old');
  t.true(names.remove(placeOf('old')));
  t.false(await listing(lentHandle));
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: -old`]);
  await mgr.answer();
  t.is(listing(lentHandle), undefined);
  // What goes back is back before it is listed.
  const back = names.recalled([lentHandle]);
  t.false(await listing(lentHandle));
  await mgr.answer();
  await back;
  t.is(listing(lentHandle), undefined);
});

test('a directory in which nothing was ever made is idle too', async (t) => {
  const mgr = await LendingMgr.with();
  await mgr.pass(limits.lentDirectoryMs - 1);
  t.deepEqual(mgr.told, []);
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
});

test('an idle directory is given back, and one in use is not', async (t) => {
  const mgr = await LendingMgr.with();
  await mgr.pass(limits.lentDirectoryMs / 2);
  mgr.lend(directoryAttr(other));
  mgr.make('a', { at: placeOf('a', other) });
  await mgr.pass(limits.lentMs);
  await mgr.answer();
  await mgr.pass(limits.lentDirectoryMs / 2 - limits.lentMs - 1);
  t.deepEqual(mgr.told, []);
  await mgr.pass(1);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}:  back`]);
  await mgr.answer();
  mgr.make('b', { at: placeOf('b', other) });
  await mgr.pass(limits.lentMs);
  await mgr.answer();
  await mgr.pass(limits.lentDirectoryMs - limits.lentMs - 1);
  t.truthy(mgr.names.attr(other));
  await mgr.pass(1);
  t.is(mgr.names.attr(other), undefined);
  await mgr.answerAll();
  t.is(mgr.time.timerCount, 0, 'nothing is left to be looked at');
});

test('there are so many lent directories; the least used goes back for one more', async (t) => {
  const mgr = await LendingMgr.with();
  for (let i = 1; i < limits.lentDirectoriesMax; i++) {
    mgr.lend(directoryAttr((lentHandle + i) as Handle));
  }
  await soon();
  const oldest = mgr.make('in the oldest');
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${other}:  back`], 'which is used now');
  t.truthy(oldest);
  t.truthy(mgr.make('more'));
  await mgr.pass(limits.lentMs);
  await mgr.answerAll();
  t.truthy(mgr.names.attr(lentHandle));
  t.false(mgr.everTold.some(({ directory, back }) => back && directory === lentHandle));
});

test('a mgr whose disk is full gets all back', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.lend(directoryAttr(other));
  mgr.make('a');
  await mgr.pass(limits.lentMs);
  await mgr.answer({ isFull: true });
  t.is(mgr.make('b'), undefined);
  t.deepEqual(linesOf(mgr.told).toSorted(), [
    `${firstHandle}:  back`,
    `${lentHandle}:  back`,
    `${other}:  back`,
  ]);
});

test('without a right nothing here is used, and what there is goes back', async (t) => {
  const uses: ((mgr: LendingMgr) => unknown)[] = [
    (mgr) => mgr.make('b'),
    (mgr) => mgr.tryOpen('b'),
    (mgr) => mgr.names.change(lentHandle, { mode: 0 }),
  ];
  for (const use of uses) {
    const mgr = await LendingMgr.with();
    mgr.make('a');
    mgr.isValid = false;
    t.is(use(mgr), undefined);
    t.is(mgr.names.attr(lentHandle), undefined);
    mgr.isValid = true;
    t.is(use(mgr), undefined, 'it is on its way back');
    await soon();
    t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a back`]);
  }
  const mgr = await LendingMgr.with();
  const { handle } = mgr.write('a', 'abc');
  mgr.isValid = false;
  t.is(mgr.names.attr(handle), undefined);
  await soon();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: a`], 'whoever asks next may be told');
});

for (const [how, fail] of [
  ['is refused', (mgr: LendingMgr) => mgr.refuseAll(new FsError('EEXIST'))],
  ['comes when the session is lost', (mgr: LendingMgr) => mgr.loseSession()],
] as const) {
  test(`what was made is lost when the message ${how}`, async (t) => {
    const mgr = await LendingMgr.with();
    const { names, cache } = mgr;
    const open = mgr.open('open');
    const closed = mgr.open('closed');
    const closing = names.close(closed.file) ?? Promise.reject(new Error('not here'));
    const sub = mgr.make('sub')?.handle ?? lentHandle;
    const inner = mgr.open('inner', { at: placeOf('inner', sub) });
    mgr.files.write(open.handle, Buffer.from('abc'), 0);
    const waits = [names.settle(inner.handle), names.settle(lentHandle), names.owed()];
    const recalled = names.recalled([lentHandle]);
    await soon();
    await fail(mgr);
    t.true(await isOver(Promise.all([...waits, closing, recalled])), 'nobody waits any more');
    await mgr.answerAll();
    t.is(names.owed(), undefined);
    for (const file of [open, inner, closed]) t.is(file.lost?.weftCode, 'WEFT_E_DATA_LOST');
    for (const { handle } of [open, inner]) t.is(mgr.files.attr(handle), undefined);
    for (const handle of [lentHandle, sub]) t.is(names.attr(handle), undefined);
    for (const name of ['open', 'closed', 'sub']) {
      t.is(cache.find(lentHandle, byteString(name)), undefined, 'nobody knows');
    }
    t.is(cache.find(sub, byteString('inner')), undefined);
    t.is(cache.attr(lentHandle), undefined);
    const gone = new Set(mgr.revoked.flat());
    for (const handle of [lentHandle, sub, open.handle, inner.handle, closed.handle]) {
      t.true(gone.has(handle), `the kernel forgets ${handle}`);
    }
    t.is(sumOf(mgr.errors), 4, 'the log names all');
    t.is(mgr.make('more'), undefined);
    t.is(names.inTheWayOf({ handle: open.handle, at: placeOf('x') }), undefined);
  });
}

test('with a directory is lost all that is in it, of which the mgr is told nothing more', async (t) => {
  const mgr = await LendingMgr.with();
  const { cache } = mgr;
  const sub = mgr.make('sub')?.handle ?? lentHandle;
  const empty = mgr.make('empty')?.handle ?? lentHandle;
  const inner = mgr.write('inner', 'abc', { at: placeOf('inner', sub) });
  await mgr.pass(limits.lentMs);
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: sub empty`]);
  await mgr.refuse(new FsError('EPERM'));
  t.is(inner.lost?.weftCode, 'WEFT_E_DATA_LOST');
  t.deepEqual(mgr.told, []);
  t.is(cache.find(empty, byteString('x')), undefined, 'it is not known to be empty');
  t.is(mgr.make('x', { at: placeOf('x', empty) }), undefined);
});

test('what the mgr knows already is not lost with the session', async (t) => {
  const mgr = await LendingMgr.with();
  const file = mgr.write('a', 'abc');
  await mgr.pass(limits.lentMs);
  await mgr.answer();
  await mgr.loseSession();
  t.is(file.lost, undefined);
  t.deepEqual([mgr.errors, mgr.revoked], [[], []]);
  mgr.lend(directoryAttr(other));
  await soon();
  t.is(mgr.make('b'), undefined, 'what was lent to this one, is not to the next');
  t.truthy(mgr.make('b', { at: placeOf('b', other) }));
});

test('handles that a lost session was given are not used by the next', async (t) => {
  const mgr = await LendingMgr.with();
  const before = mgr.make('a')?.handle ?? 0;
  await mgr.loseSession();
  mgr.lend(directoryAttr(lentHandle));
  await soon();
  const after = mgr.make('b')?.handle ?? 0;
  t.true(after >= before + limits.handlesPerTake - 1);
});

test('a change of a directory that the mgr refuses is not cached', async (t) => {
  const mgr = await LendingMgr.with();
  mgr.names.change(lentHandle, { mode: 0o700 });
  await mgr.pass(limits.lentMs);
  await mgr.refuse(new FsError('EPERM'));
  t.is(mgr.cache.attr(lentHandle), undefined);
  t.deepEqual(mgr.revoked.flat(), [lentHandle]);
});

test('a file that the mgr refuses to open is lost alone', async (t) => {
  const mgr = await LendingMgr.with();
  const closed = mgr.write('closed', 'abc');
  const [one, two] = [mgr.open('one'), mgr.open('two')];
  mgr.files.write(one.handle, Buffer.from('abc'), 0);
  const settled = mgr.names.settle(one.handle) ?? nothing;
  await soon();
  await mgr.refuse(new FsError('EMFILE'), ({ handle }) => handle === one.handle);
  await mgr.answer();
  await two.answer();
  t.deepEqual(linesOf(mgr.told), [`${lentHandle}: closed`]);
  await mgr.answer();
  t.true(await isOver(settled));
  t.is(one.lost?.weftCode, 'WEFT_E_DATA_LOST');
  t.deepEqual([two.lost, closed.lost], [undefined, undefined]);
  t.truthy(two.grant);
  t.is(mgr.files.attr(one.handle), undefined);
  t.is(mgr.cache.find(lentHandle, byteString('one')), undefined, 'nobody knows');
  t.deepEqual(mgr.revoked.flat(), [lentHandle, one.handle]);
  t.like(mgr.errors, [{ directory: lentHandle, names: 1 }]);
});
