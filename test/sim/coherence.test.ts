/** Caching under rights: nobody sees what is older than what was finished before he looked. */
import test from 'ava';
import { runCoherence } from './coherence.ts';
import type { FaultKind } from './faults.ts';

const forMs = 10_000;

async function passSeeds(
  t: { fail: (why: string) => boolean; true: (value: boolean, why: string) => boolean },
  [first, last]: readonly [number, number],
  faults: readonly FaultKind[],
): Promise<void> {
  let changes = 0;
  let kernelLooks = 0;
  let pageLooks = 0;
  let keptLooks = 0;
  for (let seed = first; seed <= last; seed++) {
    const verdict = await runCoherence({ seed, forMs, faults });
    changes += verdict.changes;
    kernelLooks += verdict.kernelLooks;
    pageLooks += verdict.pageLooks;
    keptLooks += verdict.keptLooks;
    if (verdict.failure !== undefined) t.fail(`seed ${seed}: ${verdict.failure.message}`);
  }
  t.true(changes > 100, `${changes} changes`);
  t.true(kernelLooks > 1000, `${kernelLooks} looks that asked nobody`);
  t.true(pageLooks > 100, `${pageLooks} reads through the page cache`);
  t.true(keptLooks > 100, `${keptLooks} reads of bytes that a mount had kept`);
}

test('without faults nobody sees what was changed before he looked', async (t) => {
  await passSeeds(t, [1, 2], []);
});

for (const [i, kinds] of (
  [
    ['client'],
    ['mgr'],
    ['net'],
    ['clock'],
    ['client', 'mgr'],
    ['client', 'mgr', 'net', 'clock'],
  ] as const
).entries()) {
  test(`what is cached is never older than a finished change, with faults of ${kinds.join(', ')}`, async (t) => {
    const first = 11 + 10 * i;
    await passSeeds(t, [first, first + 1], kinds);
  });
}

test('a kernel that is not told of a recall is found', async (t) => {
  const { failure } = await runCoherence({ seed: 1, forMs, defect: 'deaf' });
  t.regex(failure?.message ?? '', /in a kernel, which is not of/);
});

test('a kernel that keeps pages when it is told another size or time is found', async (t) => {
  const { failure } = await runCoherence({ seed: 1, forMs, defect: 'clinging' });
  t.regex(failure?.message ?? '', /read by pages, which is not of/);
});

test('a mount that keeps bytes of small files without the right is found', async (t) => {
  const { failure } = await runCoherence({ seed: 2, forMs, defect: 'hoarding' });
  t.regex(failure?.message ?? '', /content .* read.*, which is not of/);
});
