/** A row of seeds as one test. */
import type { ExecutionContext } from 'ava';
import type { FaultKind } from './faults.ts';
import { smallFileBytesOf } from './failed-seeds.ts';
import { runOnce } from './run.ts';

const steps = 120;

/** Fails with the seed and the command that shows it again. */
export async function passSeeds(
  t: ExecutionContext,
  [first, last]: readonly [number, number],
  faults: readonly FaultKind[],
): Promise<void> {
  let struck = 0;
  for (let seed = first; seed <= last; seed++) {
    const smallFileBytes = smallFileBytesOf(seed);
    const { failure, faults: count } = await runOnce({ seed, steps, faults, smallFileBytes });
    struck += count;
    if (failure === undefined) continue;
    const kinds = faults.join(',') || 'none';
    t.log(`again: npm run sim -- --seed ${seed} --steps ${steps} --faults ${kinds}`);
    t.fail(failure.message);
    return;
  }
  t.is(struck > 0, faults.length > 0, `${struck} faults`);
}
