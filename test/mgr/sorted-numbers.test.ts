import test from 'ava';
import { array, assert, boolean, nat, property, tuple } from 'fast-check';
import { SortedNumbers } from '../../mgr/sorted-numbers.ts';

test('it holds what a set holds, in order, from any number on', (t) => {
  const changes = array(tuple(boolean(), nat(3000)), { maxLength: 4000, size: 'max' });
  assert(
    property(changes, nat(3000), (list, from) => {
      const numbers = new SortedNumbers();
      const model = new Set<number>();
      for (const [isAdded, value] of list) {
        if (isAdded) {
          numbers.add(value);
          model.add(value);
        } else {
          numbers.delete(value);
          model.delete(value);
        }
      }
      const expected = [...model].filter((value) => value >= from).toSorted((a, b) => a - b);
      t.deepEqual([...numbers.from(from)], expected);
    }),
    { numRuns: 30 },
  );
});

test('many numbers, upward, downward and in between', (t) => {
  const numbers = new SortedNumbers();
  for (let i = 0; i < 5000; i++) numbers.add(i * 3);
  for (let i = 4999; i >= 0; i--) numbers.add(i * 3 + 1);
  for (let i = 0; i < 5000; i++) numbers.delete(i * 3);
  const expected = Array.from({ length: 5000 }, (_, i) => i * 3 + 1);
  t.deepEqual([...numbers.from(0)], expected);
  for (const value of expected) numbers.delete(value);
  t.deepEqual([...numbers.from(0)], []);
});
