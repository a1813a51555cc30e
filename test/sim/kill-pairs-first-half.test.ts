import test from 'ava';
import { killPoints } from '../../shared/runtime/kill-points.ts';
import { halves, walkPart } from './kill-pairs.ts';
import { chains } from './kill-walk.ts';

test('every point is walked once behind every point, itself too', (t) => {
  const pairs = chains.flatMap((chain) =>
    chain.slice(1).map((second, at) => `${chain[at]}, then ${second}`),
  );
  t.is(pairs.length, killPoints.length ** 2);
  t.is(new Set(pairs).size, pairs.length);
});

// One after another, so that each tells when it is done.
for (const part of halves[0]) {
  test.serial(
    `two deaths end as one does, and so does the next (SCENARIOS 83, 84; part ${part})`,
    async (t) => {
      await walkPart(t, part);
    },
  );
}
