/**
 * A bounded map that forgets what was not used lately, but never what was changed and is not yet
 * stored. Two generations instead of a list by last use: a hit in the young one costs one look-up
 * and writes nothing.
 */
export class RecentMap<K, V extends { readonly changed: boolean }> {
  readonly #generationMax: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** @param entriesMax from 2; remembered is between half of it and all of it, and what changed */
  constructor(entriesMax: number) {
    this.#generationMax = Math.floor(entriesMax / 2);
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#fromOld(key);
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#generationMax) this.#age();
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #fromOld(key: K): V | undefined {
    const value = this.#old.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  #age(): void {
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const [key, value] of forgotten) {
      if (value.changed) this.#young.set(key, value);
    }
  }
}
