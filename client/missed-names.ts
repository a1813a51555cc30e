/** Names that were not known when they were asked for: who looks for several in a directory mostly looks for many. */
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';

export class MissedNames {
  readonly #missed = new Map<Handle, number>();

  /** One was missed. @returns true: the directory is to be read whole, once */
  add(directory: Handle): boolean {
    if (this.#missed.size >= limits.directoriesWatchedMax) this.#missed.clear();
    const missed = (this.#missed.get(directory) ?? 0) + 1;
    this.#missed.set(directory, missed);
    return missed === limits.missesBeforeListing;
  }

  /** All its names are known. */
  forget(directory: Handle): void {
    this.#missed.delete(directory);
  }
}
