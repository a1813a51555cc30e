import test from 'ava';
import { IdleReaders } from '../../../client/fuse/idle-readers.ts';
import type { File } from '../../../client/file.ts';
import { limits } from '../../../shared/limits.ts';
import type { Clock } from '../../../shared/runtime/runtime.ts';
import type { Handle } from '../../../shared/units.ts';

const { fuseIdleReaderMs: ms, fuseIdleReadersMax: most } = limits;

function stage() {
  const timers: { readonly at: number; readonly run: () => void }[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    timer: (delayMs: number, run: () => void) => timers.push({ at: now + delayMs, run }),
  } as unknown as Clock;
  const pass = (until: number): void => {
    for (;;) {
      const next = timers.findIndex(({ at }) => at <= until);
      const [timer] = next < 0 ? [] : timers.splice(next, 1);
      if (timer === undefined) break;
      now = timer.at;
      timer.run();
    }
    now = until;
  };
  const idle = new IdleReaders(clock);
  const givenBack: number[] = [];
  const keep = (handle: number): void => {
    idle.keep({ handle: handle as Handle } as File, () => givenBack.push(handle));
  };
  return { idle, keep, givenBack, pass };
}

test('what nobody takes is given back when its time is over, with what was closed soon after', (t) => {
  const { keep, givenBack, pass } = stage();
  keep(1);
  pass(0.5 * ms);
  keep(2);
  pass(0.6 * ms);
  keep(3);
  pass(ms - 1);
  t.deepEqual(givenBack, []);
  pass(ms);
  t.deepEqual(givenBack, [1, 2]);
  pass(1.6 * ms);
  t.deepEqual(givenBack, [1, 2, 3]);
});

test('what was taken is not given back, and begins anew when it is idle again', (t) => {
  const { idle, keep, givenBack, pass } = stage();
  keep(1);
  pass(ms / 2);
  t.is(idle.take(1 as Handle)?.handle, 1 as Handle);
  t.is(idle.take(1 as Handle), undefined);
  pass(2 * ms);
  keep(1);
  pass(2.5 * ms);
  t.deepEqual(givenBack, []);
  pass(3 * ms);
  t.deepEqual(givenBack, [1]);
});

test('of each file one is kept, and of too many the latest', (t) => {
  const { keep, givenBack } = stage();
  keep(0);
  keep(0);
  t.deepEqual(givenBack, [0]);
  for (let handle = 1; handle < most; handle++) keep(handle);
  t.is(givenBack.length, 1);
  keep(most);
  t.deepEqual(givenBack, [0, 0]);
});
