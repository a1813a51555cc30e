/**
 * Buffers that are used again: a fresh one of 256 KiB costs a page fault for each of its pages, and
 * even one of 4 KiB memory of its own, which the collector frees. Smaller ones come from Node's slab.
 */
import assert from 'node:assert/strict';

const KiB = 1024;
const classesBytes = [4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, 1024 * KiB] as const;
/** Node's slab takes less. */
const pooledFromBytes = 4 * KiB;

export class BufferPool {
  readonly #free: ArrayBufferLike[][] = classesBytes.map(() => []);
  readonly #keepBytesMax: number;
  #keptBytes = 0;

  constructor(keepBytesMax: number) {
    this.#keepBytesMax = keepBytesMax;
  }

  /** A buffer of exactly this length; its content is whatever was there before. */
  take(lengthBytes: number): Uint8Array {
    const at = classOf(lengthBytes);
    if (at === undefined) return Buffer.allocUnsafe(lengthBytes);
    const size = classesBytes[at] ?? 0;
    const kept = this.#free[at]?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, lengthBytes);
    this.#keptBytes -= size;
    return Buffer.from(kept, 0, lengthBytes);
  }

  /** Gives back what `take` gave. The caller must not touch it afterwards. */
  give(buffer: Uint8Array): void {
    const at = classOf(buffer.length);
    if (at === undefined) return;
    const size = classesBytes[at] ?? 0;
    assert(buffer.buffer.byteLength === size, 'a buffer goes back to the pool it came from');
    if (this.#keptBytes + size > this.#keepBytesMax) return;
    this.#keptBytes += size;
    this.#free[at]?.push(buffer.buffer);
  }
}

function classOf(lengthBytes: number): number | undefined {
  if (lengthBytes < pooledFromBytes) return undefined;
  const at = classesBytes.findIndex((size) => lengthBytes <= size);
  return at < 0 ? undefined : at;
}
