/** A daemon of the cluster that is killed and started again by the command that `weft up` told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DaemonRecord } from '../cluster.ts';
import { cpuUsOf, residentMebibytes } from '../processes.ts';

export interface Start {
  /** From its exec until it said that it is ready. */
  readonly ms: number;
  /** Its processor time until then. */
  readonly cpuMs: number;
  /** Milliseconds of the epoch. */
  readonly readyAt: number;
  /** Bytes that it had read from files and sockets by then. */
  readonly readBytes: number;
}

export class RestartableDaemon {
  readonly name: string;
  readonly #command: readonly string[];
  #pid: number;
  #child: ChildProcess | undefined;

  constructor({ name, pid, command }: DaemonRecord) {
    this.name = name;
    this.#pid = pid;
    this.#command = command;
  }

  residentMebibytes(which: 'now' | 'peak' = 'now'): number {
    return residentMebibytes(this.#pid, which);
  }

  /** Its processor time since its start. */
  get cpuMs(): number {
    return cpuUsOf(this.#pid) / 1000;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends it, and waits until nothing of it is left. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const exited = this.#child && once(this.#child, 'exit');
    this.signal(signal);
    await (exited ?? gone(this.#pid));
    this.#child = undefined;
  }

  async start(): Promise<Start> {
    const [program, ...words] = this.#command;
    const { child, ms } = await firstWord(program ?? process.execPath, words);
    const readyAt = performance.timeOrigin + performance.now();
    this.#child = child;
    this.#pid = child.pid ?? 0;
    return { ms, cpuMs: this.cpuMs, readyAt, readBytes: bytesRead(this.#pid) };
  }
}

/** How long Node itself takes from its exec to the first word of a program, milliseconds. */
export async function startOfNode(): Promise<number> {
  const { child, ms } = await firstWord(process.execPath, ['-e', 'console.log("here")']);
  await once(child, 'exit');
  return ms;
}

async function firstWord(
  program: string,
  words: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly ms: number }> {
  const begun = performance.now();
  const child = spawn(program, words, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return { child, ms: performance.now() - begun };
}

/** NaN where the system does not tell. */
function bytesRead(pid: number): number {
  try {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

/** It is nobody's child here, so nobody tells of its end. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
