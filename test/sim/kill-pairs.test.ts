/** Death at a named step, and again at another, also in the recovery from the first. */
import test from 'ava';
import { roleOf, ciPairs, walkPair } from './kill-walk.ts';

const roles = ['iod', 'mgr', 'client'] as const;

for (const first of roles) {
  for (const second of roles) {
    test(`${first} and then ${second}: two deaths end as one does (SCENARIOS 83, 84)`, async (t) => {
      const pairs = ciPairs.filter(([a, b]) => roleOf(a) === first && roleOf(b) === second);
      t.true(pairs.length > 0);
      for (const pair of pairs) await t.notThrowsAsync(walkPair(pair), pair.join(', then '));
    });
  }
}
