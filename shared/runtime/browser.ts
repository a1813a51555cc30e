/**
 * The Runtime of a page or a worker: its clocks, its WebSockets, its console. It has no disk, and
 * nobody can connect to it. Its parts are in `browser/`.
 */
import { type ConsoleLevel, consoleLog } from './browser/console-log.ts';
import { noDisk } from './browser/no-disk.ts';
import { makePageNet } from './browser/page-net.ts';
import { pageRandom } from './browser/page-random.ts';
import { pageSocketClass } from './browser/page-socket.ts';
import { runSoon } from './browser/run-soon.ts';
import { makeClock } from './clock.ts';
import { limits } from '../limits.ts';
import { Recorder } from '../trace/recorder.ts';
import type { Clock, Runtime } from './runtime.ts';

/** @param log what of ours the console shows */
export function makeBrowserRuntime(log: ConsoleLevel): Runtime {
  const clock = makeClock(runSoon());
  return {
    clock,
    random: pageRandom,
    net: makePageNet({ clock, random: pageRandom, makeSocket: pageSocketClass() }),
    disk: noDisk,
    // A page shares a host with nobody.
    sharedFiles: { open: () => Promise.resolve(undefined) },
    log: consoleLog(log),
    recorder: pageRecorder(clock),
    keepTrace: () => () => undefined,
    killPoint: () => undefined,
  };
}

/** In memory only. */
function pageRecorder(clock: Clock): Recorder {
  const { seconds, nanoseconds } = clock.wall();
  const atMs = clock.now();
  const anchor = { atMs, hostMs: atMs, wallMs: seconds * 1000 + nanoseconds / 1e6 };
  const info = { role: 'client', name: 'page', pid: 0, boot: 'page', anchor } as const;
  return new Recorder(limits.traceRecordsOfClient, info);
}
