/**
 * The processes of this host as the system knows them. A pid alone says little: the system gives
 * it to another process in time. With the moment of its start it names one process for ever.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** One process, and no other that ever gets its pid. */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in words that only this file understands. */
  readonly started: string;
}

/** What the system says of a process now. */
interface ProcessStatus {
  readonly started: string;
  /** The letter of proc(5) and ps(1): `T` stands still after a signal. */
  readonly state: string;
}

/** @returns when the process started; `undefined` when there is none, or it has ended */
export async function startOf(pid: number): Promise<string | undefined> {
  return (await statusOf(pid))?.started;
}

export async function isRunning({ pid, started }: ProcessId): Promise<boolean> {
  return (await startOf(pid)) === started;
}

async function isStopped({ pid, started }: ProcessId): Promise<boolean> {
  const status = await statusOf(pid);
  return status?.started === started && status.state === 'T';
}

async function statusOf(pid: number): Promise<ProcessStatus | undefined> {
  if (process.platform !== 'linux') {
    const [started, state] = await Promise.all([ps(pid, 'lstart='), ps(pid, 'state=')]);
    return started === '' ? undefined : { started, state: state.slice(0, 1) };
  }
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
    ]);
    // The name stands in parentheses and may hold anything; field 3 follows it (proc(5)).
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const hasEnded = state === 'Z' || state === 'X';
    return hasEnded ? undefined : { started: `${boot.trim()} ${fields[18]}`, state };
  } catch {
    return undefined; // No such process is an answer.
  }
}

/** The words that the process was started with; none when there is no such process. */
export async function commandLineOf(pid: number): Promise<readonly string[]> {
  if (process.platform !== 'linux') return (await ps(pid, 'command=')).split(' ');
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  } catch {
    return [];
  }
}

/** @returns whether the process has ended in time */
export function waitForEnd(id: ProcessId, timeoutMs: number): Promise<boolean> {
  return waitUntil(async () => !(await isRunning(id)), timeoutMs);
}

/** Where a signal has stopped it, it runs on until it is next scheduled (signal(7)).
 * @returns whether the process stands still in time */
export function waitForStop(id: ProcessId, timeoutMs: number): Promise<boolean> {
  return waitUntil(() => isStopped(id), timeoutMs);
}

/** Of a process that is not our child the system tells nobody anything: ask again and again. */
async function waitUntil(holds: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() >= deadline) return false;
    await sleep(10);
  }
  return true;
}

/** Sends a signal to this very process. @returns false when it has ended */
export async function signalProcess(id: ProcessId, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(id))) return false;
  try {
    process.kill(id.pid, signal);
    return true;
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function ps(pid: number, column: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('ps', ['-p', String(pid), '-o', column], (error, stdout) => {
      resolve(error === null ? stdout.trim() : '');
    });
  });
}
