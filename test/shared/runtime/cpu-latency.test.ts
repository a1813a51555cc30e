import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import test from 'ava';
import { CpuLatency, openCpuLatency } from '../../../shared/runtime/node/cpu-latency.ts';
import { LoopWaits } from '../../../shared/runtime/node/loop-waits.ts';

/** A host whose time the test passes. */
function stage() {
  let now = 0;
  let isBound = false;
  let sets = 0;
  const timers: { readonly at: number; readonly run: () => void }[] = [];
  const bound = {
    set: (isWanted: boolean) => {
      isBound = isWanted;
      sets++;
    },
  };
  const latency = new CpuLatency(bound, (ms, run) => timers.push({ at: now + ms, run }));
  const pass = (ms: number): void => {
    const end = now + ms;
    for (;;) {
      const due = timers.findIndex(({ at }) => at <= end);
      const [timer] = due < 0 ? [] : timers.splice(due, 1);
      if (timer === undefined) break;
      now = Math.max(now, timer.at);
      timer.run();
    }
    now = end;
  };
  const calls = (count: number, everyMs: number): void => {
    for (let i = 0; i < count; i++) {
      pass(everyMs);
      latency.heard(now);
    }
  };
  return {
    pass,
    calls,
    isBound: () => isBound,
    sets: () => sets,
    timers: () => timers.length,
    now: () => now,
    latency,
  };
}

test('processors are kept awake when many calls have followed each other closely', (t) => {
  const { calls, isBound, sets, timers } = stage();
  calls(64, 0.1);
  t.false(isBound());
  calls(1, 0.1);
  t.true(isBound());
  calls(1000, 0.1);
  t.deepEqual([isBound(), sets(), timers()], [true, 1, 1]);
});

test('calls with pauses between them are no reason', (t) => {
  const { calls, sets, timers } = stage();
  for (let i = 0; i < 20; i++) {
    calls(1, 6);
    calls(63, 0.1);
  }
  calls(1000, 6);
  t.deepEqual([sets(), timers()], [0, 0]);
});

test('they may sleep again soon after the last call, and not before', (t) => {
  const { calls, pass, isBound, sets, timers } = stage();
  calls(65, 0.1);
  for (let i = 0; i < 10; i++) calls(1, 19);
  t.true(isBound());
  pass(19);
  t.true(isBound());
  pass(20);
  t.deepEqual([isBound(), sets(), timers()], [false, 2, 0]);
  // And are kept awake anew by the next who makes many.
  calls(65, 0.1);
  t.true(isBound());
  pass(100);
  t.false(isBound());
});

test('it hears of all that comes to a process', (t) => {
  const heard: number[] = [];
  let now = 0;
  const loop = new LoopWaits({ now: () => now, soon: () => undefined });
  loop.boundLatency({ heard: (at) => heard.push(at) });
  for (const bytes of [100, 1_000_000]) {
    loop.sent(bytes);
    now++;
    loop.received();
    loop.took(bytes);
  }
  t.deepEqual(heard, [1, 2]);
});

const device = '/dev/cpu_dma_latency';
const mayBound = process.getuid?.() === 0 && existsSync(device);
const onHost = mayBound ? test : test.skip;

onHost('the kernel is told so, and of what all have told it the least counts', (t) => {
  const fd = openSync(device, 'r');
  t.teardown(() => closeSync(fd));
  const bound = openCpuLatency();
  bound?.set(true);
  t.teardown(() => bound?.set(false));
  const us = Buffer.alloc(4);
  readSync(fd, us);
  t.true(us.readInt32LE() <= 2);
});
