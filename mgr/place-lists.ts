/** Lists of places (pair-places.ts). A place is in one of them at most; a list is its first place. */
import { nowhere } from './pair-places.ts';

export class PlaceLists {
  #next = new Int32Array(0);
  #previous = new Int32Array(0);

  /** Before places up to `capacity` are used. */
  widen(capacity: number): void {
    const [next, previous] = [this.#next, this.#previous];
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#next.set(next);
    this.#previous.set(previous);
  }

  /** @returns the list that begins with `place`, and goes on with that from `first` */
  add(first: number, place: number): number {
    this.#next[place] = first;
    this.#previous[place] = nowhere;
    if (first !== nowhere) this.#previous[first] = place;
    return place;
  }

  /** @returns the list from `first` without `place` */
  remove(first: number, place: number): number {
    const next = this.#next[place] ?? nowhere;
    const previous = this.#previous[place] ?? nowhere;
    if (next !== nowhere) this.#previous[next] = previous;
    if (previous === nowhere) return next;
    this.#next[previous] = next;
    return first;
  }

  /** @returns `nowhere` behind the last one; the first is that which was added last */
  next(place: number): number {
    return this.#next[place] ?? nowhere;
  }

  /** The list must not change meanwhile. */
  *from(first: number): Iterable<number> {
    for (let place = first; place !== nowhere; place = this.next(place)) yield place;
  }
}
