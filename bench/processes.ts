/** Processes of a benchmark: a crew of them does a task at once, and the time of all counts. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { modulePath } from '../scripts/project.ts';
import type { Outcome, Task } from './tasks.ts';

type Message = { readonly outcome: Outcome | undefined } | { readonly error: string };

/** @typeParam T what its program can be asked to do */
export class Worker<T extends object = Task> {
  readonly #child: ChildProcess;
  /** Its first word: it is ready. */
  readonly #ready: Promise<unknown>;
  #busy = false;

  /**
   * @param program beside this file
   * @param log where its standard error goes; by default to ours
   */
  constructor(program: string, log?: number) {
    const stdio = ['inherit', 'inherit', log ?? 'inherit', 'ipc'] as const;
    this.#child = fork(modulePath(`bench/${program}`), { stdio: [...stdio] });
    this.#ready = this.#next();
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  async perform(task: T): Promise<Outcome> {
    assert(!this.#busy, 'a worker does one task at a time');
    this.#busy = true;
    await this.#ready;
    const coming = this.#next();
    this.#child.send(task);
    try {
      const outcome = await coming;
      if (outcome === undefined) throw new Error('a worker said nothing');
      return outcome;
    } finally {
      this.#busy = false;
    }
  }

  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.disconnect(); // It ends when nobody is left to listen to it.
    await once(this.#child, 'exit');
  }

  #next(): Promise<Outcome | undefined> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const died = (code: number | null, signal: string | null): void => {
        reject(new Error(`a worker ended: ${signal ?? `status ${code}`}`));
      };
      child.once('exit', died);
      child.once('message', (message: Message) => {
        child.removeListener('exit', died);
        if ('error' in message) reject(new Error(message.error));
        else resolve(message.outcome);
      });
    });
  }
}

/** All at once, each with its own task. */
export async function performAll<T extends object>(
  workers: readonly Worker<T>[],
  taskOf: (worker: number) => T,
): Promise<Outcome> {
  const outcomes = await Promise.all(workers.map((worker, i) => worker.perform(taskOf(i))));
  return {
    done: sum(outcomes.map(({ done }) => done)),
    begun: Math.min(...outcomes.map(({ begun }) => begun)),
    ended: Math.max(...outcomes.map(({ ended }) => ended)),
    cpuUs: sum(outcomes.map(({ cpuUs }) => cpuUs)),
  };
}

export function perSecond({ done, begun, ended }: Outcome): number {
  return (done * 1000) / (ended - begun);
}

const tickUs = 10_000; // of the times in /proc/PID/stat

/** Processor time of a process until now, microseconds; NaN where the system does not tell. */
export function cpuUsOf(pid: number): number {
  // Behind the name of the program, which may hold anything: state, then user time as the 12th.
  const fields = procFile(pid, 'stat').replace(/^.*\)/s, '').trim().split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickUs;
}

/** Memory of a process, MiB: now, or the most it ever had; NaN where the system does not tell. */
export function residentMebibytes(pid: number, which: 'now' | 'peak'): number {
  const name = which === 'now' ? 'VmRSS' : 'VmHWM';
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(procFile(pid, 'status'));
  return Number(line?.[1]) / 1024;
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
