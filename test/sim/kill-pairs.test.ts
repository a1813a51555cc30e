/** Death at a named step, and again at another, also in the recovery from the first. */
import test from 'ava';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import { roleOf, ciPairs, walkPair } from './kill-walk.ts';

const roles = ['iod', 'mgr', 'client'] as const;

test('every point is the first death of some pair that is walked, and the second of another', (t) => {
  for (const place of [0, 1] as const) {
    const walked = new Set(ciPairs.map((pair) => pair[place]));
    t.deepEqual([...walked].toSorted(), killPoints.toSorted());
  }
});

for (const first of roles) {
  for (const second of roles) {
    test(`${first} and then ${second}: two deaths end as one does (SCENARIOS 83, 84)`, async (t) => {
      const pairs = ciPairs.filter(([a, b]) => roleOf(a) === first && roleOf(b) === second);
      t.true(pairs.length > 0);
      for (const pair of pairs) await t.notThrowsAsync(walkPair(pair), pair.join(', then '));
    });
  }
}
