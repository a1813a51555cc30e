/**
 * The digest of a set of opens, by which a mgr and an iod find out whether they know the same ones:
 * the sum of a 64-bit hash of each, so that neither has to put them in order. Pure.
 * Why this one: docs/decisions/0009-digests-of-opens.md.
 */

/** 64 bits as two unsigned numbers. */
export interface Digest {
  readonly low: number;
  readonly high: number;
}

export class OpenDigest implements Digest {
  #low = 0;
  #high = 0;

  get low(): number {
    return this.#low;
  }

  get high(): number {
    return this.#high;
  }

  /** One open more; each is to be added once. */
  add(handle: number, session: number, rights: number, sequence: number): void {
    this.#low = (this.#low + hash(lowLane, handle, session, rights, sequence)) >>> 0;
    this.#high = (this.#high + hash(highLane, handle, session, rights, sequence)) >>> 0;
  }

  /** All opens of another set more. */
  include({ low, high }: Digest): void {
    this.#low = (this.#low + low) >>> 0;
    this.#high = (this.#high + high) >>> 0;
  }

  /** All opens of another set less: they were added. */
  exclude({ low, high }: Digest): void {
    this.#low = (this.#low - low) >>> 0;
    this.#high = (this.#high - high) >>> 0;
  }
}

export function isSameDigest(a: Digest, b: Digest): boolean {
  return a.low === b.low && a.high === b.high;
}

/** Odd numbers: multiplying by them loses nothing. Those of MurmurHash3, for its two lanes. */
interface Lane {
  readonly seed: number;
  readonly factor: number;
}
const lowLane: Lane = { seed: 0x9e37_79b9, factor: 0xcc9e_2d51 };
const highLane: Lane = { seed: 0x1b87_3593, factor: 0x85eb_ca6b };

/** 32 bits; each step can be undone, so two opens that differ in one number never collide. */
function hash(lane: Lane, handle: number, session: number, rights: number, sequence: number) {
  let mixed = lane.seed;
  mixed = mix(mix(mixed, handle, lane.factor), handle / 2 ** 32, lane.factor);
  mixed = mix(mix(mixed, session, lane.factor), session / 2 ** 32, lane.factor);
  mixed = mix(mix(mixed, sequence, lane.factor), sequence / 2 ** 32, lane.factor);
  mixed = mix(mixed, rights, lane.factor);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function mix(mixed: number, word: number, factor: number): number {
  const product = Math.imul(mixed ^ word, factor);
  return product ^ (product >>> 15);
}
