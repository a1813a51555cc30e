/**
 * Pairs of numbers, each at a place that is its own for as long as it is there. What belongs to a
 * pair stands in columns of the owner, at the same place: without an object for each. Pure.
 */
import assert from 'node:assert/strict';
import { hashPair } from '../shared/pair-hash.ts';

const placesMin = 64;
/** Open addressing stays short up to three quarters. */
const slotsMin = 128;

export const nowhere = -1;

export class PairPlaces {
  #firsts: Float64Array;
  #seconds: Float64Array;
  /** By the hash of their pairs, probed in a row: a place + 1, or 0 where there is none. */
  #slots: Int32Array;
  #size = 0;
  /** Places below this one have been given out; those given back are a list through `#firsts`. */
  #used = 0;
  #givenBack = nowhere;

  /** @param room for so many it need not grow */
  constructor(room = 0) {
    const capacity = Math.max(placesMin, room);
    let slots = slotsMin;
    while (capacity * 4 > slots * 3) slots *= 2;
    this.#firsts = new Float64Array(capacity);
    this.#seconds = new Float64Array(capacity);
    this.#slots = new Int32Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  /** All places are below this. It grows by a quarter when they are all taken. */
  get capacity(): number {
    return this.#firsts.length;
  }

  first(place: number): number {
    return this.#firsts[place] ?? 0;
  }

  second(place: number): number {
    return this.#seconds[place] ?? 0;
  }

  /** @returns its place, or `nowhere` */
  find(first: number, second: number): number {
    return (this.#slots[this.#slotOf(first, second)] ?? 0) - 1;
  }

  /** @returns the place of a pair that is not there yet */
  add(first: number, second: number): number {
    if ((this.#size + 1) * 4 > this.#slots.length * 3) this.#hashAgain(this.#slots.length * 2);
    const slot = this.#slotOf(first, second);
    assert(this.#slots[slot] === 0, 'a pair has one place');
    const place = this.#takePlace();
    this.#firsts[place] = first;
    this.#seconds[place] = second;
    this.#slots[slot] = place + 1;
    this.#size++;
    return place;
  }

  /** The place may be another pair's from now on. */
  delete(place: number): void {
    const slot = this.#slotOf(this.first(place), this.second(place));
    assert(this.#slots[slot] === place + 1, 'nobody has this place');
    this.#closeGap(slot);
    this.#firsts[place] = this.#givenBack;
    this.#givenBack = place;
    this.#size--;
  }

  /** Where the pair stands among the slots, or the free one where it belongs. */
  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashPair(first, second) & mask;
    for (;;) {
      const place = (this.#slots[slot] ?? 0) - 1;
      if (place === nowhere) return slot;
      if (this.#firsts[place] === first && this.#seconds[place] === second) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #takePlace(): number {
    const place = this.#givenBack;
    if (place !== nowhere) {
      this.#givenBack = this.first(place);
      return place;
    }
    if (this.#used === this.capacity) {
      const capacity = this.#used + (this.#used >> 2);
      this.#firsts = widened(this.#firsts, capacity);
      this.#seconds = widened(this.#seconds, capacity);
    }
    return this.#used++;
  }

  /** Moves back what was put behind the free slot only because that was taken. */
  #closeGap(gap: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = gap;
    for (let slot = (gap + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const place = (slots[slot] ?? 0) - 1;
      const home = hashPair(this.first(place), this.second(place)) & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      slots[free] = place + 1;
      free = slot;
    }
    slots[free] = 0;
  }

  #hashAgain(count: number): void {
    const places = this.#slots;
    this.#slots = new Int32Array(count);
    for (const one of places) {
      if (one > 0) this.#slots[this.#slotOf(this.first(one - 1), this.second(one - 1))] = one;
    }
  }
}

function widened(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const wide = new Float64Array(capacity);
  wide.set(column);
  return wide;
}
