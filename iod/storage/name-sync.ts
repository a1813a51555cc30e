/**
 * Which directories hold names that power loss would take away. Known only for what this process
 * has seen: an earlier one may have been killed between a change and its sync, so every directory
 * counts as changed until it was synced once.
 */
import { dirname } from 'node:path';
import { limits } from '../../shared/limits.ts';
import type { Disk } from '../../shared/runtime/runtime.ts';

export class NameSync {
  readonly #disk: Disk;
  readonly #root: string;
  readonly #durable = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();

  /** @param root a directory whose own name is durable; all others are below it */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /** A name in `directory` has come or gone, just now. */
  changed(directory: string): void {
    this.#durable.delete(directory);
    // A sync that has begun may be too early for this change.
    this.#running.delete(directory);
  }

  /** All names in `directory`, and its own up to the root, are durable when it returns. */
  async sync(directory: string): Promise<void> {
    for (let at = directory; ; at = dirname(at)) {
      if (!this.#durable.has(at)) await (this.#running.get(at) ?? this.#start(at));
      if (at === this.#root) return;
    }
  }

  #start(directory: string): Promise<void> {
    const isLatest = (): boolean => this.#running.get(directory) === running;
    const running = this.#disk
      .syncDirectory(directory)
      .then(() => {
        if (!isLatest()) return;
        // To forget one costs a sync, no more.
        if (this.#durable.size >= limits.syncedDirectoriesMax) this.#durable.clear();
        this.#durable.add(directory);
      })
      .finally(() => {
        if (isLatest()) this.#running.delete(directory);
      });
    this.#running.set(directory, running);
    return running;
  }
}
