import test from 'ava';
import * as fc from 'fast-check';
import { NodeTable } from '../../../client/fuse/node-table.ts';
import type { Handle } from '../../../shared/units.ts';
import type { Attr } from '../../../shared/wire/values.ts';

function attr(handle: number, mode = 0o644): Attr {
  return { handle, mode, modified: { seconds: 9, nanoseconds: 0 } } as Attr;
}

test('a node is there as long as it was looked up more often than forgotten', (t) => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3)));
  fc.assert(
    fc.property(steps, (all) => {
      const nodes = new NodeTable();
      const counts = new Map<number, number>();
      for (const [handle, forget] of all) {
        const count = counts.get(handle) ?? 0;
        if (forget > 0 && forget <= count) nodes.forget(handle, forget);
        else nodes.refer(attr(handle));
        counts.set(handle, forget > 0 && forget <= count ? count - forget : count + 1);
      }
      for (const [handle, count] of counts) t.is(nodes.lookupsOf(handle), count);
      t.is(nodes.size, [...counts.values()].filter((count) => count > 0).length);
    }),
  );
});

test('giving back more than was taken is a mistake that is not passed over', (t) => {
  const nodes = new NodeTable();
  nodes.refer(attr(3));
  t.throws(() => nodes.forget(3, 2), { message: /more often/ });
});

test('a time that a program has set stands in for that of the writes until it is taken back', (t) => {
  const nodes = new NodeTable();
  const set = { seconds: 1, nanoseconds: 2 };
  nodes.refer(attr(3));
  nodes.setModified(3 as Handle, set);
  t.deepEqual(nodes.seen(attr(3)).modified, set);
  t.deepEqual(nodes.refer(attr(3)).modified, set);
  nodes.setModified(3 as Handle, undefined);
  t.is(nodes.seen(attr(3, 0o600)).modified.seconds, 9);
  t.is(nodes.modeOf(3 as Handle), 0o600);
});
