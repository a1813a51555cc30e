/**
 * Reads of files whose iods are on this host: what the thread that reads them has found goes to the
 * kernel from where it lies. While a program takes one piece of a file that it reads in order, the thread
 * reads the next, if there is a right to the file: then nobody can have written it when that is asked for.
 */
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import type { Control } from '../control.ts';
import { EarliestTimer } from '../earliest-timer.ts';
import type { File } from '../file.ts';
import type { SharedRange } from '../shared-range.ts';
import type { Known, Moment } from '../name-cache.ts';

/** Read before it was asked for. */
interface Ahead {
  readonly at: number;
  readonly length: number;
  /** Nobody had written the file since then when it was begun. */
  readonly since: Moment;
  readonly begunAt: number;
  readonly coming: Promise<SharedRange | undefined>;
}

/** What the kernel asks for. */
export interface StreamRead {
  /** The number of the open file. */
  readonly number: number;
  readonly file: Pick<File, 'share'>;
  /** Of the file at this moment; undefined: somebody may write it. */
  readonly known: Known | undefined;
  readonly offset: number;
  /** Not 0, and of a known file not beyond its end. */
  readonly length: number;
}

export class StreamReads {
  readonly #clock: Clock;
  /** Where the next read of each open file begins, if it goes on in order. */
  readonly #next = new Map<number, number>();
  /** By open file, in the order in which they were begun. */
  readonly #ahead = new Map<number, Ahead>();
  readonly #timer: EarliestTimer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = new EarliestTimer(clock, () => this.#dropOld());
  }

  /** @returns all of it; undefined, now or later: it is to be read otherwise. Never rejects */
  read(wanted: StreamRead, control: Control): Promise<SharedRange | undefined> | undefined {
    const { number, file, offset, length } = wanted;
    const isNext = this.#next.get(number) === offset;
    this.#next.set(number, offset + length);
    const coming = this.#take(wanted) ?? file.share(offset, length, control);
    return isNext && coming !== undefined ? this.#goOn(wanted, coming) : coming;
  }

  closed(number: number): void {
    this.#next.delete(number);
    this.#drop(number);
  }

  async #goOn(
    wanted: StreamRead,
    coming: Promise<SharedRange | undefined>,
  ): Promise<SharedRange | undefined> {
    const range = await coming;
    if (range !== undefined) this.#begin(wanted);
    return range;
  }

  /** The next piece. */
  #begin({ number, file, known, offset, length: asked }: StreamRead): void {
    if (known === undefined || !this.#next.has(number)) return;
    const at = offset + asked;
    const length = Math.min(asked, known.attr.size - at);
    if (length <= 0 || this.#ahead.has(number)) return;
    for (const [oldest] of this.#ahead) {
      if (this.#ahead.size < limits.fuseReadsAheadMax) break;
      this.#drop(oldest);
    }
    const coming = file.share(at, length, {});
    if (coming === undefined) return;
    this.#ahead.set(number, {
      at,
      length,
      since: known.since,
      begunAt: this.#clock.now(),
      coming,
    });
    this.#timer.within(limits.fuseReadAheadMs);
  }

  /** What was read ahead, if it is what is wanted now. */
  #take({ number, known, offset, length }: StreamRead): Ahead['coming'] | undefined {
    const ahead = this.#ahead.get(number);
    if (ahead === undefined) return undefined;
    if (ahead.since === known?.since && ahead.at === offset && ahead.length === length) {
      this.#ahead.delete(number);
      return ahead.coming;
    }
    this.#drop(number);
    return undefined;
  }

  #drop(number: number): void {
    const ahead = this.#ahead.get(number);
    this.#ahead.delete(number);
    void ahead?.coming.then((range) => range?.release());
  }

  /** Who has stopped reading keeps no memory from others. */
  #dropOld(): void {
    for (const [number, { begunAt }] of this.#ahead) {
      const leftMs = begunAt + limits.fuseReadAheadMs - this.#clock.now();
      if (leftMs > 0) {
        this.#timer.within(leftMs);
        return;
      }
      this.#drop(number);
    }
  }
}
