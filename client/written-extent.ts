/** How far a file was written through one open of it, as the mgr is to be told. */
import type { Timestamp } from '../shared/units.ts';

export interface Extent {
  readonly size: number;
  readonly modified: Timestamp;
  /** Perhaps not all up to there. */
  readonly mayHaveHoles: boolean;
}

export class WrittenExtent {
  /** End of the last byte that an iod has taken, and when it did. */
  #end = 0;
  #modified: Timestamp | undefined;
  /** The file has, or is about to get, bytes up to there. */
  #begunTo: number;
  #hasGap = false;
  /** A write failed: an iod may have stored some of what it has not acknowledged. */
  #isUncertain = false;
  /** Something was written since the mgr was told how far. */
  #isUntold = false;

  /** @param size that the file had before, if not more */
  constructor(size: number) {
    this.#begunTo = size;
  }

  /** Bytes are about to be written. @param isReserved what is before them is others' to write */
  begin(at: number, length: number, isReserved: boolean): void {
    if (at > this.#begunTo && length > 0 && !isReserved) this.#hasGap = true;
    this.#begunTo = Math.max(this.#begunTo, at + length);
  }

  /** Bytes up to there are at an iod. */
  reach(end: number, now: Timestamp): void {
    this.#end = Math.max(this.#end, end);
    this.#modified = now;
    this.#isUntold = true;
  }

  fail(): void {
    this.#isUncertain = true;
  }

  /** The iods were asked: bytes of a failed write count too where they are. */
  learn({ size, modified }: Pick<Extent, 'size' | 'modified'>): void {
    this.#end = Math.max(this.#end, size);
    this.#modified ??= modified;
    this.#isUntold = true;
  }

  cut(size: number): void {
    this.#end = Math.min(this.#end, size);
    this.#begunTo = Math.min(this.#begunTo, size);
  }

  /** What was written so far counts as written at this time, which the file has got. */
  retime(modified: Timestamp): void {
    if (this.#modified !== undefined) this.#modified = modified;
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  /** `undefined`: nothing was written. */
  get all(): Extent | undefined {
    if (this.#modified === undefined) return undefined;
    const mayHaveHoles = this.#hasGap || this.#isUncertain;
    return { size: this.#end, modified: this.#modified, mayHaveHoles };
  }

  /** What the mgr was not told of. */
  get untold(): Extent | undefined {
    return this.#isUntold ? this.all : undefined;
  }

  /** Tells the mgr. @throws as `tell` rejects: then it is still to be told */
  async tell<T>(tell: () => Promise<T>): Promise<T> {
    const wasUntold = this.#isUntold;
    this.#isUntold = false;
    try {
      return await tell();
    } catch (error) {
      this.#isUntold ||= wasUntold;
      throw error;
    }
  }
}
