import test from 'ava';
import { compare } from '../../../bench/peers/comparison.ts';
import type { Sizes, System } from '../../../bench/peers/system.ts';
import type { Outcome } from '../../../bench/tasks.ts';

const sizes: Sizes = { rounds: 2, ms: 60_000, streamBytes: 1, randomMs: 1, files: 7 };
const nothing = (): void => undefined;
const forever = { signal: new AbortController().signal, tell: nothing, warm: nothing };
const outcome = { done: 2e6, begun: 0, ended: 1000, cpuUs: 5 };

/** Ten of something. */
function call(seconds: number): () => Promise<Outcome> {
  return async () => ({ done: 10, begun: 0, ended: seconds * 1000, cpuUs: 1 });
}

/** Writes down what is asked of it. */
function fake(name: string, log: string[], fail?: (call: string) => void): System {
  return {
    name,
    version: '1',
    about: '',
    sets: ({ files }) => ({
      stream: {
        works: [
          [
            'write',
            async () => {
              log.push(`${name} writes${files === sizes.files ? '' : ' to warm up'}`);
              fail?.(log.at(-1) ?? '');
              return outcome;
            },
          ],
        ],
        tidy: async () => {
          log.push(`${name} tidies`);
        },
      },
    }),
    processes: undefined,
  };
}

test('all work in turn, warm up first, and who begins changes', async (t) => {
  const log: string[] = [];
  const { runs, rounds } = await compare([fake('a', log), fake('b', log)], sizes, forever);
  t.deepEqual(
    log.filter((line) => !line.endsWith('tidies')),
    ['a writes to warm up', 'b writes to warm up', 'b writes', 'a writes', 'a writes', 'b writes'],
  );
  t.is(rounds, 2);
  t.deepEqual(runs[0], { system: 'b', work: 'write', value: 2, done: 2e6 });
  t.is(runs.length, 4);
});

test('before each writes a new file, memory for it is warmed', async (t) => {
  const log: string[] = [];
  const warm = (bytes: number): void => {
    log.push(bytes === sizes.streamBytes ? 'warm' : 'warm for a quick one');
  };
  await compare([fake('a', log)], { ...sizes, rounds: 1 }, { ...forever, warm });
  const quick = ['warm for a quick one', 'a writes to warm up', 'a tidies'];
  t.deepEqual(log, [...quick, 'warm', 'a writes', 'a tidies']);
});

test('who fails is named and tidies; the others go on, and what it did before counts', async (t) => {
  const log: string[] = [];
  let writes = 0;
  const broken = fake('a', log, () => {
    if (writes++ === 2) throw new Error('broken');
  });
  const { runs, failed } = await compare([broken, fake('b', log)], sizes, forever);
  t.deepEqual(failed, [{ name: 'a', reason: 'failed in its work: Error: broken' }]);
  t.is(log.filter((line) => line === 'a tidies').length, 3);
  t.is(runs.filter(({ system }) => system === 'a').length, 1);
  t.is(runs.filter(({ system }) => system === 'b').length, 2);
});

test('after the first, no round is begun that would not end in the time', async (t) => {
  const { rounds, runs } = await compare([fake('a', [])], { ...sizes, ms: 0 }, forever);
  t.is(rounds, 1);
  t.is(runs.length, 1);
});

test('it ends at the next work when it is cut off', async (t) => {
  const cut = new AbortController();
  const log: string[] = [];
  const systems = [fake('a', log, () => cut.abort(new Error('cut off'))), fake('b', log)];
  await t.throwsAsync(compare(systems, sizes, { ...forever, signal: cut.signal }), {
    message: 'cut off',
  });
  t.deepEqual(log, ['a writes to warm up', 'a tidies']);
});

test('a cycle is counted from what was done to each file', async (t) => {
  const system: System = {
    ...fake('a', []),
    sets: () => ({
      files: {
        works: [
          ['create', call(2)],
          ['stat', call(1)],
          ['list', call(50)],
          ['unlink', call(2)],
        ],
        tidy: async () => undefined,
      },
    }),
  };
  const { runs } = await compare([system], { ...sizes, rounds: 1 }, forever);
  t.is(runs.find(({ work }) => work === 'cycle')?.value, 2);
});
