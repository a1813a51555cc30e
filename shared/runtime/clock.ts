/** `Clock` over timers, of Node or of a browser. */
import type { Timestamp } from '../units.ts';
import type { Clock, Timer } from './runtime.ts';

/** Node fires a longer timer at once. */
const delayMaxMs = 2 ** 31 - 1;

/** @param soon runs something when the events of this tick are done */
export function makeClock(soon: (run: () => void) => void = setImmediate): Clock {
  return { now: () => performance.now(), wall, timer: startTimer, defer: makeDefer(soon) };
}

/** One object serves all that happens in a millisecond: most calls of a busy tick. */
let lastWall: Timestamp = { seconds: 0, nanoseconds: 0 };
let lastWallMs = 0;

function wall(): Timestamp {
  const ms = Date.now();
  if (ms === lastWallMs) return lastWall;
  const seconds = Math.floor(ms / 1000);
  lastWallMs = ms;
  lastWall = { seconds, nanoseconds: (ms - seconds * 1000) * 1_000_000 };
  return lastWall;
}

/** Node's timers count whole milliseconds of the loop, so one may fire a little early. */
function startTimer(delayMs: number, run: () => void): Timer {
  const due = performance.now() + delayMs;
  let handle: ReturnType<typeof setTimeout>;
  const arm = (restMs: number): void => {
    handle = setTimeout(fire, Math.min(Math.ceil(restMs), delayMaxMs));
  };
  const fire = (): void => {
    const restMs = due - performance.now();
    if (restMs > 0) arm(restMs);
    else run();
  };
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** All that is deferred in a tick, and by what runs at its end, runs in order from one `soon`. */
function makeDefer(soon: (run: () => void) => void): Clock['defer'] {
  let waiting: (() => void)[] = [];
  const runAll = (): void => {
    // Grows while it is walked: answers that a commit lets go leave in the same round.
    for (const run of waiting) {
      try {
        run();
      } catch (error: unknown) {
        // A fault of one is not the fault of the others; it surfaces as an uncaught exception.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    waiting = [];
  };
  return (run) => {
    if (waiting.push(run) === 1) soon(runAll);
  };
}
