/** Lent files: nobody sees one without what its maker has done to it (decision 20). */
import test from 'ava';
import type { FaultKind } from './faults.ts';
import { runNewFiles } from './new-files.ts';

const forMs = 4_000;

async function passSeeds(
  t: { fail: (why: string) => boolean; true: (value: boolean, why: string) => boolean },
  [first, last]: readonly [number, number],
  faults: readonly FaultKind[],
): Promise<void> {
  let lentChanges = 0;
  let earlyLooks = 0;
  let looksAtGone = 0;
  let directoriesGone = 0;
  for (let seed = first; seed <= last; seed++) {
    const verdict = await runNewFiles({ seed, forMs, faults });
    lentChanges += verdict.lentChanges;
    earlyLooks += verdict.earlyLooks;
    looksAtGone += verdict.looksAtGone;
    directoriesGone += verdict.directoriesGone;
    if (verdict.failure !== undefined) t.fail(`seed ${seed}: ${verdict.failure.message}`);
  }
  t.true(lentChanges > 20, `${lentChanges} changes of lent files`);
  // Where somebody is cut off, few are left to look.
  if (faults.length === 0)
    t.true(looksAtGone > 0, `${looksAtGone} looks at removed files of which the mgr had not heard`);
  t.true(directoriesGone > 0, `${directoriesGone} lent directories that went`);
  t.true(earlyLooks > 20, `${earlyLooks} looks at files that others were at work on`);
}

test('without faults a new file shows all that was done to it', async (t) => {
  await passSeeds(t, [1, 2], []);
});

for (const [i, kinds] of (
  [['client'], ['mgr'], ['net'], ['clock'], ['client', 'mgr', 'net', 'clock']] as const
).entries()) {
  test(`nobody sees a new file without what was done to it, with faults of ${kinds.join(', ')}`, async (t) => {
    const first = 11 + 10 * i;
    await passSeeds(t, [first, first + 1], kinds);
  });
}

test('who keeps what he has been asked for is found', async (t) => {
  const { failure } = await runNewFiles({ seed: 1, forMs, defect: 'selfish' });
  t.regex(failure?.message ?? '', /saw size 0, which is not of/);
});
