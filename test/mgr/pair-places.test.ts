import test from 'ava';
import { array, assert, constantFrom, integer, nat, oneof, property, record } from 'fast-check';
import { nowhere, PairPlaces } from '../../mgr/pair-places.ts';

const first = oneof(integer({ min: 1, max: 30 }), constantFrom(2 ** 32 + 1, 2 ** 53 - 1));
const second = oneof(nat(4), constantFrom(2 ** 40, 2 ** 53 - 1));

test('each pair has a place of its own, and the same one until it is deleted', (t) => {
  const steps = array(record({ first, second }), { maxLength: 400, size: 'max' });
  assert(
    property(steps, (pairs) => {
      const places = new PairPlaces();
      const model = new Map<string, number>();
      for (const pair of pairs) {
        const key = `${pair.first} ${pair.second}`;
        const place = model.get(key);
        t.is(places.find(pair.first, pair.second), place ?? nowhere);
        if (place === undefined) {
          const taken = places.add(pair.first, pair.second);
          t.false([...model.values()].includes(taken));
          t.true(taken < places.capacity);
          t.deepEqual([places.first(taken), places.second(taken)], [pair.first, pair.second]);
          model.set(key, taken);
        } else {
          places.delete(place);
          model.delete(key);
        }
        t.is(places.size, model.size);
      }
      for (const [key, place] of model) {
        const [one = 0, other = 0] = key.split(' ').map(Number);
        t.is(places.find(one, other), place);
      }
    }),
    { numRuns: 60 },
  );
});

test('places that were given back are taken again before there are more', (t) => {
  const places = new PairPlaces();
  for (let round = 0; round < 50; round++) {
    const taken = Array.from({ length: 1000 }, (_, at) => places.add(round * 1000 + at, 1));
    for (const place of taken) places.delete(place);
  }
  t.is(places.size, 0);
  t.true(places.capacity < 1300, `${places.capacity} places`);
});

test('a pair cannot be added twice, nor deleted twice', (t) => {
  const places = new PairPlaces();
  const place = places.add(1, 2);
  t.throws(() => places.add(1, 2), { name: 'AssertionError' });
  places.delete(place);
  t.throws(
    () => {
      places.delete(place);
    },
    { name: 'AssertionError' },
  );
});

test('with room for them pairs make it no larger, and one more does', (t) => {
  const count = 1000;
  const places = new PairPlaces(count);
  for (let at = 0; at < count; at++) t.is(places.add(at + 1, 0), at);
  t.is(places.capacity, count);
  for (let at = 0; at < count; at++) t.is(places.find(at + 1, 0), at);
  t.is(places.add(count + 1, 0), count);
  t.true(places.capacity > count);
});
