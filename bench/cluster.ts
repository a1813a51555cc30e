/** A cluster of real processes in a temporary directory, started and stopped by the `weft` command. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtPath } from './built.ts';
import { cpuUsOf, residentMebibytes, sum } from './processes.ts';

/** As `weft up` tells of it. */
export interface DaemonRecord {
  readonly role: 'mgr' | 'iod';
  readonly name: string;
  readonly pid: number;
  /** Where its standard error goes. */
  readonly log: string;
  /** Starts it again. */
  readonly command: readonly string[];
}

const run = promisify(execFile);

export class BenchCluster {
  readonly directory: string;
  readonly url: string;
  /** From the command to its answer that all is ready. */
  readonly upMs: number;
  readonly daemons: readonly DaemonRecord[];

  private constructor(
    directory: string,
    url: string,
    upMs: number,
    daemons: readonly DaemonRecord[],
  ) {
    this.directory = directory;
    this.url = url;
    this.upMs = upMs;
    this.daemons = daemons;
  }

  static async start(iods: number): Promise<BenchCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'));
    const begun = performance.now();
    const words = ['up', '--detach', '--json', '--iods', String(iods), '--port', '0'];
    try {
      const { stdout } = await weft([...words, '--data', directory]);
      const upMs = performance.now() - begun;
      const { url, daemons } = JSON.parse(stdout) as { url: string; daemons: DaemonRecord[] };
      return new BenchCluster(directory, url, upMs, daemons);
    } catch (error: unknown) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Processor time of all daemons until now, microseconds. */
  cpuUs(): number {
    return sum(this.daemons.map(({ pid }) => cpuUsOf(pid)));
  }

  /** Runs `weft` with this cluster. @returns what it printed */
  async weft(...words: readonly string[]): Promise<string> {
    return (await weft([...words, '--url', this.url])).stdout;
  }

  /** Of the largest daemon of the role. */
  residentMebibytes(role: DaemonRecord['role'], which: 'now' | 'peak'): number {
    const ofRole = this.daemons.filter((daemon) => daemon.role === role);
    return Math.max(...ofRole.map(({ pid }) => residentMebibytes(pid, which)));
  }

  async stop(): Promise<void> {
    try {
      await weft(['down', '--data', this.directory]);
    } finally {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}

function weft(words: readonly string[]): Promise<{ stdout: string }> {
  return run(process.execPath, [builtPath('client/cli/main.js'), ...words]);
}
