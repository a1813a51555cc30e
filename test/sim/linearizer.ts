/**
 * Judges concurrent calls on names: is there an order of them, each taking effect once and between
 * its begin and its end, that explains every answer? All orders that still can be are kept. A call
 * whose outcome is not known may take effect at any time, or never. Pure.
 */
import { type Answer, type NameCall, NameState } from './name-model.ts';

/** What the caller got: an errno or a result, and the number of the file it was about. */
export interface Outcome {
  readonly text: string;
  readonly ino?: number | undefined;
}

interface Pending {
  readonly id: string;
  readonly call: NameCall;
  /** Its answer will never be known. */
  isForgotten: boolean;
}

/** One history that can have been. */
interface History {
  readonly state: NameState;
  /** Real numbers of nodes, as far as they have been seen. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Calls that have taken effect and have not been answered yet. */
  readonly answered: ReadonlyMap<string, Answer>;
}

const historiesMax = 4096;
const forgottenMax = 4;

export class Linearizer {
  readonly #pending = new Map<string, Pending>();
  #histories: History[] = [{ state: new NameState(), numbers: new Map(), answered: new Map() }];
  #calls = 0;

  /** States that the name space may be in. */
  get states(): readonly NameState[] {
    return this.#histories.map(({ state }) => state);
  }

  /** So much is unknown that it would take too long to judge more of it. */
  get isOverwhelmed(): boolean {
    const forgotten = [...this.#pending.values()].filter(({ isForgotten }) => isForgotten);
    return forgotten.length >= forgottenMax;
  }

  begin(call: NameCall): string {
    const id = `#${++this.#calls}`;
    this.#pending.set(id, { id, call, isForgotten: false });
    return id;
  }

  /** @throws Error when nothing explains the outcome */
  end(id: string, outcome: Outcome): void {
    const call = this.#pending.get(id)?.call;
    const before = this.#histories;
    const found = new Map<string, History>();
    for (const history of before) this.#explain(history, id, outcome, found);
    this.#pending.delete(id);
    this.#histories = [...found.values()];
    if (this.#histories.length > historiesMax) throw new Error('too much is unknown to be judged');
    if (this.#histories.length > 0) return;
    const wanted = new Set(
      before.map(({ state }) => JSON.stringify(call && state.apply(call, id).answer)),
    );
    throw new Error(
      `I4: no order of the calls explains ${JSON.stringify(outcome)} of ${JSON.stringify(call)}; ` +
        `last it would have been ${[...wanted].join(' or ')}`,
    );
  }

  /** The caller will never know; the call may still take effect. */
  forget(id: string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (!mayChange(pending.call)) {
      this.settle(id);
      return;
    }
    pending.isForgotten = true;
    const found = new Map<string, History>();
    for (const history of this.#histories) {
      const { answered } = history;
      if (!answered.has(id)) keep(found, history);
      else keep(found, { ...history, answered: new Map(answered).set(id, nobody) });
    }
    this.#histories = [...found.values()];
  }

  /** A forgotten call has taken effect by now, seen by somebody or not, or it never will. */
  settle(id: string): void {
    const found = new Map<string, History>();
    const take = ({ answered, ...history }: History): void => {
      keep(found, { ...history, answered: without(answered, id) });
    };
    for (const history of this.#histories) {
      take(history);
      if (this.#pending.get(id)?.isForgotten === true) this.#reach(history, id, take);
    }
    this.#pending.delete(id);
    this.#histories = [...found.values()];
  }

  /** The mgr has lost power: a file may have this mode again, which it had before (decision 14). */
  mayHaveMode(ino: number, mode: number): void {
    const found = new Map<string, History>();
    for (const history of this.#histories) {
      keep(found, history);
      const { state, numbers } = history;
      for (const node of state.files) {
        if ((numbers.get(node) ?? ino) !== ino) continue;
        keep(found, { ...history, state: state.withMode(node, mode & 0o7777) });
      }
    }
    this.#histories = [...found.values()];
  }

  /** All continuations of `history` in which the call has taken effect with this outcome. */
  #explain(history: History, id: string, outcome: Outcome, found: Map<string, History>): void {
    this.#reach(history, id, ({ state, numbers, answered }) => {
      const answer = answered.get(id);
      const known = answer && agree(numbers, answer, outcome);
      if (known) keep(found, { state, numbers: known, answered: without(answered, id) });
    });
  }

  /** All continuations of `history` in which the call has taken effect, last if not before. */
  #reach(history: History, id: string, take: (history: History) => void): void {
    const seen = new Set<string>();
    const visit = (at: History): void => {
      const key = keyOf(at);
      if (seen.has(key)) return;
      seen.add(key);
      if (at.answered.has(id)) {
        take(at);
        return;
      }
      for (const other of this.#pending.values()) {
        if (at.answered.has(other.id)) continue;
        const { state, answer: given } = at.state.apply(other.call, other.id);
        // One that changes nothing and is asked by nobody may as well happen later.
        if (other.isForgotten && state === at.state) continue;
        const remembered = other.isForgotten ? nobody : given;
        visit({ ...at, state, answered: new Map(at.answered).set(other.id, remembered) });
      }
    };
    visit(history);
  }
}

/** In place of an answer that nobody will ever see. */
const nobody: Answer = { text: '' };

/** @returns the numbers with what the outcome tells; `undefined` when it does not fit */
function agree(
  numbers: ReadonlyMap<string, number>,
  { text, node }: Answer,
  outcome: Outcome,
): ReadonlyMap<string, number> | undefined {
  if (text !== outcome.text) return undefined;
  if (node === undefined || outcome.ino === undefined) return numbers;
  const known = numbers.get(node);
  if (known !== undefined) return known === outcome.ino ? numbers : undefined;
  // A number is never used twice (SCENARIOS 195).
  if ([...numbers.values()].includes(outcome.ino)) return undefined;
  return new Map(numbers).set(node, outcome.ino);
}

const readers = new Set<NameCall['kind']>(['stat', 'readdir', 'readlink', 'getxattr', 'listxattr']);

function mayChange({ kind }: NameCall): boolean {
  return !readers.has(kind);
}

function keep(found: Map<string, History>, history: History): void {
  found.set(keyOf(history), history);
}

const numbersKeys = new WeakMap<ReadonlyMap<string, number>, string>();

function keyOf({ state, numbers, answered }: History): string {
  let numbersKey = numbersKeys.get(numbers);
  if (numbersKey === undefined) {
    numbersKey = JSON.stringify([...numbers].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    numbersKeys.set(numbers, numbersKey);
  }
  const answers = [...answered].map(([id, { text, node }]) => `${id} ${text} ${node ?? ''}`);
  return `${state.key}|${numbersKey}|${answers.toSorted().join('|')}`;
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
