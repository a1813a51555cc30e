/** Death at a named step, and again at another, also in the recovery from the first. */
import test from 'ava';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import { chains, walkChain } from './kill-walk.ts';

/** Tests that go through them, so that a failure is told soon. */
const parts = 10;

test('every point is walked once behind every point, itself too', (t) => {
  const pairs = chains.flatMap((chain) =>
    chain.slice(1).map((second, at) => `${chain[at]}, then ${second}`),
  );
  t.is(pairs.length, killPoints.length ** 2);
  t.is(new Set(pairs).size, pairs.length);
});

for (let part = 0; part < parts; part++) {
  test(`two deaths end as one does, and so does the next (SCENARIOS 83, 84; part ${part + 1})`, async (t) => {
    for (const chain of chains.filter((_, at) => at % parts === part)) {
      await t.notThrowsAsync(walkChain(chain), chain.join(', then '));
    }
  });
}
