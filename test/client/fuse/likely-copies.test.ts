import test from 'ava';
import { LikelyCopies } from '../../../client/fuse/likely-copies.ts';
import { limits } from '../../../shared/limits.ts';
import type { Handle } from '../../../shared/units.ts';

const handle = (value: number): Handle => value as Handle;

test('a file that is made may be a copy of what its thread has opened last; the next one not', (t) => {
  const copies = new LikelyCopies();
  t.is(copies.made({ pid: 7 }), undefined);
  copies.opened({ pid: 7 }, handle(1));
  copies.opened({ pid: 7 }, handle(2));
  copies.opened({ pid: 8 }, handle(3));
  t.is(copies.made({ pid: 7 }), handle(2));
  t.is(copies.made({ pid: 7 }), undefined);
  t.is(copies.made({ pid: 8 }), handle(3));
});

test('threads of other containers have no number, and only so many are remembered', (t) => {
  const copies = new LikelyCopies();
  copies.opened({ pid: 0 }, handle(1));
  t.is(copies.made({ pid: 0 }), undefined);
  for (let pid = 1; pid <= limits.likelyCopiesMax + 1; pid++) copies.opened({ pid }, handle(pid));
  t.is(copies.made({ pid: 1 }), undefined);
  t.is(copies.made({ pid: 2 }), handle(2));
});
