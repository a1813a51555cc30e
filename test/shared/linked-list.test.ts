import test from 'ava';
import * as fc from 'fast-check';
import { type Linked, LinkedList } from '../../shared/linked-list.ts';
import { bytesKept } from './bytes-kept.ts';

class Item implements Linked<Item> {
  before: Item | undefined;
  after: Item | undefined;
  readonly content: unknown;

  constructor(content: unknown) {
    this.content = content;
  }
}

test('it holds what a Set holds, in its order', (t) => {
  const items = Array.from({ length: 12 }, (_, n) => new Item(n));
  fc.assert(
    fc.property(fc.array(fc.nat(items.length - 1), { maxLength: 100 }), (steps) => {
      const list = new LinkedList<Item>();
      const set = new Set<Item>();
      for (const n of steps) {
        const item = items[n] as Item;
        if (set.has(item)) {
          t.true(list.delete(item));
          set.delete(item);
        } else {
          t.false(list.delete(item));
          list.push(item);
          set.add(item);
        }
        t.is(list.size, set.size);
        t.deepEqual([...list], [...set]);
        t.is(list.first, [...set][0]);
      }
      for (const item of list) list.delete(item);
      t.is(list.size, 0);
    }),
  );
});

test('one that is in it is not put in again', (t) => {
  const list = new LinkedList<Item>();
  const item = new Item(1);
  list.push(item);
  t.throws(() => list.push(item));
});

test('what has left it can be collected, however old others are', (t) => {
  const list = new LinkedList<Item>();
  const kept = bytesKept((_, thing) => {
    list.push(new Item(thing));
    if (list.size > 10) list.delete(list.first as Item);
  });
  t.true(kept < 0.1, `${kept} of what went through`);
});
