/** The command `weft` as a user runs it: a process of its own, as it was built. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { stopCluster } from '../../client/cli/local-cluster/local-cluster.ts';
import { builtProgram } from './daemon.ts';
import { kept, made, undone } from './keepsafe.ts';
import { programWords, projectPath } from '../../scripts/project.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface UpReport {
  readonly schema: number;
  readonly url: string;
  readonly dataDir: string;
  readonly alreadyUp: boolean;
  readonly daemons: readonly {
    readonly role: string;
    readonly name: string;
    readonly url: string;
    readonly pid: number;
    readonly dataDir: string;
    readonly log: string;
    readonly command: readonly string[];
  }[];
}

/** A directory that goes with the test, and with it whatever cluster was started there. */
export async function clusterDirectory(t: ExecutionContext): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-cli-'));
  made('directory', dataDir);
  made('cluster', dataDir);
  t.teardown(async () => {
    await stopCluster(dataDir);
    undone('cluster', dataDir);
    await rm(dataDir, { recursive: true });
    undone('directory', dataDir);
  });
  return dataDir;
}

export async function up(dataDir: string, ...more: readonly string[]): Promise<UpReport> {
  const args = ['up', '--data', dataDir, '--port', '0', '--detach', '--json', ...more];
  const { code, stdout, stderr } = await weft({}, ...args);
  if (code !== 0) throw new Error(`weft up: ${stderr}${stdout}`);
  return JSON.parse(stdout) as UpReport;
}

/** A program of ours that runs: what is shipped as it was built, a test's own from its source. */
export class Running {
  readonly exited: Promise<Outcome>;
  readonly #child: ReturnType<typeof spawn>;
  readonly #lines = new Set<(line: string) => void>();

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const words = program.endsWith('.ts') ? programWords(program) : [builtProgram(program)];
    const child = kept(
      spawn(process.execPath, [...words, ...args], {
        cwd: projectPath(),
        env: { ...process.env, NO_COLOR: '1', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
    this.#child = child;
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => (said[name] += chunk.toString('latin1')));
      createInterface({ input: child[name] }).on('line', (line) => {
        for (const listener of this.#lines) listener(line);
      });
    }
    this.exited = once(child, 'close').then(() => ({
      code: child.exitCode,
      stdout: Buffer.from(said.stdout, 'latin1').toString('utf8'),
      stderr: Buffer.from(said.stderr, 'latin1').toString('utf8'),
    }));
  }

  /** Resolves at the first line, on either output, that matches. @throws when it ends before */
  async says(pattern: RegExp): Promise<string> {
    const line = new Promise<string>((resolve) => {
      this.#lines.add((text) => {
        if (pattern.test(text)) resolve(text);
      });
    });
    const ended = this.exited.then(({ stdout, stderr }) => {
      throw new Error(`it ended without saying ${String(pattern)}: ${stdout}${stderr}`);
    });
    ended.catch(() => undefined); // Of interest only while the line has not come.
    return Promise.race([line, ended]);
  }

  input(content: Uint8Array | string): void {
    this.#child.stdin?.end(content);
  }

  /** Reads no more of what it says. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export interface Given {
  readonly url?: string;
  readonly stdin?: Uint8Array | string;
}

export async function weft(given: Given, ...args: readonly string[]): Promise<Outcome> {
  const running = new Running('client/cli/main.js', args, { WEFT_URL: given.url ?? '' });
  running.input(given.stdin ?? '');
  return running.exited;
}

/** Starts a daemon by the command that `weft up` reports, from the folder of the installation. */
export async function startByCommand(
  t: ExecutionContext,
  command: readonly string[],
): Promise<{ readonly pid: number }> {
  const [program = '', ...words] = command;
  const child = kept(
    spawn(program, words, { cwd: projectPath(), stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  t.teardown(() => child.kill('SIGKILL'));
  const line = once(createInterface({ input: child.stdout }), 'line');
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${command.join(' ')} ended with ${signal ?? code} before it was ready`);
  });
  ended.catch(() => undefined); // Of interest only while the line has not come.
  await Promise.race([line, ended]);
  return { pid: child.pid ?? 0 };
}
