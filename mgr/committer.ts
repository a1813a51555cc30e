/**
 * Group commit. All that a tick changes is one transaction, and every answer of the tick, also of
 * a mere read, leaves after it. It waits for the disk when a change of the tick asks for that
 * (DESIGN 7, decision 14); what did not wait is durable a moment later.
 */
import { FsError, isFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import { Histogram } from '../shared/metrics/histogram.ts';
import { metricTable } from '../shared/metrics/table.ts';
import type { Answer, AnswerGate } from '../shared/rpc/service.ts';
import type { Runtime, Timer } from '../shared/runtime/runtime.ts';
import type { Commits } from './cluster-port.ts';
import type { MetaView } from './store/batch.ts';

/** Something beside the view that takes part in the commits: what it knows must agree with it. */
export interface Participant {
  /** All it has done since the last call is committed. */
  settle(): void;
  /** Nothing of what it has done since the last `settle` has happened. */
  discard(): void;
}

export interface CommitterOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'killPoint' | 'log'>;
  readonly view: MetaView;
  readonly generation: number;
  /** In the order in which they hear of a commit. */
  readonly participants: readonly Participant[];
  /** The store belongs to another mgr by now: nothing of ours may be said any more. */
  readonly onFenced: (error: FsError) => void;
}

const { weftfs_mgr_commit_duration_seconds: duration, weftfs_mgr_commit_changes: changes } =
  metricTable;

export class Committer implements AnswerGate, Commits {
  /** Of the commits that had something to change. */
  readonly durations = new Histogram(duration.buckets);
  readonly changes = new Histogram(changes.buckets);
  failureCount = 0;
  readonly #options: CommitterOptions;
  #answers: Answer[] = [];
  #waiters: Waiters | undefined;
  #scheduled = false;
  /** Runs while committed changes may be lost with the host. */
  #catchUp: Timer | undefined;
  #closed: FsError | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** Answers that wait for the end of the tick. */
  get heldCount(): number {
    return this.#answers.length;
  }

  hold(answer: Answer): void {
    if (this.#closed) return;
    this.#answers.push(answer);
    // Never at once: a change whose answer is still on its way here must not be overtaken by the
    // outcome of its commit.
    this.schedule();
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.runtime.clock.defer(this.#endOfTick);
  }

  durable(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    this.#options.view.requireDisk();
    this.schedule();
    this.#waiters ??= new Waiters();
    return this.#waiters.promise;
  }

  /** Commits now what the view holds, and lets the answers go. */
  flush(): void {
    if (this.#closed) return;
    const answers = this.#answers;
    const waiters = this.#waiters;
    this.#answers = [];
    this.#waiters = undefined;
    const failure = this.#commit();
    this.#catchUpLater();
    if (failure?.code === 'ESTALE') {
      waiters?.reject(failure);
      this.close(failure);
      this.#options.onFenced(failure);
      return;
    }
    for (const answer of answers) {
      if (failure === undefined) answer.send();
      else answer.replaceBy(failureFor(answer, failure));
    }
    if (failure === undefined) waiters?.resolve();
    else waiters?.reject(failure);
  }

  /** From now on nothing is committed, and nobody is answered. Idempotent. */
  close(reason: FsError): void {
    this.#closed ??= reason;
    this.#catchUp?.cancel();
    this.#waiters?.reject(reason);
    this.#waiters = undefined;
    this.#answers = [];
  }

  readonly #endOfTick = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** What nobody waits for is durable within `limits.relaxedCommitMs` all the same. */
  #catchUpLater(): void {
    const { runtime, view } = this.#options;
    if (this.#catchUp !== undefined || !view.isBehind) return;
    this.#catchUp = runtime.clock.timer(limits.relaxedCommitMs, () => {
      this.#catchUp = undefined;
      if (!view.isBehind) return;
      view.requireDisk();
      this.schedule();
    });
  }

  /** @returns why it failed, when it did: then nothing of the tick has happened anywhere */
  #commit(): FsError | undefined {
    const { runtime, view, generation, participants } = this.#options;
    const { changeCount, hasWork: hasChanges } = view;
    if (hasChanges) runtime.killPoint('mgr.commit.before');
    const begunAt = hasChanges ? runtime.clock.now() : 0;
    try {
      view.commit(generation);
    } catch (error) {
      if (!isFsError(error)) throw error;
      this.failureCount++;
      runtime.log.error('commit failed', { why: error.message });
      for (const participant of participants) participant.discard();
      return error;
    }
    if (hasChanges) {
      this.durations.observe((runtime.clock.now() - begunAt) / 1000);
      this.changes.observe(changeCount);
      runtime.killPoint('mgr.commit.after');
      for (const participant of participants) participant.settle();
      runtime.killPoint('mgr.reply.before');
    }
    return undefined;
  }
}

/** A change hears why it did not happen; a read may have seen it, and is to be asked again. */
function failureFor({ op }: Answer, failure: FsError): FsError {
  if (op?.traits.resend === 'slot') return failure;
  return new FsError('EAGAIN', { id: 'WEFT_E_DISK', what: failure.what, cause: failure });
}

const nothing = (): void => undefined;

/** Whoever waits for the end of the tick; one promise serves all. */
class Waiters {
  readonly promise: Promise<void>;
  resolve: () => void = nothing;
  reject: (error: FsError) => void = nothing;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever has stopped waiting need not hear of it.
    this.promise.catch(nothing);
  }
}
