import test from 'ava';
import { eventually, processesLike, run } from '../../../bench/peers/commands.ts';

test('a command answers with what it printed, or throws with what it complained of', async (t) => {
  t.is(await run('sh', '-c', 'echo "$0"', 'a word'), 'a word\n');
  await t.throwsAsync(run('sh', '-c', 'echo no such volume >&2; exit 3'), {
    message: /no such volume/,
  });
});

test('who is not installed is told from who fails', async (t) => {
  await t.throwsAsync(run('no-such-program'), { code: 'ENOENT' });
});

test('what is not ready yet is tried again', async (t) => {
  let attempts = 0;
  const found = await eventually(() => {
    if (++attempts < 3) throw new Error('not yet');
    return 'ready';
  });
  t.is(found, 'ready');
  t.is(attempts, 3);
});

test('processes are found by the words that they were started with', (t) => {
  t.true(processesLike(new RegExp(process.argv[1] ?? '')).includes(process.pid));
  t.deepEqual(processesLike(/^no such program /), []);
});
