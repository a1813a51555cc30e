/**
 * Keeps changes of one object in the order in which they were asked for, where they touch the same
 * bytes. All others run at once: a stream of writes waits for nothing.
 */
import { NumberMap } from '../../shared/number-map.ts';
import type { Soon } from '../../shared/soon.ts';
import type { Handle } from '../../shared/units.ts';

/** Bytes `from` .. `to` of an object. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export const wholeObject: ByteRange = { from: 0, to: Infinity };

interface Change extends ByteRange {
  /** Settled when the change has ended, well or not; never rejected. */
  readonly ended: Promise<unknown>;
}

export class ChangeOrder {
  readonly #running = new NumberMap<Handle, Change[]>();

  /** Runs `change` after all earlier ones that overlap its range. */
  run<T>(handle: Handle, { from, to }: ByteRange, change: () => Soon<T>): Soon<T> {
    const running = this.#running.get(handle) ?? [];
    const earlier = running.filter((one) => from < one.to && one.from < to);
    const result =
      earlier.length === 0 ? change() : Promise.all(earlier.map(({ ended }) => ended)).then(change);
    if (!(result instanceof Promise)) return result;
    const one: Change = { from, to, ended: result.then(ignore, ignore).finally(() => end()) };
    const end = (): void => {
      running.splice(running.indexOf(one), 1);
      if (running.length === 0) this.#running.delete(handle);
    };
    running.push(one);
    this.#running.set(handle, running);
    return result;
  }

  /** Returns when all changes that run or wait now have ended. */
  async settled(): Promise<void> {
    await Promise.all(
      this.#running
        .values()
        .flat()
        .map(({ ended }) => ended),
    );
  }
}

function ignore(): void {
  // Whoever asked for the change hears of its failure.
}
