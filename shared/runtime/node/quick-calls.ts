/**
 * Opens, removals, reads and writes of files without a thread of the pool. What the caches of the system
 * serve is done in a few microseconds, sooner than a thread is woken; what they do not would hold
 * up everybody else. Nobody can ask beforehand which it will be, so the last calls tell of the next: after a slow
 * one the next are watched, and when one of these has waited for a disk the pool takes over for a while, twice as
 * long each time that another one follows.
 */

/** A call that takes longer, and has slept in it, has waited for a disk. */
const slowMs = 0.5;
const bytesMax = 256 * 1024;
const pooledMin = 16;
const pooledMax = 4096;
/** After a call that took longer, of so many it is looked whether they sleep, which costs some microseconds each. */
const watchedCalls = 64;

/** By what calls are judged. */
export interface CallClock {
  /** Monotonic, milliseconds with fractions. */
  now(): number;
  /**
   * How often this process has slept: `ru_nvcsw` of getrusage(2). Who merely had to leave his processor
   * to others has not.
   */
  sleeps(): number;
}

const systemClock: CallClock = {
  now: () => performance.now(),
  sleeps: () => process.resourceUsage().voluntaryContextSwitches,
};

export class QuickCalls {
  readonly #clock: CallClock;
  /** Calls that the pool is still to take. */
  #pooled = 0;
  #pooledNext = pooledMin;
  #watched = 0;

  constructor(clock: CallClock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Makes the call at once, if that is likely to be quick.
   * @param bytes how many it would move
   * @returns what it returned: bytes moved, a descriptor; or 0 when it was not made and the pool is
   *   to be asked
   */
  run(bytes: number, call: () => number): number {
    if (bytes > bytesMax || !this.isNext()) return 0;
    const isWatched = this.#watched > 0;
    if (isWatched) this.#watched--;
    const slept = isWatched ? this.#clock.sleeps() : 0;
    const begun = this.#clock.now();
    const moved = call();
    const ms = this.#clock.now() - begun;
    const isSlow = ms > slowMs;
    if (isSlow) this.#watched = watchedCalls;
    // On a busy host most that are slow were only kept from their processor, and so would the pool be.
    if (!isSlow || (isWatched && this.#clock.sleeps() !== slept)) this.took(ms);
    return moved;
  }

  /** @returns false when the next call is to be made by somebody else; whoever asks makes a call */
  isNext(): boolean {
    if (this.#pooled === 0) return true;
    this.#pooled--;
    return false;
  }

  /** A call has taken so long, and may have slept. */
  took(ms: number): void {
    if (ms <= slowMs) {
      this.#pooledNext = pooledMin;
    } else if (this.#pooled === 0) {
      this.#pooled = this.#pooledNext;
      this.#pooledNext = Math.min(pooledMax, this.#pooledNext * 2);
    }
  }
}
