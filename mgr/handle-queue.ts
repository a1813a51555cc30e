/**
 * What changes the size of a file asks its iods, and must not meet another such change of the same
 * file half-way: one at a time, first come, first served, each file for itself.
 */
import { FsError } from '../shared/errno.ts';
import { Fifo } from '../shared/fifo.ts';
import { limits } from '../shared/limits.ts';
import { NumberMap } from '../shared/number-map.ts';
import type { Staged } from '../shared/rpc/service.ts';
import type { Handle } from '../shared/units.ts';

export class HandleQueue {
  /** Tasks that wait behind the one that runs; a file without an entry is idle. */
  readonly #waiting = new NumberMap<Handle, Fifo<() => void>>();

  /** Tasks that wait, of all files. */
  get waitingCount(): number {
    let count = 0;
    for (const { size } of this.#waiting.values()) count += size;
    return count;
  }

  /** True while a task of the file runs. */
  isBusy(handle: Handle): boolean {
    return this.#waiting.has(handle);
  }

  /**
   * Runs `task` when all that came before it is done.
   * @param request whose turn it is
   * @returns what it returns @throws FsError EAGAIN, WEFT_E_BUSY: too many wait; what it throws
   */
  async run<T>(handle: Handle, task: () => Promise<T>, request?: Staged): Promise<T> {
    const waiting = this.#waiting.get(handle);
    if (waiting === undefined) {
      this.#waiting.set(handle, new Fifo());
    } else {
      if (request) request.stage = { at: 'turn', handles: [handle] };
      await this.#turn(handle, waiting);
    }
    if (request) request.stage = { at: 'iods', handles: [handle] };
    try {
      return await task();
    } finally {
      this.#next(handle);
    }
  }

  #turn(handle: Handle, waiting: Fifo<() => void>): Promise<void> {
    if (waiting.size >= limits.sizeChangesQueuedMax) {
      throw new FsError('EAGAIN', {
        id: 'WEFT_E_BUSY',
        what: `${waiting.size} changes of the size of file ${handle} are waiting`,
        retryAfterMs: 50,
      });
    }
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  }

  #next(handle: Handle): void {
    const next = this.#waiting.get(handle)?.shift();
    if (next === undefined) this.#waiting.delete(handle);
    else next();
  }
}
