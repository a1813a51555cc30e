/** What is logged of a run is no part of what happens in it. */
import test from 'ava';
import { faultKinds } from './faults.ts';
import { runOnce } from './run.ts';

/** What happened, but for the lines that were logged. */
async function course(seed: number, logLevel: 'none' | 'debug') {
  const { failure, virtualMs, trace } = await runOnce({
    seed,
    steps: 100,
    faults: faultKinds,
    keepTrace: true,
    logLevel,
  });
  const lines = trace.lines();
  const events = lines.filter((line) => !/ log (error|warn|info|debug) /.test(line));
  return { failure, virtualMs, events, logged: lines.length - events.length };
}

test('recoveries go the same way with every line logged and with none (SCENARIOS 100)', async (t) => {
  const quiet = await course(3, 'none');
  const loud = await course(3, 'debug');
  t.is(quiet.failure, undefined);
  t.is(quiet.logged, 0);
  t.true(loud.logged > 1_000);
  t.is(
    loud.events.findIndex((line, i) => line !== quiet.events[i]),
    -1,
  );
  t.deepEqual([loud.virtualMs, loud.events.length], [quiet.virtualMs, quiet.events.length]);
});
