import test from 'ava';
import type { File } from '../../client/file.ts';
import { LentFiles } from '../../client/lent-files.ts';
import type { Settlement } from '../../client/small-file.ts';
import { MgrTime } from '../../client/mgr-time.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import { isOver, PassingTime, soon } from './passing-time.ts';

const handle = 7 as Handle;
const room = 100;
/** The clocks of the mgr and of this program have nothing to do with each other. */
const made = { seconds: 5000, nanoseconds: 999_000_000 };
const begunAt = 123.25;

/** A file whose mgr answers when it is told to. */
const ignore = (): void => undefined;

class FakeFile {
  readonly handle: Handle;
  readonly settled: Settlement[] = [];
  readonly closed: (Settlement | undefined)[] = [];
  #answers: ((error?: FsError) => void)[] = [];

  constructor(of: Handle = handle) {
    this.handle = of;
  }

  get file(): File {
    return this as unknown as File;
  }

  settle({ what }: { readonly what: Settlement }): Promise<void> {
    this.settled.push(what);
    return this.#ask();
  }

  close({ settle }: { readonly settle?: { readonly what: Settlement } }): Promise<void> {
    this.closed.push(settle?.what);
    return this.#ask();
  }

  async answer(error?: FsError): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer(error);
    await soon();
  }

  #ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answers.push((error) => (error ? reject(error) : resolve()));
    });
  }
}

function attrOf(of: Handle): Attr {
  const times = { accessed: made, modified: made, changed: made, born: made };
  return { handle: of, kind: 'file', mode: 0o644, uid: 1, gid: 2, size: 0, ...times } as Attr;
}

function stage() {
  const time = new PassingTime(begunAt);
  const state = { isValid: true, closedNow: 0 };
  const errors: object[] = [];
  const born: Handle[] = [];
  const lent = new LentFiles({
    clock: time.clock,
    log: { error: (_: string, fields?: object) => void errors.push(fields ?? {}) },
    isValid: () => state.isValid,
    closeNow: () => void state.closedNow++,
    bear: (one) => Promise.resolve(void born.push(one)),
  });
  const take = (of: Handle = handle): FakeFile => {
    const file = new FakeFile(of);
    const asking = lent.ask();
    lent.take(asking, file.file, attrOf(of), room);
    lent.answered(asking);
    return file;
  };
  const write = (text: string, place: number | 'end' = 'end'): boolean =>
    lent.write(handle, Buffer.from(text), place);
  const text = (): string | undefined => lent.bytes(handle)?.toString('latin1');
  return { time, state, errors, born, lent, take, write, text };
}

const text = (one: Settlement | undefined): string | undefined =>
  one && Buffer.from(one.bytes).toString('latin1');

test('what is written is read: over each other, behind the end, and with zeros between', (t) => {
  const { lent, take, write, text: now } = stage();
  take();
  t.is(now(), '');
  t.true(write('hello', 0));
  t.true(write('J', 0));
  t.true(write('!'));
  t.is(now(), 'Jello!');
  t.true(write('end', 9));
  t.is(now(), 'Jello!\0\0\0end');
  t.true(write('', 50), 'to write nothing is no change of the size');
  t.is(lent.attr(handle)?.size, 12);
  t.true(write('x'.repeat(room - 12)));
  t.is(lent.attr(handle)?.size, room);
  t.is(now()?.slice(0, 14), 'Jello!\0\0\0endxx');
});

test('a hole in what has grown is zeros, however it has grown', (t) => {
  const { take, write, text: now } = stage();
  take();
  let expected = '';
  for (const [content, at] of [
    ['a'.repeat(3), 0],
    ['b'.repeat(4), 4],
    ['c', 30],
    ['d', 20],
    ['e', room - 1],
  ] as const) {
    t.true(write(content, at));
    const end = Math.max(expected.length, at + content.length);
    const before = expected.padEnd(end, '\0');
    expected = before.slice(0, at) + content + before.slice(at + content.length);
    t.is(now(), expected);
  }
});

test('what is too long is not written at all, and what is not here nobody writes', (t) => {
  const { lent, take, write, text: now } = stage();
  t.false(write('a'));
  take();
  write('abc');
  t.false(write('x'.repeat(room), 1));
  t.false(write('x'.repeat(room - 2)));
  t.is(now(), 'abc');
  t.false(lent.write(8 as Handle, Buffer.from('a'), 0));
  t.is(lent.change(8 as Handle, { mode: 0 }), undefined);
  t.is(lent.attr(8 as Handle), undefined);
});

test('what the caller does with its buffer afterwards changes nothing', (t) => {
  const { lent, take, text: now } = stage();
  take();
  const content = Buffer.from('abc');
  lent.write(handle, content, 0);
  content.fill('z');
  t.is(now(), 'abc');
});

test('times are by the clock of the mgr, from when it made the file, and never go back', (t) => {
  const { time, lent, take, write } = stage();
  take();
  time.pass(2.5);
  write('a');
  const written = { seconds: 5001, nanoseconds: 1_500_000 };
  t.like(lent.attr(handle), { modified: written, changed: written, accessed: made });
  const past = { seconds: 1, nanoseconds: 2 };
  const set = lent.change(handle, { modified: { at: past, now: false } });
  t.like(set, { modified: past, changed: written, accessed: made });
  time.now = begunAt - 1000;
  t.deepEqual(lent.change(handle, { mode: 0o600 })?.changed, written);
  write('b');
  t.like(lent.attr(handle), { modified: written, changed: written });
  time.now = begunAt + 3000;
  const later = { seconds: 5003, nanoseconds: 999_000_000 };
  t.like(lent.change(handle, { accessed: { at: past, now: true } }), {
    accessed: later,
    changed: later,
    modified: written,
  });
  const now = lent.change(handle, { modified: { at: past, now: true } });
  t.like(now, { modified: later, accessed: later });
});

test('owner and mode are changed here, and all is told as it is in the end', (t) => {
  const { lent, take, write } = stage();
  const file = take();
  t.false(lent.isChanged(handle));
  write('abc');
  t.true(lent.isChanged(handle));
  t.like(lent.change(handle, { mode: 0o600, uid: 5 }), { mode: 0o600, uid: 5, gid: 2, size: 3 });
  t.like(lent.change(handle, { gid: 6 }), { mode: 0o600, uid: 5, gid: 6 });
  const { accessed, modified, changed } = lent.attr(handle) ?? attrOf(handle);
  void lent.settle(handle);
  const [told, ...more] = file.settled;
  t.is(text(told), 'abc');
  t.like(told, { made, mode: 0o600, uid: 5, gid: 6, accessed, modified, changed });
  t.deepEqual(more, []);
});

test('it is settled once; who asks meanwhile waits for the same, and nothing is done to it here', async (t) => {
  const { lent, take, write } = stage();
  const file = take();
  write('abc');
  const waits = [lent.settle(handle), lent.settle(handle)].map((one) => one ?? Promise.resolve());
  t.is(file.settled.length, 1);
  t.false(write('d'));
  t.is(lent.bytes(handle), undefined);
  t.true(lent.isChanged(handle), 'whoever writes next waits');
  t.false(await isOver(Promise.race(waits)));
  const owed = lent.owed();
  t.truthy(owed);
  await file.answer();
  t.true(await isOver(Promise.all([...waits, owed])));
  t.is(lent.settle(handle), undefined);
  t.is(lent.owed(), undefined);
  t.false(lent.isChanged(handle));
});

test('what was asked back while the open was on its way is not taken', (t) => {
  const { lent, state } = stage();
  const take = (meanwhile: () => void): boolean => {
    const asking = lent.ask();
    meanwhile();
    lent.take(asking, new FakeFile().file, attrOf(handle), room);
    lent.answered(asking);
    state.isValid = true;
    return lent.attr(handle) !== undefined;
  };
  t.false(take(() => void lent.recalled([6 as Handle, handle])));
  t.false(take(() => void lent.recalled('all')));
  t.false(take(() => void (state.isValid = false)));
  t.true(take(() => void lent.recalled([8 as Handle])));
});

test('a recall is answered when all that it names is back, with the closes that wait sent', async (t) => {
  const { lent, take, state } = stage();
  const files = [7, 8, 9].map((one) => take(one as Handle));
  t.true(await isOver(lent.recalled([3 as Handle])));
  t.is(state.closedNow, 0);
  const recalled = lent.recalled([7 as Handle, 8 as Handle, 3 as Handle]);
  t.is(state.closedNow, 1);
  t.deepEqual(
    files.map(({ settled }) => settled.length),
    [1, 1, 0],
  );
  await files[0]?.answer();
  t.false(await isOver(recalled));
  await files[1]?.answer();
  t.true(await isOver(recalled));
});

test('when the connection is lost all is settled, by the next one, which nobody waits for', async (t) => {
  const { lent, take } = stage();
  const files = [7, 8].map((one) => take(one as Handle));
  t.true(await isOver(lent.recalled('all')));
  t.deepEqual(
    files.map(({ settled }) => settled.length),
    [1, 1],
  );
  const owed = lent.owed() ?? Promise.resolve();
  await files[0]?.answer();
  t.false(await isOver(owed));
  await files[1]?.answer();
  t.true(await isOver(owed));
});

test('what is old is settled by itself, and what is young not yet', (t) => {
  const { time, take } = stage();
  const old = take(7 as Handle);
  time.pass(limits.lentMs / 2);
  const young = take(8 as Handle);
  t.is(time.timerCount, 1);
  time.pass(limits.lentMs / 2 - 1);
  t.is(old.settled.length, 0);
  time.pass(1);
  t.deepEqual([old.settled.length, young.settled.length], [1, 0]);
  time.pass(limits.lentMs / 2 - 1);
  t.is(young.settled.length, 0);
  time.pass(1);
  t.is(young.settled.length, 1);
  t.is(time.timerCount, 0);
  const next = take(9 as Handle);
  t.is(time.timerCount, 1);
  time.pass(limits.lentMs);
  t.is(next.settled.length, 1);
});

test('a close tells what was done with it, of its own file alone', async (t) => {
  const { lent, take, write } = stage();
  const file = take();
  write('abc');
  const again = new FakeFile();
  t.is(lent.close(again.file, ignore), undefined, 'another open of it');
  t.deepEqual([again.closed, file.settled], [[], []]);
  t.true(write('d'));
  const closing = lent.close(file.file, ignore) ?? Promise.reject(new Error('not lent'));
  t.is(text(file.closed[0]), 'abcd');
  t.is(lent.attr(handle), undefined);
  t.false(await isOver(Promise.race([closing, lent.settle(handle), lent.owed()])));
  await file.answer();
  t.true(await isOver(closing));
  t.is(lent.owed(), undefined);
  t.deepEqual([file.settled.length, file.closed.length], [0, 1]);
});

test('one that was settled before is for others to close', async (t) => {
  const { lent, take } = stage();
  const file = take();
  void lent.settle(handle);
  t.is(lent.close(file.file, ignore), undefined);
  t.deepEqual([file.settled.length, file.closed], [1, []]);
  await file.answer();
});

test('a loss is told to the log when something was done to the file, and nobody waits for more', async (t) => {
  const { lent, take, errors } = stage();
  const refusal = new FsError('EIO', { id: 'WEFT_E_DATA_LOST' });
  const untouched = take();
  const settled = lent.settle(handle) ?? Promise.resolve();
  await untouched.answer(refusal);
  await t.notThrowsAsync(settled);
  t.deepEqual(errors, []);
  for (const way of ['settle', 'close'] as const) {
    const file = take();
    lent.change(handle, { mode: 0o600 });
    const told =
      way === 'settle'
        ? lent.settle(handle)
        : t.throwsAsync(lent.close(file.file, ignore) ?? Promise.resolve(), { code: 'EIO' });
    await file.answer(refusal);
    await told;
    t.like(errors.pop(), { handle });
    t.is(lent.owed(), undefined);
  }
});

test('a file that the mgr does not know is told of before it is settled, and then settled as made', async (t) => {
  const { time, lent, errors, born } = stage();
  const file = new FakeFile();
  lent.makeUnborn(file.file, attrOf(handle), room, new MgrTime(time.clock, made));
  t.true(lent.isChanged(handle), 'whoever writes elsewhere waits');
  t.is(lent.close(file.file, ignore), undefined, 'its directory tells that');
  const other = new FakeFile(8 as Handle);
  lent.take(lent.ask(), other.file, attrOf(other.handle), room);
  time.pass(2 * limits.lentMs);
  t.is(other.settled.length, 1);
  t.deepEqual([file.settled, born], [[], []]);
  t.true(lent.write(handle, Buffer.from('abc'), 0));
  const settled = lent.settle(handle) ?? Promise.reject(new Error('it is not lent'));
  t.true(await isOver(settled));
  t.deepEqual([file.settled, born], [[], [handle]] as unknown[]);
  const later = { seconds: 7000, nanoseconds: 0 };
  lent.born(handle, later);
  const again = lent.settle(handle) ?? Promise.resolve();
  t.like(file.settled, [{ made: later, mode: 0o644, uid: 1, gid: 2 }]);
  t.is(text(file.settled[0]), 'abc');
  await file.answer(new FsError('EIO'));
  await again;
  t.like(errors, [{ handle }]);
});

test('nothing need be done to one that was born for it to be told, as its owner is its maker', async (t) => {
  const { time, lent, errors } = stage();
  const file = new FakeFile();
  lent.makeUnborn(file.file, attrOf(handle), room, new MgrTime(time.clock, made));
  lent.born(handle, made);
  t.true(lent.isChanged(handle));
  const settled = lent.settle(handle);
  await file.answer(new FsError('EIO'));
  await settled;
  t.like(errors, [{ handle }], 'that is a loss');
});

test('what is told otherwise is taken out with all that it is', (t) => {
  const { time, lent, write } = stage();
  lent.makeUnborn(new FakeFile().file, attrOf(handle), room, new MgrTime(time.clock, made));
  write('abc');
  lent.change(handle, { mode: 0o600 });
  const { attr, bytes } = lent.takeOut(handle) ?? {};
  t.like(attr, { mode: 0o600, size: 3 });
  t.is(bytes?.toString(), 'abc');
  t.is(lent.attr(handle), undefined);
  t.is(lent.takeOut(handle), undefined);
  t.is(lent.settle(handle), undefined);
});

test('without a right nothing here is used, nor kept', (t) => {
  const uses: ((lent: LentFiles) => unknown)[] = [
    (lent) => lent.attr(handle),
    (lent) => lent.bytes(handle),
    (lent) => lent.write(handle, Buffer.from('b'), 0) || undefined,
    (lent) => lent.change(handle, { mode: 0 }),
  ];
  for (const use of uses) {
    const { lent, take, write, state } = stage();
    const file = take();
    write('a');
    state.isValid = false;
    t.is(use(lent), undefined);
    t.deepEqual(file.settled.map(text), ['a']);
    state.isValid = true;
    t.is(use(lent), undefined, 'it is on its way back');
  }
});
