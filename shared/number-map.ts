/**
 * A map from numbers for what comes and goes all the time, such as calls in flight. V8's own `Map`
 * is replaced inside by a fresh table after so many deletions, and the old table keeps a pointer to
 * the new one. Once one of them has grown old, each garbage collection of the young finds the next
 * one reachable with all that it holds, and moves it to the old: everything that ever was in the
 * map stays until a full collection. This one has one table, which changes only with its size, and old
 * tables know nothing of new ones.
 *
 * Open addressing with linear probing; a deletion moves back what has been displaced (Knuth, The Art
 * of Computer Programming, volume 3, 6.4, algorithm R), so that there are no marks of the deleted.
 */
import assert from 'node:assert/strict';

const slotsMin = 16;
/** A table that is no longer needed so large is given back; smaller ones are not worth it. */
const slotsKept = 1024;

export class NumberMap<K extends number, V extends object> {
  #keys = new Float64Array(slotsMin);
  /** By slot; none: free. */
  #values: (V | undefined)[] = emptySlots(slotsMin);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#values[this.#slotOf(key)];
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  set(key: K, value: V): void {
    if ((this.#size + 1) * 2 > this.#values.length) this.#resize(2 * this.#values.length);
    const slot = this.#slotOf(key);
    if (this.#values[slot] === undefined) this.#size++;
    this.#keys[slot] = key;
    this.#values[slot] = value;
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    const values = this.#values;
    const mask = values.length - 1;
    let free = this.#slotOf(key);
    if (values[free] === undefined) return false;
    this.#size--;
    for (let at = (free + 1) & mask; values[at] !== undefined; at = (at + 1) & mask) {
      const home = homeOf(this.#keys[at] as number, mask);
      // What is at home between the free slot and its own stays where it is.
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      this.#keys[free] = this.#keys[at] as number;
      values[free] = values[at];
      free = at;
    }
    values[free] = undefined;
    if (values.length > slotsKept && this.#size * 8 < values.length) {
      this.#resize(values.length / 2);
    }
    return true;
  }

  clear(): void {
    this.#values = emptySlots(slotsMin);
    this.#keys = new Float64Array(slotsMin);
    this.#size = 0;
  }

  /** All, as they are now, in no order that means anything. */
  values(): V[] {
    return this.#values.filter((value) => value !== undefined);
  }

  /** Where the key is, or would be. */
  #slotOf(key: K): number {
    const mask = this.#values.length - 1;
    let slot = homeOf(key, mask);
    while (this.#values[slot] !== undefined && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #resize(slots: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Float64Array(slots);
    this.#values = emptySlots(slots);
    for (const [slot, value] of values.entries()) {
      if (value === undefined) continue;
      const key = keys[slot] as K;
      const to = this.#slotOf(key);
      this.#keys[to] = key;
      this.#values[to] = value;
    }
  }
}

/** Numbers that follow on each other are spread too; above 2^32 only the low half counts. */
function homeOf(key: number, mask: number): number {
  assert(Number.isSafeInteger(key) && key >= 0);
  const mixed = Math.imul(key, 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) & mask;
}

function emptySlots<V>(count: number): (V | undefined)[] {
  return Array.from({ length: count });
}
