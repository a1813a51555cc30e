import test from 'ava';
import { limits } from '../../shared/limits.ts';
import { Recovery } from '../../shared/recovery.ts';

/** A clock that moves when told to. */
function makeClock() {
  const clock = { ms: 5_000, now: () => clock.ms, wall: () => ({ seconds: 77, nanoseconds: 8 }) };
  return clock;
}

function makeRecovery(clock = makeClock()) {
  const recovery = new Recovery({
    clock,
    daemon: 'iod2',
    cause: 'crash',
    why: 'it has died',
    phase: 'boot',
  });
  return { clock, recovery };
}

test('phases follow each other, and their times add up to the whole', (t) => {
  const { clock, recovery } = makeRecovery();
  clock.ms += 3;
  recovery.enter('join');
  clock.ms += 4.26;
  t.is(recovery.phase, 'join');
  t.is(Math.round(recovery.elapsedMs), 7);
  recovery.enter('snapshot');
  clock.ms += 2;
  t.deepEqual(recovery.end('recovered'), {
    daemon: 'iod2',
    cause: 'crash',
    why: 'it has died',
    outcome: 'recovered',
    startedAt: { seconds: 77, nanoseconds: 8 },
    tookMs: 9.3,
    phases: [
      { name: 'boot', atMs: 0, tookMs: 3, times: 1 },
      { name: 'join', atMs: 3, tookMs: 4.3, times: 1 },
      { name: 'snapshot', atMs: 7.3, tookMs: 2, times: 1 },
    ],
    restarts: [],
    restored: [],
    dropped: [],
    uncertain: [],
  });
});

test('a recovery that begins again a thousand times takes no more room than one that did once', (t) => {
  const { clock, recovery } = makeRecovery();
  for (let times = 0; times < 1000; times++) {
    recovery.enter('join');
    clock.ms += 1;
    recovery.restart('connect', times % 2 === 0 ? 'cut' : `odd reason ${times}`);
    clock.ms += 2;
  }
  const { phases, restarts, tookMs } = recovery.end('interrupted');
  t.deepEqual(
    phases.map(({ name, tookMs, times }) => [name, tookMs, times]),
    [
      ['boot', 0, 1],
      ['join', 1000, 1000],
      ['connect', 2000, 1000],
    ],
  );
  t.is(tookMs, 3000);
  t.is(restarts.length, limits.recoveryItemsMax + 1);
  t.deepEqual(restarts[0], { why: 'cut', times: 500 });
  t.is(restarts.at(-1)?.why, 'other reasons');
});

test('what is noted adds up; of names only the first stay; what nobody knows stays unknown', (t) => {
  const { recovery } = makeRecovery();
  const names = Array.from({ length: 40 }, (_, at) => `session ${at}`);
  recovery.note('dropped', 'opens', 2, ['session x'.repeat(99)]);
  recovery.note('dropped', 'opens', 38, names);
  recovery.note('uncertain', 'writes', 1);
  recovery.note('uncertain', 'writes', null);
  const { dropped, uncertain } = recovery.end('recovered');
  t.is(dropped[0]?.count, 40);
  t.is(dropped[0]?.for.length, limits.recoveryNamesMax);
  t.is(dropped[0]?.for[0]?.length, limits.recoveryTextMax);
  t.deepEqual(uncertain, [{ what: 'writes', count: null, for: [] }]);
});
