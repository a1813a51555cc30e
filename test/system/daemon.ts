/** One daemon as a process: started, killed, stopped and started again with the same command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { limits } from '../../shared/limits.ts';
import { kept } from './keepsafe.ts';
import { projectPath } from '../../scripts/project.ts';

export type Role = 'mgr' | 'iod';

export interface DaemonSpec {
  readonly role: Role;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly log: string;
  readonly args: readonly string[];
  /** Other limits than those of `shared/limits.ts`: shorter leases, for tests that wait for them. */
  readonly limits?: Limits | undefined;
}

export type Limits = Partial<Record<keyof typeof limits, number>>;

export interface LaunchOptions {
  readonly more?: readonly string[];
  /** Dies there by itself: `NAME`, or `NAME:N` for the N-th time. */
  readonly killPoint?: string | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What was built, as it is shipped. @throws Error when it was not */
export function builtProgram(path: string): string {
  const file = projectPath(`dist/${path}`);
  if (existsSync(file)) return file;
  throw new Error(`${file} is missing: npm run build`);
}

/** For `node`: the limits are set before the program begins. */
function limitWords(changed: Limits | undefined): readonly string[] {
  if (changed === undefined) return [];
  const { href } = pathToFileURL(builtProgram('shared/limits.js'));
  const code = `import { limits } from '${href}'; Object.assign(limits, ${JSON.stringify(changed)})`;
  return [`--import=data:text/javascript,${encodeURIComponent(code)}`];
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

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Settles when the process that runs now has ended. */
  get ended(): Promise<Exit> {
    return this.#exit;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Returns when it is ready. @throws Error when it ends before, with what it said */
  async start(options: LaunchOptions = {}): Promise<void> {
    const { ready } = await this.launch(options);
    await ready;
  }

  /** Starts it without waiting: `ready` tells when it serves. */
  async launch({ more = [], killPoint }: LaunchOptions = {}): Promise<Launched> {
    const { role, dataDir, log, args, name, limits } = this.spec;
    await mkdir(dirname(log), { recursive: true });
    const output = await open(log, 'a');
    const program = [...limitWords(limits), builtProgram(`${role}/main.js`)];
    const words = [...program, '--data', dataDir, ...args, ...more, '--print-ready'];
    const child = kept(
      spawn(process.execPath, words, {
        stdio: ['ignore', 'pipe', output.fd],
        env: { ...process.env, WEFT_KILL_POINT: killPoint ?? '' },
      }),
    );
    await output.close();
    const { pid, stdout } = child;
    if (pid === undefined || stdout === null) throw new Error(`${name} was not started`);
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
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

interface Launched {
  /** It serves. @throws Error when it ends before, with what it said */
  readonly ready: Promise<void>;
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
  const child = kept(
    spawn(process.execPath, [builtProgram(path), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    }),
  );
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
