import test from 'ava';
import { TurnSize } from '../../../client/fuse/turn-size.ts';
import { limits } from '../../../shared/limits.ts';

/** @param come how many requests each turn finds @returns what that took */
function run(turns: number, come: (turn: number) => number) {
  const size = new TurnSize();
  let [read, failed] = [0, 0];
  let waiting = 0;
  for (let turn = 0; turn < turns; turn++) {
    waiting += come(turn);
    const most = size.next();
    const count = Math.min(most, waiting);
    if (count < most) failed++;
    waiting -= count;
    read += count;
    size.were(count);
  }
  return { read, failed, waiting };
}

test('requests that come one by one are hardly ever looked for in vain', (t) => {
  const { read, failed } = run(800, () => 1);
  t.is(read, 800);
  t.true(failed <= 50);
});

test('those that come in twos are read in twos, without a look behind them', (t) => {
  const { failed, waiting } = run(800, () => 2);
  t.true(failed <= 55);
  t.true(waiting <= 16);
});

test('of very many a turn soon reads as many as it may, and few again when they are over', (t) => {
  const { read } = run(100, () => 2 * limits.fuseRequestsPerTurn);
  t.true(read > 80 * limits.fuseRequestsPerTurn);
  const { failed, waiting } = run(800, (turn) => (turn < 20 ? limits.fuseRequestsPerTurn : 1));
  t.true(failed <= 52);
  t.is(waiting, 0);
});
