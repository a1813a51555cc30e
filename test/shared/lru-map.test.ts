import test from 'ava';
import * as fc from 'fast-check';
import { LruMap } from '../../shared/lru-map.ts';

const key = fc.nat(9);
const call = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.nat() }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record({ kind: fc.constant('clear' as const) }),
);

test('it has what a map would have, in the order of last use', (t) => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 100 }), (calls) => {
      const map = new LruMap<number, number>();
      const model = new Map<number, number>();
      for (const one of calls) {
        switch (one.kind) {
          case 'set':
            model.delete(one.key);
            model.set(one.key, one.value);
            map.set(one.key, one.value);
            break;
          case 'delete':
            t.is(map.delete(one.key), model.delete(one.key));
            break;
          case 'get':
            t.is(map.get(one.key), model.get(one.key));
            t.is(map.has(one.key), model.has(one.key));
            break;
          case 'clear':
            model.clear();
            map.clear();
        }
        t.is(map.size, model.size);
        t.is(map.oldest, model.keys().next().value);
      }
      t.deepEqual([...map], [...model]);
    }),
  );
});

test('a loop sees all that were there and are, once, whatever goes or is used meanwhile', (t) => {
  const keys = fc.array(key, { maxLength: 4 });
  fc.assert(
    fc.property(fc.uniqueArray(key), fc.array(keys), fc.array(keys), (begin, gone, used) => {
      const map = new LruMap<number, number>();
      for (const one of begin) map.set(one, one);
      const left = [...begin];
      const without = (one: number): void => {
        const at = left.indexOf(one);
        if (at >= 0) left.splice(at, 1);
      };
      let turn = 0;
      for (const [one] of map) {
        t.deepEqual([one], left.splice(0, 1));
        for (const other of gone[turn] ?? []) {
          map.delete(other);
          without(other);
        }
        for (const other of used[turn] ?? []) {
          map.set(other, other);
          without(other);
        }
        turn++;
      }
      t.deepEqual(left, []);
    }),
  );
});

test('an entry that has left holds nothing, and comes back as the last', (t) => {
  const map = new LruMap<number, string>();
  map.set(1, 'a');
  map.set(2, 'b');
  t.true(map.delete(1));
  t.false(map.delete(1));
  t.is(map.get(1), undefined);
  map.set(1, 'c');
  t.deepEqual(
    [...map],
    [
      [2, 'b'],
      [1, 'c'],
    ],
  );
});
