/** The processes of the clients, as the benchmark sees them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Beats, Reply, Request } from './messages.ts';

export class Holder {
  readonly #child: ChildProcess = fork(
    fileURLToPath(new URL('holder-process.ts', import.meta.url)),
  );
  readonly #death: Promise<never> = once(this.#child, 'exit').then(() => {
    throw new Error('a client has died');
  });

  constructor() {
    // Heard by those who ask.
    this.#death.catch(() => undefined);
  }

  /** One at a time. @throws Error when the process has died */
  async ask(request: Request): Promise<readonly Beats[]> {
    const child = this.#child;
    child.send(request);
    const [reply] = (await Promise.race([once(child, 'message'), this.#death])) as [Reply];
    return reply.beats;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
