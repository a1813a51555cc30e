/** Seeds with faults of all kinds at once. */
import test from 'ava';
import { faultKinds } from './faults.ts';
import { passSeeds } from './seeds.ts';

test('no promise is broken by faults of all kinds together', async (t) => {
  await passSeeds(t, [201, 300], faultKinds);
});
