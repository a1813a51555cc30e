/** The simulator replays itself, finds what is broken, and finds nothing where nothing is. */
import test from 'ava';
import type { Mutation } from '../../mgr/store/rows.ts';
import type { Sabotage } from './cluster.ts';
import { faultKinds } from './faults.ts';
import { runOnce, type RunOptions } from './run.ts';
import { forgetting, losingWrites, withoutSync } from './sabotage.ts';
import { firstDifference } from './runtime/trace.ts';

test('the same seed gives the same trace, event by event (SCENARIOS 279)', async (t) => {
  const options = { seed: 7, steps: 400, faults: faultKinds, keepTrace: true };
  const [one, other] = [await runOnce(options), await runOnce(options)];
  t.is(firstDifference(one.trace, other.trace), undefined);
  t.is(one.trace.hash, other.trace.hash);
  t.true(one.faults > 0);
});

test('another seed gives another trace', async (t) => {
  const [one, other] = [
    await runOnce({ seed: 1, steps: 20 }),
    await runOnce({ seed: 2, steps: 20 }),
  ];
  t.not(one.trace.hash, other.trace.hash);
});

test('an iod that syncs nothing is found when it loses power', async (t) => {
  await findsIt(t, /I1/, { iodRuntime: withoutSync }, { faults: ['power'] });
});

test('an iod that loses a write is found', async (t) => {
  await findsIt(t, /I1/, { iodRuntime: losingWrites });
});

test('a mgr that forgets a reply does a change twice, and is found', async (t) => {
  const kill = { point: 'mgr.reply.before', restartAfterMs: 100 } as const;
  const kills = [30, 20, 20, 20].map((passing) => ({ ...kill, passing }));
  await findsIt(
    t,
    /I3|I4|EBADF|EEXIST/,
    { mgrStore: forgetting(({ kind }) => kind === 'put-reply') },
    { kills },
  );
});

test('a mgr that forgets what is to be removed leaves objects behind, and is found', async (t) => {
  await findsIt(t, /I6/, { mgrStore: forgetting(isRemoval) });
});

/** Some of the seeds show it. */
async function findsIt(
  t: { readonly regex: (text: string, pattern: RegExp) => boolean; fail: (why: string) => boolean },
  pattern: RegExp,
  sabotage: Sabotage,
  beside: Partial<RunOptions> = {},
): Promise<void> {
  const options = { steps: 200, sabotage, ...beside };
  for (let seed = 1; seed <= 12; seed++) {
    const { failure } = await runOnce({ ...options, seed });
    if (failure === undefined) continue;
    t.regex(failure.message, pattern);
    return;
  }
  t.fail('no seed found it');
}

function isRemoval(mutation: Mutation): boolean {
  return mutation.kind === 'put-pending' && mutation.row.kind === 'remove';
}
