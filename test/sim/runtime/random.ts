/**
 * Seeded chance (sfc32). Each consumer forks a stream of its own by name, so that a new consumer
 * does not change what the others draw.
 */
import assert from 'node:assert/strict';
import type { Random } from '../../../shared/runtime/runtime.ts';

/** [least, most], uniform between. */
export type Range = readonly [number, number];

export class SimRandom implements Random {
  readonly #origin: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param origin seed and path of names; equal origins draw equal numbers */
  constructor(origin: string) {
    this.#origin = origin;
    this.#a = hash(origin, 0x9e3779b9);
    this.#b = hash(origin, 0x243f6a88);
    this.#c = hash(origin, 0xb7e15162);
    for (let i = 0; i < 15; i++) this.#next();
  }

  /** A stream of its own: depends on the names only, not on what was drawn before. */
  fork(name: string): SimRandom {
    return new SimRandom(`${this.#origin}/${name}`);
  }

  fraction(): number {
    return ((this.#next() >>> 5) * 0x400_0000 + (this.#next() >>> 6)) / 2 ** 53;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.#next() & 0xff;
    return bytes;
  }

  /** A fraction of `range`. */
  within([least, most]: Range): number {
    return least + (most - least) * this.fraction();
  }

  /** Integer from 0 to `bound - 1`. */
  below(bound: number): number {
    assert(bound >= 1, `nothing is below ${bound}`);
    return Math.floor(this.fraction() * bound);
  }

  /** True in `probability` of the cases. Draws nothing when it is 0. */
  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const index = this.below(from.length);
    return from[index] as T;
  }

  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }
}

/** FNV-1a with the last mixing step of murmur3, so that near names give far streams. */
function hash(text: string, basis: number): number {
  let h = basis | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
