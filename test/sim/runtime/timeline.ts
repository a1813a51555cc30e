/**
 * Virtual time: what happens next. Jobs are ordered by (time, order of insertion) in a binary
 * heap; deferred ones come first, at the end of the event that deferred them.
 */
import assert from 'node:assert/strict';

export interface Job {
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
  /** A cancelled job is skipped and does not move time. */
  cancelled: boolean;
}

export class Timeline {
  #nowMs = 0;
  #count = 0;
  readonly #heap: Job[] = [];
  #deferred: Job[] = [];
  #deferredDone = 0;

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): Job {
    if (atMs < this.#nowMs) assert.fail(`${atMs} ms has passed; it is ${this.#nowMs} ms`);
    const job: Job = { atMs, number: this.#count++, run, cancelled: false };
    this.#push(job);
    return job;
  }

  after(delayMs: number, run: () => void): Job {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Runs at the end of the current event: same time, before anything else, in order. */
  defer(run: () => void): void {
    this.#deferred.push({ atMs: this.#nowMs, number: this.#count++, run, cancelled: false });
  }

  /** Takes the next job and moves time to it; `undefined` when none is due by `untilMs`. */
  next(untilMs: number): Job | undefined {
    const deferred = this.#nextDeferred();
    if (deferred) return deferred;
    for (let top = this.#heap[0]; top && top.atMs <= untilMs; top = this.#heap[0]) {
      this.#pop();
      if (top.cancelled) continue;
      this.#nowMs = top.atMs;
      return top;
    }
    return undefined;
  }

  /** Lets time pass in which nothing happens. */
  advanceTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #nextDeferred(): Job | undefined {
    const job = this.#deferred[this.#deferredDone];
    if (job) this.#deferredDone++;
    else if (this.#deferredDone > 0) {
      this.#deferred = [];
      this.#deferredDone = 0;
    }
    return job;
  }

  #push(job: Job): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Job;
      if (comesBefore(parent, job)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = job;
  }

  #pop(): void {
    const heap = this.#heap;
    const job = heap.pop();
    if (job === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      let first = left;
      if (right && comesBefore(right, left)) {
        first = right;
        below++;
      }
      if (comesBefore(job, first)) break;
      heap[at] = first;
      at = below;
    }
    heap[at] = job;
  }
}

function comesBefore(a: Job, b: Job): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);
}
