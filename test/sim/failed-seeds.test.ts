import test from 'ava';
import { failedSeeds } from './failed-seeds.ts';
import { runOnce } from './run.ts';

test('no seed that has failed once fails again', async (t) => {
  for (const run of failedSeeds()) {
    const { failure } = await runOnce(run);
    t.is(failure?.message, undefined, `seed ${run.seed}`);
  }
  t.pass();
});
