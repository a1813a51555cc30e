/** A failure that was seen becomes a script from its trace alone, and is seen again. */
import test, { type ExecutionContext } from 'ava';
import { Ring } from '../../shared/trace/ring.ts';
import { scriptOf, type TraceScript } from '../../shared/trace/script.ts';
import type { Sabotage } from './cluster.ts';
import { replay, runOnce, type RunOptions } from './run.ts';
import { losingWrites, withoutSync } from './sabotage.ts';

/** So that no ring wraps. */
const recordsKept = 32_768;

/** The trace of a seed that fails. */
async function failingTrace(
  t: ExecutionContext,
  sabotage: Sabotage,
  beside: Partial<RunOptions> = {},
): Promise<TraceScript> {
  for (let seed = 1; seed <= 12; seed++) {
    const options = { seed, steps: 200, sabotage, recordsKept, ...beside };
    const { failure, images } = await runOnce(options);
    if (failure === undefined) continue;
    const rings = images.map((image) => new Ring(image));
    t.regex(failure.message, /I1/);
    t.true(rings.every(({ missing, first }) => missing === 0 && first === 1));
    // As a file would bring it: nothing but what the trace tells goes over.
    return JSON.parse(JSON.stringify(scriptOf(rings))) as TraceScript;
  }
  throw new Error('no seed fails');
}

async function failsAgain(t: ExecutionContext, script: TraceScript, sabotage: Sabotage) {
  const failures = [];
  for (let seed = 101; seed <= 108; seed++) {
    const { failure } = await replay(script, { seed, sabotage });
    if (failure) failures.push(failure.message);
    const { failure: unfounded } = await replay(script, { seed });
    t.is(unfounded?.message, undefined, 'without the defect the script passes');
    if (failures.length > 0) break;
  }
  t.true(failures.length > 0, 'some seed fails again');
  t.true(failures.every((message) => /I1/.test(message)));
}

test('an iod that loses a write fails again by the script of its trace', async (t) => {
  const sabotage = { iodRuntime: losingWrites };
  const script = await failingTrace(t, sabotage);
  t.true(script.requests.some(({ kind }) => kind === 'write'));
  await failsAgain(t, script, sabotage);
});

test('an iod that syncs nothing fails again: the power losses are in the trace too', async (t) => {
  const sabotage = { iodRuntime: withoutSync };
  const powerLoss = {
    point: 'iod.fsync.after-disk',
    powerLoss: true,
    restartAfterMs: 300,
  } as const;
  const kills = [2, 3, 3, 3].map((passing) => ({ ...powerLoss, passing }));
  const script = await failingTrace(t, sabotage, { kills });
  t.true(script.faults.some(({ kind }) => kind === 'power'));
  t.true(script.requests.some(({ kind }) => kind === 'sync'));
  await failsAgain(t, script, sabotage);
});

test('kills at named steps are in the script, with their steps and how long they lasted', async (t) => {
  const kill = { point: 'iod.fsync.after-disk', passing: 2, restartAfterMs: 400 } as const;
  const { failure, images } = await runOnce({ seed: 3, steps: 600, recordsKept, kills: [kill] });
  t.is(failure, undefined);
  const { faults, clients, iods } = scriptOf(images.map((image) => new Ring(image)));
  t.true(clients >= 3);
  t.is(iods, 3);
  const end = faults.find(({ kind }) => kind === 'kill');
  t.like(end, { kind: 'kill', step: 'iod.fsync.after-disk', who: { role: 'iod' } });
  if (end?.kind === 'cut' || end === undefined) throw new Error('no end');
  t.true(end.downMs >= 400 && end.downMs < 1000, String(end.downMs));
});
