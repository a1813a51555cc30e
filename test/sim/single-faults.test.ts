/** Seeds without faults, and with faults of one kind. */
import test from 'ava';
import { faultKinds } from './faults.ts';
import { passSeeds } from './seeds.ts';

test('without faults every answer is as the model has it (SCENARIOS 172)', async (t) => {
  await passSeeds(t, [1, 40], []);
});

// Those of `clock`: wall clocks that jump by minutes to years, also all the time (SCENARIOS 231, 232).
for (const [i, kind] of faultKinds.entries()) {
  test(`no promise is broken by faults of ${kind}`, async (t) => {
    const first = 101 + 10 * i;
    await passSeeds(t, [first, first + 9], [kind]);
  });
}
