/**
 * Numbers given out upward and never again, also across crashes: the store keeps a bound that no
 * number reaches before the bound was moved on, a block at a time.
 */
import { limits } from '../../shared/limits.ts';
import type { MetaStore } from './meta-store.ts';
import type { SettingRow } from './rows.ts';

export class Counter {
  readonly #key: string;
  #next: number;
  /** The store has it, or will have it with the commit of this tick. */
  #bound: number;

  /** @param first the number to begin with in an empty store */
  constructor(store: MetaStore, key: string, first: number) {
    this.#key = key;
    this.#next = Number(store.setting(key) ?? first);
    this.#bound = this.#next;
  }

  /** True when `reserve` is due: before `take`, while half a block is still left. */
  get low(): boolean {
    return this.#bound - this.#next < limits.counterBlock / 2;
  }

  reserve(): SettingRow {
    this.#bound = this.#next + limits.counterBlock;
    return { key: this.#key, value: String(this.#bound) };
  }

  take(): number {
    return this.#next++;
  }

  /** @param count no more than half a block @returns the first of so many */
  takeSome(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  /** True of a number that was given out, perhaps by somebody who ran before us. */
  hasGiven(number: number): boolean {
    return number < this.#next;
  }

  /** Reservations of this tick were lost: the next number needs a new one. */
  forget(): void {
    this.#bound = this.#next;
  }
}
