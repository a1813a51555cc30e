/**
 * How long files are, asked of their iods. What is asked in one tick goes in one message to each
 * iod, however many files it is about.
 */
import { isFsError, type FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { isPowerOfTwo } from '../../shared/rpc/retry.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { iodOfColumn, type Layout, logicalEnd } from '../../shared/stripe.ts';
import {
  compareTimestamps,
  type Handle,
  type IodIndex,
  type Timestamp,
} from '../../shared/units.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { AskedSize } from '../cluster-port.ts';
import type { Inode } from '../store/rows.ts';
import type { Reaper } from './reaper.ts';
import type { Roster } from './roster.ts';

type ObjectState = ReplyOf<typeof iodOps.stat>['objects'][number];
/** Hears of an object; of nothing when the iod cannot be asked. */
type Listener = (state: ObjectState | undefined) => void;
/** What one iod is to be asked in this tick. */
type Question = Map<Handle, Listener[]>;

export class Sizes {
  readonly #runtime: Runtime;
  readonly #roster: Roster;
  readonly #reaper: Reaper;
  readonly #questions = new Map<IodIndex, Question>();
  /** Of one iod, in a row. */
  readonly #failures = new Map<IodIndex, number>();

  constructor(runtime: Runtime, roster: Roster, reaper: Reaper) {
    this.#runtime = runtime;
    this.#roster = roster;
    this.#reaper = reaper;
  }

  /** Never rejects: what cannot be asked makes the answer inexact (SCENARIOS 16). */
  async ask({ handle, layout }: Pick<Inode, 'handle' | 'layout'>): Promise<AskedSize> {
    if (layout === undefined) return { size: 0, allocated: 0, modified: undefined, exact: true };
    const states = await Promise.all(
      Array.from({ length: layout.pcount }, (_, column) =>
        this.#askOne(iodOfColumn(layout, column), handle),
      ),
    );
    return this.#sum(layout, states);
  }

  #sum(layout: Layout, states: readonly (ObjectState | undefined)[]): AskedSize {
    let size = 0;
    let allocated = 0;
    let modified: Timestamp | undefined;
    let exact = true;
    for (const [column, state] of states.entries()) {
      const end = state && this.#endOf(layout, column, state);
      if (end === undefined) exact = false;
      else size = Math.max(size, end);
      // The last block of an object, and what a disk sets aside behind it, are no bytes of the file.
      allocated += Math.min(state?.allocated ?? 0, state?.length ?? 0);
      modified = later(modified, state?.modified);
    }
    return { size, allocated: exact ? allocated : undefined, modified, exact };
  }

  #endOf(layout: Layout, column: number, { handle, length }: ObjectState): number | undefined {
    try {
      return logicalEnd(layout, column, length);
    } catch (error) {
      if (!isFsError(error)) throw error;
      this.#runtime.log.error('object too long', {
        key: handle,
        handle,
        column,
        length,
        why: error.message,
      });
      return undefined;
    }
  }

  #askOne(iod: IodIndex, handle: Handle): Promise<ObjectState | undefined> {
    // What it has is longer than what is left of the file.
    if (this.#reaper.truncateOf(iod, handle) !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const listeners = this.#questionTo(iod).get(handle);
      if (listeners) listeners.push(resolve);
      else this.#questionTo(iod).set(handle, [resolve]);
    });
  }

  #questionTo(iod: IodIndex): Question {
    let question = this.#questions.get(iod);
    if (question === undefined) {
      if (this.#questions.size === 0) {
        this.#runtime.clock.defer(() => {
          this.#send();
        });
      }
      this.#questions.set(iod, (question = new Map()));
    }
    return question;
  }

  #send(): void {
    const questions = [...this.#questions];
    this.#questions.clear();
    for (const [iod, question] of questions) {
      const entries = [...question];
      for (let from = 0; from < entries.length; from += limits.reapBatchMax) {
        this.#sendTo(iod, new Map(entries.slice(from, from + limits.reapBatchMax)));
      }
    }
  }

  /** An iod that is away or syncs is not waited for. */
  #sendTo(iod: IodIndex, question: Question): void {
    const connection = this.#roster.reachable(iod);
    if (connection === undefined) {
      answer(question, []);
      return;
    }
    const handles = [...question.keys()];
    const deadline = this.#runtime.clock.now() + limits.heartbeatSilenceMs;
    connection.call(iodOps.stat, { handles }, { deadline }).then(
      ({ objects }) => {
        this.#failures.delete(iod);
        answer(question, objects);
      },
      (error: FsError) => {
        const failures = (this.#failures.get(iod) ?? 0) + 1;
        this.#failures.set(iod, failures);
        if (isPowerOfTwo(failures)) {
          const { name } = this.#roster.at(iod).row;
          this.#runtime.log.warn('sizes not told', { key: name, iod: name, why: error.message });
        }
        answer(question, []);
      },
    );
  }
}

function answer(question: Question, objects: readonly ObjectState[]): void {
  const states = new Map(objects.map((state) => [state.handle, state]));
  for (const [handle, listeners] of question) {
    for (const listener of listeners) listener(states.get(handle));
  }
}

function later(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareTimestamps(a, b) >= 0 ? a : b;
}
