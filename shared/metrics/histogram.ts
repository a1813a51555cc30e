/** Counts by size, in plain numbers: what a hot path can afford. */

/** A histogram as it is now. */
export interface HistogramReading {
  /** Upper bounds of the buckets, rising; one more bucket is for what is above them all. */
  readonly bounds: readonly number[];
  /** Of each bucket by itself, not of those below it. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

export class Histogram implements HistogramReading {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (value > (bounds[bucket] ?? Infinity)) bucket++;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}
