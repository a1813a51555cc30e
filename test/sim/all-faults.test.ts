/** Seeds with faults of all kinds at once: with those of `single-faults.test.ts` they are 500. */
import test from 'ava';
import { faultKinds } from './faults.ts';
import { passSeeds } from './seeds.ts';

const first = 201;
const each = 37;

for (let row = 0; row < 10; row++) {
  const from = first + row * each;
  const to = from + each - 1;
  // One after another, so that each tells when it is done.
  test.serial(
    `no promise is broken by faults of all kinds together: seeds ${from} to ${to}`,
    async (t) => {
      await passSeeds(t, [from, to], faultKinds);
    },
  );
}
