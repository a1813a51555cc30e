/**
 * Of many that come at once, only so many are attended to at a time; the others wait. Who came last
 * is next: when there are too many, who came first has given up by the time that it is his turn,
 * and all would be done for nobody (SCENARIOS 97). Pure.
 */
export class Turns<T> {
  readonly #max: number;
  readonly #soon: (begin: () => void) => void;
  readonly #taken = new Set<T>();
  readonly #waiting: { readonly who: T; readonly begin: () => void }[] = [];
  #isSoon = false;

  /** @param soon calls what it is given, now or later, when those turns may begin that are free */
  constructor(max: number, soon: (begin: () => void) => void) {
    this.#max = max;
    this.#soon = soon;
  }

  /** @param begin is called when it is its turn, perhaps at once */
  take(who: T, begin: () => void): void {
    this.#waiting.push({ who, begin });
    this.#next();
  }

  /** Its turn is over, or it waits no more. Idempotent. */
  end(who: T): void {
    if (this.#taken.delete(who)) {
      this.#next();
      return;
    }
    const at = this.#waiting.findIndex((one) => one.who === who);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #next(): void {
    if (this.#isSoon || this.#waiting.length === 0 || this.#taken.size >= this.#max) return;
    this.#isSoon = true;
    this.#soon(() => {
      this.#isSoon = false;
      while (this.#taken.size < this.#max) {
        const next = this.#waiting.pop();
        if (next === undefined) return;
        this.#taken.add(next.who);
        next.begin();
      }
    });
  }
}
