import test from 'ava';
import { caught, ending, type Soon, after } from '../../shared/soon.ts';

const failure = new Error('it failed');

function fails(): never {
  throw failure;
}

/** At once, and later: both must look the same to who waits for them. */
const ways: Readonly<Record<string, (run: () => number) => Soon<number>>> = {
  'at once': (run) => run(),
  later: async (run) => Promise.resolve().then(run),
};

for (const [way, soon] of Object.entries(ways)) {
  test(`what comes ${way} is gone on with, caught and ended alike`, async (t) => {
    const next = (value: number): Soon<number> => soon(() => value + 1);
    t.is(
      await after(
        soon(() => 1),
        next,
      ),
      2,
    );
    const otherwise = (error: unknown): number => (error === failure ? -1 : NaN);
    t.is(await caught(() => soon(() => 1), otherwise), 1);
    t.is(await caught(() => soon(fails), otherwise), -1);
    let ends = 0;
    const end = (): void => {
      ends++;
    };
    t.is(await ending(() => soon(() => 1), end), 1);
    t.is(ends, 1);
    await t.throwsAsync(async () => ending(() => soon(fails), end), { is: failure });
    t.is(ends, 2);
  });
}

test('what is there at once is never made a promise', (t) => {
  t.is(
    after(1, (value) => value + 1),
    2,
  );
  t.is(
    caught(() => 1, fails),
    1,
  );
  t.is(
    ending(
      () => 1,
      () => undefined,
    ),
    1,
  );
});
