/** Explicit state machines: a table of legal moves, and one place where a change is seen. */
import assert from 'node:assert/strict';

/** For each state the states that may follow it. Total: forgetting one does not compile. */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

export class Machine<S extends string> {
  #state: S;
  readonly #transitions: Transitions<S>;
  readonly #onChange: (from: S, to: S, why: string) => void;

  constructor(
    transitions: Transitions<S>,
    initial: S,
    onChange: (from: S, to: S, why: string) => void,
  ) {
    this.#transitions = transitions;
    this.#state = initial;
    this.#onChange = onChange;
  }

  get state(): S {
    return this.#state;
  }

  is(...states: readonly S[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws AssertionError that names the legal moves when this is none of them */
  to(next: S, why: string): void {
    const legal = this.#transitions[this.#state];
    assert(
      legal.includes(next),
      `illegal move ${this.#state} -> ${next} (${why}); legal: ${legal.join(', ') || 'none'}`,
    );
    const from = this.#state;
    this.#state = next;
    this.#onChange(from, next, why);
  }
}
