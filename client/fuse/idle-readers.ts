/**
 * Files that programs have read and closed. The mgr is told a while later: whoever opens one of them
 * again by then, as shells, compilers and git do all the time, waits for nobody.
 */
import { limits } from '../../shared/limits.ts';
import type { Clock, Timer } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import type { File } from '../file.ts';

interface Idle {
  readonly file: File;
  readonly since: number;
  readonly giveBack: () => void;
}

export class IdleReaders {
  readonly #clock: Clock;
  /** One of each file; what was closed longest ago is the first. */
  readonly #idle = new Map<Handle, Idle>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param giveBack runs when nobody has taken it again in time */
  keep(file: File, giveBack: () => void): void {
    this.#drop(file.handle);
    if (this.#idle.size >= limits.fuseIdleReadersMax) this.#dropLongest();
    this.#idle.set(file.handle, { file, since: this.#clock.now(), giveBack });
    this.#watch();
  }

  /** It is open again. */
  take(handle: Handle): File | undefined {
    const idle = this.#idle.get(handle);
    this.#idle.delete(handle);
    return idle?.file;
  }

  #drop(handle: Handle): void {
    const idle = this.#idle.get(handle);
    this.#idle.delete(handle);
    idle?.giveBack();
  }

  #dropLongest(): void {
    const [longest] = this.#idle.keys();
    if (longest !== undefined) this.#drop(longest);
  }

  /** Who is the first is asked seldom: the map looks through all that were taken since. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#idle.values();
    if (first === undefined) return;
    const leftMs = first.since + limits.fuseIdleReaderMs - this.#clock.now();
    this.#timer = this.#clock.timer(Math.max(0, leftMs), () => {
      this.#timer = undefined;
      // With those that would be due soon: what is given back together shares a commit.
      const dueSince = this.#clock.now() - limits.fuseIdleReaderMs / 2;
      for (const [handle, { since }] of this.#idle) if (since <= dueSince) this.#drop(handle);
      this.#watch();
    });
  }
}
