/**
 * The file system as it should be: names by the linearizer, contents by their histories. The
 * workload tells it of every call at its begin and at its end. Time is the world's.
 */
import { type Act, ContentHistory, type Loss } from './content-history.ts';
import { Linearizer, type Outcome } from './linearizer.ts';
import type { Layout } from '../../shared/stripe.ts';
import type { NameCall } from './name-model.ts';

export class ReferenceModel {
  readonly names = new Linearizer();
  readonly #files = new Map<number, ContentHistory>();
  readonly #losses: Loss[] = [];
  /** Truncating opens of which nobody knows yet what they opened: they may cut any file. */
  readonly #loose = new Set<Act>();
  /** What nobody knows the end of, by the session that did it. */
  readonly #unsettled = new Map<number, Set<() => void>>();
  readonly #now: () => number;

  readonly #smallFileBytes: number;

  /** @param smallFileBytes that a file may have at the mgr */
  constructor(now: () => number, smallFileBytes: number) {
    this.#now = now;
    this.#smallFileBytes = smallFileBytes;
  }

  /** The history of a file, begun at its first mention. */
  file(ino: number, layout: Layout): ContentHistory {
    let file = this.#files.get(ino);
    if (file === undefined) {
      file = new ContentHistory(layout, this.#losses, this.#smallFileBytes);
      for (const act of this.#loose) file.add(act);
      this.#files.set(ino, file);
    }
    return file;
  }

  /** An iod, or the mgr, lost what it had not synced. */
  powerLost(who: Loss['who']): void {
    this.#losses.push({ who, at: this.#now() });
  }

  beginName(call: NameCall): string {
    return this.names.begin(call);
  }

  /** @throws Error when the outcome cannot be */
  endName(id: string, outcome: Outcome): void {
    this.names.end(id, outcome);
  }

  /**
   * The caller will never know; what it did can still happen while its session lives.
   * @returns what to call when it surely has happened, or never will
   */
  forgetName(id: string, session: number): () => void {
    this.names.forget(id);
    return this.#unsettle(session, () => {
      this.names.settle(id);
    });
  }

  beginLooseTruncate(): Act {
    const act: Act = {
      kind: 'truncate',
      value: 0,
      from: 0,
      to: Infinity,
      begin: this.#now(),
      end: Infinity,
      isSure: false,
      isStable: false,
    };
    this.#loose.add(act);
    for (const file of this.#files.values()) file.add(act);
    return act;
  }

  /** Its open has ended. @param file what it truncated; `undefined`: nothing */
  endLooseTruncate(act: Act, file: ContentHistory | undefined): void {
    this.#loose.delete(act);
    for (const other of this.#files.values()) if (other !== file) other.remove(act);
    if (file) ContentHistory.done(act, this.#now());
  }

  /** Its outcome is not known: it may happen until its session has ended. @returns as `forgetName` */
  forgetAct(act: Act, session: number): () => void {
    return this.#unsettle(session, () => {
      act.end = this.#now();
      this.#loose.delete(act);
    });
  }

  /** Of no session is anything left to happen. */
  get isSettled(): boolean {
    return this.#unsettled.size === 0;
  }

  /** Nothing of other sessions than these happens any more. */
  sessionsLeft(alive: ReadonlySet<number>): void {
    for (const [session, settles] of this.#unsettled) {
      if (alive.has(session)) continue;
      this.#unsettled.delete(session);
      for (const settle of settles) settle();
      settles.clear();
    }
  }

  #unsettle(session: number, settle: () => void): () => void {
    const settles = this.#unsettled.get(session) ?? new Set();
    this.#unsettled.set(session, settles.add(settle));
    return () => {
      if (settles.delete(settle)) settle();
      if (settles.size === 0) this.#unsettled.delete(session);
    };
  }
}
