/**
 * Buffers that are lent to the network or the disk and must not change until they are given back.
 * The bytes are copied when they are lent; a change is found by comparing when they are returned.
 */
import { ContractBreach } from './failure.ts';

export class BorrowedBytes {
  /** The bytes as they were lent. */
  readonly image: Buffer;
  readonly #segments: readonly Uint8Array[];

  constructor(segments: readonly Uint8Array[]) {
    this.image = Buffer.concat(segments);
    this.#segments = [...segments];
  }

  /** @throws ContractBreach when the owner changed a byte meanwhile */
  checkUnchanged(lentTo: string): void {
    let at = 0;
    for (const segment of this.#segments) {
      const lent = this.image.subarray(at, at + segment.length);
      if (lent.compare(segment) !== 0) {
        const byte = at + lent.findIndex((value, i) => value !== segment[i]);
        throw new ContractBreach(
          `a buffer was used again before ${lentTo} had taken it: byte ${byte} of ${this.image.length} changed`,
        );
      }
      at += segment.length;
    }
  }
}
