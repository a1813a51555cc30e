/** Writes for the end of a file that is lent to who makes them: he knows where it is. */
import test from 'ava';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { chunk, handle, settle, stage } from './lent-writes-stage.ts';

test('who appends asks the mgr for a place until the file is lent, and not then', async (t) => {
  const { append, asked, arrived, pass, mgr } = stage();
  for (let i = 0; i <= limits.gatheredAfter; i++) await append('-');
  await settle();
  t.deepEqual(asked, [...Array<string>(limits.gatheredAfter + 1).fill('place'), 'borrow']);
  const { end } = mgr;
  t.deepEqual(await append('abc'), { position: end, bytesWritten: 3 });
  t.deepEqual(await append('def'), { position: end + 3, bytesWritten: 3 });
  await pass(limits.gatheredMs);
  t.like(arrived.at(-1), { at: end, text: 'abcdef' });
  t.is(asked.filter((what) => what === 'place').length, limits.gatheredAfter + 1);
});

test('who appends while it is being asked for waits: his question would have it back', async (t) => {
  const { append, asked, mgr } = stage();
  for (let i = 0; i <= limits.gatheredAfter; i++) await append('-');
  t.is(asked.at(-1), 'borrow');
  const { end } = mgr;
  t.is((await append('abc')).position, end);
  t.is(asked.at(-1), 'borrow');
});

test('what others have appended before it was lent is not written over', async (t) => {
  const { append, appendUntilLent, mgr, writes, pass } = stage();
  await appendUntilLent();
  await writes.recalled([handle]);
  mgr.end += 1000;
  await pass(limits.gatheredAgainMs);
  await appendUntilLent();
  t.is((await append('abc')).position, mgr.end);
});

test('what is written at a place of its own moves the end, and what lies before it does not', async (t) => {
  const { append, appendUntilLent, write, mgr } = stage();
  await appendUntilLent();
  const { end } = mgr;
  await write('abcdef', end + 100);
  t.is((await append('x')).position, end + 106);
  await write('abc', 0);
  t.is((await append('x')).position, end + 107);
});

test('who writes at a place of his own before it is lent is not believed to know the end', async (t) => {
  const { append, write, asked, hold, arrived } = stage();
  hold();
  const elsewhere = write('abcdef', 5000);
  for (let i = 0; i <= limits.gatheredAfter; i++) {
    const appending = append('-');
    await settle();
    arrived.at(-1)?.end();
    await appending;
  }
  await settle();
  t.is(asked.at(-1), 'borrow');
  const appending = append('x');
  await settle();
  t.is(asked.at(-1), 'place');
  for (const { end } of arrived) end();
  await Promise.all([elsewhere, appending]);
});

test('when it is asked back, lapses, is written otherwise, or a write has failed, the mgr is asked', async (t) => {
  for (const how of ['asked back', 'lapsed', 'written otherwise', 'failed'] as const) {
    const { append, appendUntilLent, asked, writes, file, lapse, hold, arrived } = stage();
    await appendUntilLent();
    await append('abc');
    t.deepEqual(asked, []);
    if (how === 'asked back') await writes.recalled([handle]);
    else if (how === 'lapsed') lapse();
    else if (how === 'written otherwise')
      await writes.otherwise(handle, {}, async () => t.is(arrived.length, 1));
    else {
      hold();
      const over = writes.over(handle);
      arrived[0]?.end(new FsError('ENOSPC'));
      await over;
      t.throws(() => writes.requireWritten(file), { code: 'ENOSPC' });
    }
    const appending = append('def');
    await settle();
    for (const { end } of arrived) end();
    await appending;
    t.deepEqual(asked, ['place'], how);
  }
});

test('one of more than a piece has its place, and others are given none before it is there', async (t) => {
  const { append, appendUntilLent, asked, writes, hold, arrived, mgr } = stage();
  await appendUntilLent();
  hold();
  const long = append('x'.repeat(chunk + 1));
  await settle();
  let isBack = false;
  const recalled = writes.recalled([handle]).then(() => {
    isBack = true;
  });
  await settle();
  t.false(isBack);
  t.like(arrived, [{ at: mgr.end }]);
  arrived[0]?.end();
  await Promise.all([long, recalled]);
  t.deepEqual(asked, []);
});

test('all of a call has its place before it waits for room', async (t) => {
  const { append, appendUntilLent, writes, hold, arrived, mgr } = stage();
  await appendUntilLent();
  hold();
  const { end } = mgr;
  const length = chunk - 7;
  const all = Array.from({ length: 6 }, () => append('x'.repeat(length)));
  await settle();
  void writes.recalled([handle]);
  await settle();
  const bytes = arrived.reduce((sum, { text }) => sum + text.length, 0);
  t.is(bytes, 6 * length, 'on its way when it was asked for');
  for (const one of arrived) one.end();
  const places = (await Promise.all(all)).map(({ position }) => position);
  t.deepEqual(
    places,
    places.map((_, i) => end + i * length),
  );
});
