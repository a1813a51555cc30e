/**
 * A set of numbers in order: adding, removing and going on from any number all cost little at any
 * size. Pages by number need no cursor object, and survive changes between them.
 */

/** A full chunk is halved. */
const chunkMax = 512;

export class SortedNumbers<T extends number> {
  /** Each in order and not empty, and every number below those of the next chunk. */
  readonly #chunks: T[][] = [];

  /** Does nothing when it is there. */
  add(value: T): void {
    const last = this.#chunks.length - 1;
    const at = Math.min(this.#chunkOf(value), last);
    const chunk = this.#chunks[at];
    const place = firstNotBelow(chunk ?? [], value);
    // What counts upward leaves full chunks behind.
    if (chunk === undefined || place === chunkMax) {
      this.#chunks.push([value]);
      return;
    }
    if (chunk[place] === value) return;
    if (chunk.length === chunkMax) {
      this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2));
      this.add(value);
      return;
    }
    chunk.splice(place, 0, value);
  }

  /** Does nothing when it is not there. */
  delete(value: T): void {
    const at = this.#chunkOf(value);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const place = firstNotBelow(chunk, value);
    if (chunk[place] !== value) return;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** All numbers from `from` on, in order. The set must not change while they are taken. */
  *from(from: number): Iterable<T> {
    let at = this.#chunkOf(from);
    let place = firstNotBelow(this.#chunks[at] ?? [], from);
    for (; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as T[];
      for (; place < chunk.length; place++) yield chunk[place] as T;
      place = 0;
    }
  }

  /** The first chunk that ends at `value` or beyond; the number of chunks when none does. */
  #chunkOf(value: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = this.#chunks[middle]?.at(-1) as T;
      if (end < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstNotBelow(chunk: readonly number[], value: number): number {
  let [low, high] = [0, chunk.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
