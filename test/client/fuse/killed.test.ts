import test from 'ava';
import { Killed } from '../../../client/fuse/killed.ts';
import { watchAbort } from '../../../shared/rpc/abort.ts';

test('each call that is made for a request is told once, and none that is over', (t) => {
  const signal = new Killed();
  const told: number[] = [];
  const ends = [0, 1, 2].map((i) => watchAbort(signal, () => told.push(i)));
  ends[1]?.();
  t.false(signal.aborted);
  signal.abort();
  signal.abort();
  t.true(signal.aborted);
  t.deepEqual(told, [0, 2]);
});
