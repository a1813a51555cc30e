/** Which daemons the calls of an open file wait for at the moment. */
import type { DaemonId } from './recovery-watch.ts';

export class RunningAsks {
  readonly #counts = new Map<DaemonId, number>();

  async during<R>(whom: DaemonId, answer: Promise<R>): Promise<R> {
    this.#add(whom, 1);
    try {
      return await answer;
    } finally {
      this.#add(whom, -1);
    }
  }

  include(whom: DaemonId): boolean {
    return (this.#counts.get(whom) ?? 0) > 0;
  }

  #add(whom: DaemonId, change: number): void {
    this.#counts.set(whom, (this.#counts.get(whom) ?? 0) + change);
  }
}
