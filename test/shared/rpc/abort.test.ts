import { getEventListeners } from 'node:events';
import test from 'ava';
import { watchAbort } from '../../../shared/rpc/abort.ts';

test('however many watch a signal, it has one listener, and each is told once', (t) => {
  const control = new AbortController();
  const told: number[] = [];
  const ends = Array.from({ length: 100 }, (_, i) =>
    watchAbort(control.signal, () => told.push(i)),
  );
  t.is(getEventListeners(control.signal, 'abort').length, 1);
  ends[3]?.();
  ends[3]?.();
  control.abort();
  control.abort();
  t.deepEqual(
    told,
    Array.from({ length: 100 }, (_, i) => i).filter((i) => i !== 3),
  );
});

test('a signal that nobody watches any more has no listener, and can be watched again', (t) => {
  const control = new AbortController();
  const ends = [1, 2].map(() => watchAbort(control.signal, () => t.fail()));
  for (const end of ends) end();
  t.is(getEventListeners(control.signal, 'abort').length, 0);
  let told = 0;
  watchAbort(control.signal, () => told++);
  ends[0]?.();
  control.abort();
  t.is(told, 1);
});
