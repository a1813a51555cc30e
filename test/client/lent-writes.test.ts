import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { chunk, handle, settle, stage } from './lent-writes-stage.ts';

test('who writes in order is answered at once after some writes, and these go together', async (t) => {
  const { write, warm, arrived, asked, pass } = stage();
  await warm();
  t.deepEqual(asked, ['borrow']);
  t.is(await write('abc'), 3);
  t.is(await write('def'), 3);
  t.deepEqual(arrived, []);
  await pass(limits.gatheredMs);
  t.like(arrived, [{ at: chunk + 5, text: 'abcdef' }]);
});

test('they go in pieces that end where those of the file do', async (t) => {
  const { write, warm, arrived } = stage();
  await warm();
  await write('x'.repeat(chunk));
  await write('y'.repeat(chunk));
  await settle();
  t.deepEqual(
    arrived.map(({ at, text }) => [at, text.length]),
    [
      [chunk + 5, chunk - 5],
      [2 * chunk, chunk],
    ],
  );
});

/** One who may be answered before the rest is done, and whose bytes stay until they are let go. */
function device() {
  const told = { kept: 0, free: 0, answer: (): void => undefined };
  const control = {
    keep: () => {
      told.kept++;
      return () => {
        told.free++;
      };
    },
    afterwards: (run: () => void) => {
      told.answer = run;
    },
  };
  return { told, control };
}

test('a whole chunk goes when it was answered, from where it is, which is free when the iods have it', async (t) => {
  const { write, warm, arrived, hold } = stage();
  const { told, control } = device();
  await warm();
  await write('x'.repeat(chunk - 5), chunk + 5, control);
  t.is(told.kept, 0, 'a part of one is copied');
  told.answer();
  await settle();
  arrived.length = 0;
  hold();
  t.is(await write('y'.repeat(chunk), 2 * chunk, control), chunk);
  t.deepEqual(arrived, []);
  told.answer();
  t.like(arrived, [{ at: 2 * chunk }]);
  t.like(told, { kept: 1, free: 0 });
  arrived[0]?.end();
  await settle();
  t.like(told, { kept: 1, free: 1 });
});

test('who asks for the file before that was answered has it sent, and once', async (t) => {
  const { writes, write, warm, arrived } = stage();
  const { told, control } = device();
  await warm();
  await write('x'.repeat(chunk - 5), chunk + 5, control);
  await writes.recalled([handle]);
  t.is(arrived.length, 1);
  told.answer();
  t.is(arrived.length, 1);
});

test('one that is lost with the session before it was answered is not sent, and its memory is free', async (t) => {
  const { write, warm, arrived, lost } = stage();
  const { told, control } = device();
  await warm();
  await write('x'.repeat(chunk - 5), chunk + 5);
  arrived.length = 0;
  await write('y'.repeat(chunk), 2 * chunk, control);
  lost(new FsError('ESTALE'));
  t.is(told.free, 1);
  told.answer();
  t.deepEqual(arrived, []);
});

test('without room for more it goes before it is answered, and that when there is room', async (t) => {
  const { write, warm, arrived, hold } = stage();
  const { told, control } = device();
  await warm();
  await write('x'.repeat(chunk - 5), chunk + 5);
  await settle();
  arrived.length = 0;
  hold();
  let answered = 0;
  for (let i = 2; i < 8; i++) {
    void write('y'.repeat(chunk), i * chunk, control).then(() => {
      answered++;
      told.answer();
    });
    await settle();
  }
  t.true(answered < 6);
  t.is(arrived.length, 6, 'each is on its way');
  for (const { end } of arrived) end();
  await settle();
  t.is(answered, 6);
  t.is(told.free, 6);
});

test('who writes elsewhere waits until what he has overwritten is there', async (t) => {
  const { write, warm, arrived, hold } = stage();
  await warm();
  hold();
  await write('abcdef');
  const elsewhere = write('X', chunk + 6);
  await settle();
  t.is(arrived.length, 1, 'what was gathered is on its way');
  arrived[0]?.end();
  await settle();
  t.like(arrived[1], { at: chunk + 6, text: 'X' });
  arrived[1]?.end();
  t.is(await elsewhere, 1);
});

test('nothing is kept of a file that is not lent', async (t) => {
  const { write, arrived, asked } = stage([{ lent: false }]);
  const length = limits.gatheredAfterBytes / limits.gatheredAfter;
  for (let i = 0; i < 3 * limits.gatheredAfter; i++) {
    await write('-'.repeat(length));
    await settle();
  }
  t.is(arrived.length, 3 * limits.gatheredAfter);
  t.deepEqual(asked, ['borrow'], 'and it is not asked for again at once');
});

test('what was asked back on its way is not lent', async (t) => {
  const { write, warm, arrived, asking } = stage();
  asking.recalled.add(handle);
  await warm();
  await write('abc');
  t.is(arrived.length, 1);
});

test('while the mgr has not been heard of nothing is gathered', async (t) => {
  const { write, warm, arrived, lapse } = stage();
  await warm();
  lapse();
  await write('abc');
  t.is(arrived.length, 1);
});

test('who asks for the file waits until all of it is at the iods, and what comes then is not kept', async (t) => {
  const { writes, write, warm, arrived, hold } = stage();
  await warm();
  hold();
  await write('abc');
  let isBack = false;
  const back = writes.recalled([handle]).then(() => {
    isBack = true;
  });
  await settle();
  t.like(arrived, [{ text: 'abc' }]);
  t.false(isBack);
  const next = write('def');
  await settle();
  t.like(arrived, [{ text: 'abc' }, { text: 'def' }]);
  arrived[0]?.end();
  await back;
  arrived[1]?.end();
  await next;
});

test('one that is asked back while a write waits for room is written before that is answered', async (t) => {
  const { writes, write, warm, arrived, hold } = stage();
  await warm();
  hold();
  let answered = 0;
  const all = Array.from({ length: 6 }, async () => {
    await write('x'.repeat(chunk));
    answered++;
  });
  await settle();
  const before = answered;
  t.true(before < 6, 'there is no room for all');
  void writes.recalled([handle]);
  for (let i = 0; i < 40; i++) {
    arrived[i]?.end();
    await settle();
  }
  const bytes = arrived.reduce((sum, { text }) => sum + text.length, 0);
  await Promise.all(all);
  t.is(bytes, 6 * chunk);
});

test('a write that fails after it was answered is told once, by the next that can', async (t) => {
  const { writes, file, write, warm, arrived, hold, log } = stage();
  await warm();
  hold();
  await write('abc');
  const over = writes.over(handle);
  arrived[0]?.end(new FsError('ENOSPC'));
  await over;
  await settle();
  t.deepEqual(log, ['a write failed that was answered']);
  t.throws(() => writes.requireWritten(file), { code: 'ENOSPC' });
  t.notThrows(() => writes.requireWritten(file));
  await write('def');
  const again = writes.over(handle);
  arrived[1]?.end(new FsError('EIO'));
  await again;
  await t.throwsAsync(write('ghi'), { code: 'EIO' });
});

test('what is not there yet is owed', async (t) => {
  const { writes, write, warm, arrived, hold } = stage();
  await warm();
  t.is(writes.owed(), undefined);
  hold();
  await write('abc');
  const owed = writes.owed();
  t.not(owed, undefined);
  arrived[0]?.end();
  await owed;
  t.is(writes.owed(), undefined);
});

test('who rests gives the file back, and so does who closes it', async (t) => {
  const { writes, write, warm, arrived, asked, pass } = stage();
  await warm();
  await pass(limits.gatheredIdleMs);
  t.deepEqual(asked, ['borrow', 'look'], 'with that the mgr asks for it');
  await write('abc');
  t.is(arrived.length, 1);
  await pass(limits.gatheredAgainMs);
  await warm();
  await write('abc');
  t.deepEqual(arrived, []);
  await writes.closing(handle);
  t.regex(arrived[0]?.text ?? '', /abc$/);
  writes.closed(handle);
  await write('def');
  t.is(arrived.length, 2);
});

test('what was answered and is lost with the session is told', async (t) => {
  const { writes, file, write, warm, arrived, lost } = stage();
  await warm();
  await write('abc');
  lost(new FsError('ESTALE'));
  t.throws(() => writes.requireWritten(file), { code: 'ESTALE' });
  t.is(writes.owed(), undefined);
  t.deepEqual(arrived, []);
});
