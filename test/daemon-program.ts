/** A daemon of ours as a process of its own, from its sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { kept } from './system/keepsafe.ts';
import { programWords, projectPath } from '../scripts/project.ts';

export class DaemonProgram {
  readonly child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  errors = '';
  readonly #lines: AsyncIterator<string>;

  constructor(t: ExecutionContext, role: 'mgr' | 'iod', words: readonly string[]) {
    this.child = kept(
      spawn(process.execPath, [...programWords(`${role}/main.ts`), ...words], {
        cwd: projectPath(),
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('both are pipes');
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number);
    t.teardown(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** The line that says that it is ready. */
  async ready(): Promise<Record<string, unknown>> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`it ended: ${this.errors}`);
    return JSON.parse(line.value) as Record<string, unknown>;
  }
}
