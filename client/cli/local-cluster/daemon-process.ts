/** One daemon of a local cluster as a process: started until it is ready, found again, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { holderPid } from '../../../shared/lock-holder.ts';
import { CommandError } from '../failure.ts';
import { installationDirectory } from '../installation.ts';
import type { DaemonRecord, DaemonSpec } from './cluster-state.ts';
import {
  commandLineOf,
  isRunning,
  type ProcessId,
  signalProcess,
  startOf,
  waitForEnd,
} from './process-table.ts';

export interface StartedDaemon {
  readonly record: DaemonRecord;
  readonly child: ChildProcess;
  /** Its `--print-ready` line came. @throws CommandError with the end of its log when it ended */
  readonly ready: Promise<void>;
}

/** What a daemon gets to end by itself before it is killed: longer than it takes to drain. */
export const stopGraceMs = 10_000;
const logTailBytes = 4096;

/** A session of its own, so that Ctrl-C at the terminal is ours alone to pass on. */
export async function startDaemon(spec: DaemonSpec): Promise<StartedDaemon> {
  await mkdir(spec.dataDir, { recursive: true });
  await mkdir(dirname(spec.log), { recursive: true });
  const log = await open(spec.log, 'a', 0o600);
  try {
    const { size: logStart } = await log.stat();
    const [program = process.execPath, ...words] = spec.command;
    const child = spawn(program, words, {
      cwd: installationDirectory,
      detached: true,
      stdio: ['ignore', 'pipe', log.fd],
    });
    const ready = whenReady(child, spec, logStart);
    ready.catch(() => undefined); // Heard below, or by whoever waits for it.
    const started = child.pid === undefined ? undefined : await startOf(child.pid);
    // When it has ended already, `ready` knows why.
    const record: DaemonRecord = { ...spec, pid: child.pid ?? 0, started: started ?? '' };
    return { record, child, ready };
  } finally {
    await log.close();
  }
}

function whenReady(child: ChildProcess, spec: DaemonSpec, logStart: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const { stdout } = child;
    if (stdout === null) throw new Error('standard output is a pipe');
    const fail = (how: string): void => {
      startFailure(spec, how, logStart).then(reject, reject);
    };
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? `status ${code}`}`));
    createInterface({ input: stdout }).once('line', () => {
      child.removeAllListeners('exit');
      // The daemon says no more there, and neither pipe nor child shall keep this process alive.
      stdout.destroy();
      child.unref();
      resolve();
    });
  });
}

async function startFailure(spec: DaemonSpec, how: string, logStart: number): Promise<Error> {
  const log = (await readFile(spec.log)).subarray(logStart);
  const tail = log
    .subarray(Math.max(0, log.length - logTailBytes))
    .toString('utf8')
    .trim();
  const said = tail === '' ? 'and its log is empty' : `the end of its log:\n${tail}`;
  return new CommandError('EIO', `${spec.name} ${how} before it was ready; ${said}`, {
    effect: 'what was started with it is stopped again',
    advice: `mend what it says, then weft up again; all of its log is in ${spec.log}`,
    path: spec.log,
  });
}

/** @returns the process that is this daemon now, also when somebody else started it again */
export async function findDaemon(daemon: DaemonRecord): Promise<ProcessId | undefined> {
  if (await isRunning(daemon)) return daemon;
  // Whoever locks its directory says its pid there; the words of its command line prove it.
  const holder = await readFile(join(daemon.dataDir, 'lock'), 'utf8').catch(() => '');
  const pid = holderPid(holder);
  if (pid === undefined) return undefined;
  const words = await commandLineOf(pid);
  if (!words.includes(daemon.dataDir)) return undefined;
  const started = await startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export interface StopOutcome {
  readonly name: string;
  readonly pid: number;
  /** It did not end by itself in time. */
  readonly killed: boolean;
}

/**
 * Asks a process to end, and ends it when it does not.
 * @param graceMs how long it is asked; 0 ends it at once
 */
export async function stopProcess(
  name: string,
  id: ProcessId,
  graceMs: number,
): Promise<StopOutcome> {
  if (graceMs > 0) {
    await signalProcess(id, 'SIGTERM');
    if (await waitForEnd(id, graceMs)) return { name, pid: id.pid, killed: false };
  }
  const killed = await signalProcess(id, 'SIGKILL');
  await waitForEnd(id, stopGraceMs);
  return { name, pid: id.pid, killed };
}
