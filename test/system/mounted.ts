/** A cluster mounted in a directory, by a process of its own as `weft mount` starts it. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { limits } from '../../shared/limits.ts';
import { type ClusterWish, TestCluster } from './cluster-fixture.ts';
import { made, undone } from './keepsafe.ts';

const run = promisify(execFile);

/** Why this host can mount nothing; `undefined` when it can. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'no Linux';
  if (process.getuid?.() !== 0) return 'not root';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return 'no /dev/fuse';
  }
}

const noMounts = obstacle();

/**
 * A test that needs a mount: skipped by name where there can be none. One cluster at a time.
 * @param programs that it runs; where one is missing it is skipped as well
 */
export function mountTest(
  title: string,
  implementation: (t: ExecutionContext) => Promise<void>,
  programs: readonly string[] = [],
) {
  const absent = programs.find((program) => !isThere(program));
  const missing = noMounts ?? (absent && `no ${absent}`);
  if (missing === undefined) test.serial(title, implementation);
  else test.serial.skip(`${title} [${missing}]`, implementation);
}

function isThere(program: string): boolean {
  const directories = process.env['PATH']?.split(delimiter) ?? [];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

interface Report {
  readonly pid: number;
  readonly repaired: boolean;
  readonly metrics: string | null;
}

export class Mounted {
  readonly cluster: TestCluster;
  readonly directory: string;
  readonly pid: number;
  /** The process of a mount that had died was replaced. */
  readonly repaired: boolean;
  readonly metrics: string | null;

  private constructor(cluster: TestCluster, directory: string, { pid, repaired, metrics }: Report) {
    this.cluster = cluster;
    this.directory = directory;
    this.pid = pid;
    this.repaired = repaired;
    this.metrics = metrics;
  }

  static async start(
    t: ExecutionContext,
    wish: ClusterWish = {},
    options: readonly string[] = [],
  ): Promise<Mounted> {
    return Mounted.on(
      t,
      await TestCluster.start(t, { smallFileBytes: limits.smallFileBytesDefault, ...wish }),
      'mnt',
      options,
    );
  }

  /** One more mount of a cluster, or the repair of one. */
  static async on(
    t: ExecutionContext,
    cluster: TestCluster,
    name: string,
    options: readonly string[] = [],
  ): Promise<Mounted> {
    const directory = join(cluster.directory, name);
    // Of a dead mount this fails, as does all else.
    await mkdir(directory).catch(() => undefined);
    made('mount', directory);
    t.teardown(async () => {
      await run('umount', ['--lazy', directory]).catch(() => undefined);
      undone('mount', directory);
    });
    const log = join(cluster.directory, `${name}.log`);
    const outcome = await cluster.weft('mount', directory, '--json', '--log', log, ...options);
    if (outcome.code !== 0) throw new Error(`weft mount: ${outcome.stdout}${outcome.stderr}`);
    const report = JSON.parse(outcome.stdout) as Report;
    made('pid', report.pid);
    t.teardown(() => {
      killIfRunning(report.pid);
      undone('pid', report.pid);
    });
    return new Mounted(cluster, directory, report);
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  kill(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  /** A file that is given back with the test, so that none is closed when the mount is gone. */
  async open(t: ExecutionContext, name: string, flags: string): Promise<FileHandle> {
    const file = await open(this.path(name), flags);
    t.teardown(() => file.close().catch(() => undefined));
    return file;
  }

  /** Runs a program in the mount. @returns what it printed @throws when it fails */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const options = { cwd: this.directory, maxBuffer: 64 * 1024 * 1024 };
    return (await run(program, args, options)).stdout;
  }

  /** A shell script that stops at its first failure. */
  sh(script: string): Promise<string> {
    return this.run('sh', '-euc', script);
  }
}

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself, as it should.
  }
}

/** @returns the errno of what must fail */
export async function failure(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => 'nothing failed',
    (error: unknown) => (error as NodeJS.ErrnoException).code,
  );
}
