import test from 'ava';
import { SimRandom } from './random.ts';

function draws(random: SimRandom, count = 50): number[] {
  return Array.from({ length: count }, () => random.fraction());
}

test('one seed gives one sequence, another seed another', (t) => {
  t.deepEqual(draws(new SimRandom('1')), draws(new SimRandom('1')));
  t.notDeepEqual(draws(new SimRandom('1')), draws(new SimRandom('2')));
});

test('a fork depends on its name only, so a new consumer changes nothing for the others', (t) => {
  const alone = new SimRandom('1').fork('disk');
  const crowded = new SimRandom('1');
  draws(crowded.fork('network'));
  draws(crowded);
  t.deepEqual(draws(crowded.fork('disk')), draws(alone));
  t.notDeepEqual(draws(new SimRandom('1').fork('a')), draws(new SimRandom('1').fork('b')));
});

test('fractions fill [0, 1) evenly', (t) => {
  const random = new SimRandom('even');
  const buckets = Array.from({ length: 10 }, () => 0);
  for (const fraction of draws(random, 10_000)) {
    t.true(fraction >= 0 && fraction < 1);
    const bucket = Math.floor(fraction * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const count of buckets) t.true(count > 850 && count < 1150, String(buckets));
});

test('bytes, bounds and shuffles keep to what they say', (t) => {
  const random = new SimRandom('x');
  t.is(random.bytes(33).length, 33);
  t.notDeepEqual(random.bytes(16), random.bytes(16));
  for (let i = 0; i < 200; i++) t.true([0, 1, 2].includes(random.below(3)));
  t.false(random.chance(0));
  t.true(random.chance(1));
  t.deepEqual(
    random.shuffle([1, 2, 3, 4, 5]).toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5],
  );
});
