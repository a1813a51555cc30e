/**
 * Pairs of numbers, each at a place that is its own for as long as it is there. What belongs to a
 * pair stands in columns of the owner, at the same place: without an object for each. Pure.
 */
import assert from 'node:assert/strict';
import { hashPair } from '../shared/pair-hash.ts';

const placesMin = 64;

export const nowhere = -1;

export class PairPlaces {
  #firsts: Float64Array;
  /** Not there as long as all of them are 0. */
  #seconds: Float64Array | undefined;
  /** By the hash of their pairs, probed in a row: a place + 1, or 0 where there is none. */
  #slots: Int32Array;
  #size = 0;
  /** Places below this one have been given out; those given back are a list through `#firsts`. */
  #used = 0;
  #givenBack = nowhere;

  /** @param room for so many it need not grow */
  constructor(room = 0) {
    const capacity = Math.max(placesMin, room);
    this.#firsts = new Float64Array(capacity);
    this.#slots = new Int32Array(slotsFor(capacity));
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
    return this.#seconds?.[place] ?? 0;
  }

  /** @returns its place, or `nowhere` */
  find(first: number, second: number): number {
    return (this.#slots[this.#slotOf(first, second)] ?? 0) - 1;
  }

  /** @returns the place of a pair that is not there yet */
  add(first: number, second: number): number {
    if (slotsFor(this.#size + 1) > this.#slots.length) this.#hashAgain(this.#slots.length * 2);
    const slot = this.#slotOf(first, second);
    assert(this.#slots[slot] === 0, 'a pair has one place');
    const place = this.#takePlace();
    this.#firsts[place] = first;
    if (second !== 0) this.#seconds ??= new Float64Array(this.capacity);
    if (this.#seconds) this.#seconds[place] = second;
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
    for (let slot = this.#homeOf(first, second); ; slot = this.#after(slot)) {
      const place = (this.#slots[slot] ?? 0) - 1;
      if (place === nowhere) return slot;
      if (this.#firsts[place] === first && this.second(place) === second) return slot;
    }
  }

  /** Of any number of slots each is as likely as the next. */
  #homeOf(first: number, second: number): number {
    return Math.floor((hashPair(first, second) / 2 ** 32) * this.#slots.length);
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots.length ? 0 : slot + 1;
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
      this.#seconds &&= widened(this.#seconds, capacity);
    }
    return this.#used++;
  }

  /** Moves back what was put behind the free slot only because that was taken. */
  #closeGap(gap: number): void {
    const slots = this.#slots;
    const distance = (from: number, to: number) => (to < from ? to + slots.length : to) - from;
    let free = gap;
    for (let slot = this.#after(gap); slots[slot] !== 0; slot = this.#after(slot)) {
      const place = (slots[slot] ?? 0) - 1;
      const home = this.#homeOf(this.first(place), this.second(place));
      if (distance(home, slot) < distance(free, slot)) continue;
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

/** Open addressing stays short up to two thirds. */
function slotsFor(pairs: number): number {
  return Math.ceil(pairs * 1.5) + 1;
}

function widened(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const wide = new Float64Array(capacity);
  wide.set(column);
  return wide;
}
