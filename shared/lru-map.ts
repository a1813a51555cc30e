/**
 * A map in the order of last use. V8's own `Map` remembers that order, too, but to make a key the last one it
 * must be deleted and set again, and each deletion leaves a mark where the key is looked for, until the whole
 * table is made anew: with 20 000 entries one that is used again and again took 40 us. Here a use moves the
 * entry in a list, and the table has no marks (number-map.ts).
 */
import { type Linked, LinkedList } from './linked-list.ts';
import { NumberMap } from './number-map.ts';

interface Entry<K, V> extends Linked<Entry<K, V>> {
  readonly key: K;
  value: V;
  /** Counts the uses of all: later ones are greater. */
  usedAs: number;
}

export class LruMap<K extends number, V> implements Iterable<readonly [K, V]> {
  readonly #entries = new NumberMap<K, Entry<K, V>>();
  readonly #order = new LinkedList<Entry<K, V>>();
  #uses = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** To look is no use. */
  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The key that was used longest ago. */
  get oldest(): K | undefined {
    return this.#order.first?.key;
  }

  /** Sets it, which is its latest use. */
  set(key: K, value: V): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { key, value, usedAs: 0, before: undefined, after: undefined };
      this.#entries.set(key, entry);
    }
    entry.value = value;
    entry.usedAs = ++this.#uses;
    this.#order.delete(entry);
    this.#order.push(entry);
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#order.delete(entry);
    return this.#entries.delete(key);
  }

  clear(): void {
    for (const [key] of this) this.delete(key);
  }

  /** From the oldest on, all that were not used since it began. They may go or be used meanwhile. */
  *[Symbol.iterator](): Generator<readonly [K, V], void> {
    const last = this.#uses;
    let entry = this.#order.first;
    while (entry !== undefined && entry.usedAs <= last) {
      const { key, value, usedAs } = entry;
      yield [key, value];
      const isThere: boolean = entry.usedAs === usedAs && this.#order.has(entry);
      entry = isThere ? entry.after : this.#firstAfter(usedAs);
    }
  }

  #firstAfter(use: number): Entry<K, V> | undefined {
    let entry = this.#order.first;
    while (entry !== undefined && entry.usedAs < use) entry = entry.after;
    return entry;
  }
}
