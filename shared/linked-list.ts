/**
 * Things in the order in which they came, for what comes and goes all the time. V8's own `Set`
 * keeps what was in it until a full garbage collection (number-map.ts says why); here the things
 * hold each other, and one that has left holds nothing.
 */
import assert from 'node:assert/strict';

/** Of one list at a time. The fields are the list's. */
export interface Linked<T> {
  before: T | undefined;
  after: T | undefined;
}

export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  has(item: T): boolean {
    return item.before !== undefined || item === this.#first;
  }

  push(item: T): void {
    assert(!this.has(item), 'it is in the list');
    const last = this.#last;
    item.before = last;
    if (last === undefined) this.#first = item;
    else last.after = item;
    this.#last = item;
    this.#size++;
  }

  /** @returns whether it was there */
  delete(item: T): boolean {
    if (!this.has(item)) return false;
    const { before, after } = item;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    item.before = undefined;
    item.after = undefined;
    this.#size--;
    return true;
  }

  /** All that are in it now, also those that leave meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    const items: T[] = [];
    for (let item = this.#first; item !== undefined; item = item.after) items.push(item);
    return items.values();
  }
}
