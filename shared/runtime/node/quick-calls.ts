/**
 * Opens, removals, reads and writes of files without a thread of the pool. What the caches of the system
 * serve is done in a few microseconds, sooner than a thread is woken; what they do not would hold
 * up everybody else. Nobody can ask beforehand which it will be, so the last call tells of the next: after a slow one
 * the pool takes over for a while, twice as long each time that another slow one follows.
 */

/** A call that takes longer has waited for a disk, or moves so much that a thread hardly counts. */
const slowMs = 0.5;
const bytesMax = 256 * 1024;
const pooledMin = 16;
const pooledMax = 4096;

export class QuickCalls {
  readonly #now: () => number;
  /** Calls that the pool is still to take. */
  #pooled = 0;
  #pooledNext = pooledMin;

  /** @param now monotonic, milliseconds with fractions */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Makes the call at once, if that is likely to be quick.
   * @param bytes how many it would move
   * @returns what it returned: bytes moved, a descriptor; or 0 when it was not made and the pool is
   *   to be asked
   */
  run(bytes: number, call: () => number): number {
    if (bytes > bytesMax || !this.isNext()) return 0;
    const begun = this.#now();
    const moved = call();
    this.took(this.#now() - begun);
    return moved;
  }

  /** @returns false when the next call is to be made by somebody else; whoever asks makes a call */
  isNext(): boolean {
    if (this.#pooled === 0) return true;
    this.#pooled--;
    return false;
  }

  /** A call has taken so long. */
  took(ms: number): void {
    if (ms <= slowMs) {
      this.#pooledNext = pooledMin;
    } else if (this.#pooled === 0) {
      this.#pooled = this.#pooledNext;
      this.#pooledNext = Math.min(pooledMax, this.#pooledNext * 2);
    }
  }
}
