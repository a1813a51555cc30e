import test from 'ava';
import * as fc from 'fast-check';
import { firstHandle, isPlace, objectPath } from '../../../iod/storage/object-paths.ts';
import type { Handle } from '../../../shared/units.ts';

const handles = fc
  .oneof(fc.integer({ min: 1, max: 200_000 }), fc.maxSafeNat())
  .map((value) => value as Handle);

test('every handle has a place of its own, and the place tells the handle', (t) => {
  fc.assert(
    fc.property(handles, (handle) => {
      const place = objectPath('objects', handle).split('/').slice(1);
      t.true(isPlace(place));
      t.is(firstHandle(place), handle);
    }),
  );
});

/** The first handle of a place that is `depth` names deep. */
function first(handle: Handle, depth: number): number {
  const place = objectPath('objects', handle).split('/');
  return firstHandle(place.slice(1, 1 + depth));
}

test('places are in the order of the handles', (t) => {
  fc.assert(
    fc.property(handles, handles, (one, other) => {
      const [low, high] = one < other ? [one, other] : [other, one];
      for (const depth of [1, 2, 3]) t.true(first(low, depth) <= first(high, depth));
    }),
  );
});

test('names that no object has are no places', (t) => {
  const good = objectPath('objects', 70_000 as Handle)
    .split('/')
    .slice(1);
  t.deepEqual(good, ['1', '11', '70000']);
  for (const place of [
    ['01'],
    ['1x'],
    ['G'],
    ['A'],
    [''],
    ['1', '1'],
    ['1', '011'],
    ['1', '12', '70000'],
    ['1', '11', '070000'],
    ['1', '11', '70000.saved'],
    ['1', '11', '7e4'],
    ['1', '11', '-1'],
    ['2', '11', '70000'],
  ]) {
    t.false(isPlace(place), place.join('/'));
  }
});
