import test from 'ava';
import { LookOrSleep } from '../../../shared/runtime/node/look-or-sleep.ts';

/** @returns how many of so many waits, each as long as it is told, were looked through */
function looks(waits: LookOrSleep, count: number, takes: { look: number; sleep: number }): number {
  let looked = 0;
  for (let i = 0; i < count; i++) {
    const isLook = waits.begin();
    if (isLook) looked++;
    waits.ended(isLook ? takes.look : takes.sleep);
  }
  return looked;
}

test('where it takes long to be woken, one looks', (t) => {
  const waits = new LookOrSleep();
  t.true(looks(waits, 10_000, { look: 0.01, sleep: 0.075 }) > 9_600);
});

test('where one is woken at once, or looking is hardly sooner, one sleeps but for a try now and then', (t) => {
  for (const takes of [
    { look: 0.05, sleep: 0.005 },
    { look: 0.009, sleep: 0.01 },
    { look: 1000, sleep: 1000 },
    { look: 0.2, sleep: 0.4 },
  ]) {
    const waits = new LookOrSleep();
    const looked = looks(waits, 25_600, takes);
    t.true(looked > 0 && looked <= 104, `${looked}`);
  }
});

test('what has become better or worse is found out with the next try', (t) => {
  const waits = new LookOrSleep();
  const busy = { look: 0.06, sleep: 0.005 };
  const quiet = { look: 0.01, sleep: 0.075 };
  looks(waits, 10_000, busy);
  t.true(looks(waits, 10_000, quiet) > 7_500);
  t.true(looks(waits, 10_000, busy) < 2_200);
  t.true(looks(waits, 10_000, quiet) > 7_500);
});

test('a wait that something else made long changes nothing', (t) => {
  const waits = new LookOrSleep();
  looks(waits, 300, { look: 0.01, sleep: 0.075 });
  let looked = 0;
  for (let i = 0; i < 10_000; i++) {
    looked += looks(waits, 1, i % 5 === 0 ? { look: 4, sleep: 4 } : { look: 0.01, sleep: 0.075 });
  }
  t.true(looked > 9_500, `${looked}`);
});
