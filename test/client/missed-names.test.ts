import test from 'ava';
import { MissedNames } from '../../client/missed-names.ts';
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';

const [one, other] = [7 as Handle, 8 as Handle];

test('a directory is read whole once, when several of its names were missed', (t) => {
  const missed = new MissedNames();
  const times = Array.from({ length: 3 * limits.missesBeforeListing }, () => missed.add(one));
  t.deepEqual(
    times.map((is, i) => (is ? i + 1 : 0)).filter((count) => count > 0),
    [limits.missesBeforeListing],
  );
  t.false(missed.add(other));
});

test('one that is known whole is read again when more is missed', (t) => {
  const missed = new MissedNames();
  for (let i = 1; i < limits.missesBeforeListing; i++) t.false(missed.add(one));
  t.true(missed.add(one));
  missed.forget(one);
  for (let i = 1; i < limits.missesBeforeListing; i++) t.false(missed.add(one));
  t.true(missed.add(one));
});

test('so many directories are remembered', (t) => {
  const missed = new MissedNames();
  for (let i = 1; i < limits.missesBeforeListing; i++) missed.add(one);
  for (let i = 1; i < limits.directoriesWatchedMax; i++) missed.add((100 + i) as Handle);
  t.false(missed.add(one), 'it was forgotten with all others');
});
