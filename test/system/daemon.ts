/** One daemon as a process: started, killed, stopped and started again with the same command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { made, undone } from './keepsafe.ts';

export type Role = 'mgr' | 'iod';

export interface DaemonSpec {
  readonly role: Role;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly log: string;
  readonly args: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What was built, as it is shipped. @throws Error when it was not */
export function builtProgram(path: string): string {
  const file = `${root}dist/${path}`;
  if (existsSync(file)) return file;
  throw new Error(`${file} is missing: npm run build`);
}

export class Daemon {
  readonly spec: DaemonSpec;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor(spec: DaemonSpec) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Returns when it is ready. @throws Error when it ends before, with what it said */
  async start(more: readonly string[] = []): Promise<void> {
    await (
      await this.launch(more)
    ).ready;
  }

  /** Starts it without waiting: `ready` tells when it serves. */
  async launch(more: readonly string[] = []): Promise<{ readonly ready: Promise<void> }> {
    const { role, dataDir, log, args, name } = this.spec;
    await mkdir(dirname(log), { recursive: true });
    const output = await open(log, 'a');
    const words = [builtProgram(`${role}/main.js`), '--data', dataDir, ...args, ...more];
    const child = spawn(process.execPath, [...words, '--print-ready'], {
      stdio: ['ignore', 'pipe', output.fd],
    });
    await output.close();
    const { pid, stdout } = child;
    if (pid === undefined || stdout === null) throw new Error(`${name} was not started`);
    made('pid', pid);
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code, signal]) => {
      undone('pid', pid);
      return { code, signal };
    });
    const line = once(createInterface({ input: stdout }), 'line');
    const ended = this.#exit.then(async ({ code, signal }) => {
      throw new Error(`${name} ended with ${signal ?? `status ${code}`}:\n${await this.logTail()}`);
    });
    const ready = Promise.race([line, ended]).then(() => undefined);
    // Heard by those who wait for it.
    ready.catch(() => undefined);
    return { ready };
  }

  /** `kill -9`; returns when it is gone. */
  kill(): Promise<Exit> {
    return this.end('SIGKILL');
  }

  /** Asks it to end; returns when it has. */
  stop(): Promise<Exit> {
    return this.end('SIGTERM');
  }

  end(signal: NodeJS.Signals): Promise<Exit> {
    if (this.isRunning) this.#child?.kill(signal);
    return this.#exit;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async logText(): Promise<string> {
    return readFile(this.spec.log, 'utf8').catch(() => '');
  }

  async logTail(lines = 25): Promise<string> {
    return (await this.logText()).trimEnd().split('\n').slice(-lines).join('\n');
  }
}

export interface Outcome extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of ours to its end. */
export async function runProgram(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [builtProgram(path), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const { pid } = child;
  if (pid !== undefined) made('pid', pid);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  if (pid !== undefined) undone('pid', pid);
  return { code, signal, stdout, stderr };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
