/**
 * Carries out the pending work of the iods: each row of the store is done by its iod, durably, and
 * only then deleted, durably. So the work survives any crash, and is resumed where it was cut; and
 * nothing is done once more after somebody was told that it is done.
 */
import { type FsError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { isPowerOfTwo, retryDelayMs } from '../../shared/rpc/retry.ts';
import type { Timer } from '../../shared/runtime/runtime.ts';
import type { Handle, IodIndex } from '../../shared/units.ts';
import { iodOps } from '../../shared/wire/iod-ops.ts';
import type { ClusterNeeds } from '../cluster-port.ts';
import type { PendingRow } from '../store/rows.ts';
import type { Roster } from './roster.ts';

export type ReaperNeeds = Pick<ClusterNeeds, 'runtime' | 'view' | 'store' | 'commits'>;

/** The pass over one iod's rows that runs now, or the wait for the next one. */
interface Pass {
  /** More rows have come since it began. */
  again: boolean;
  retry: Timer | undefined;
  failures: number;
}

const first = 0 as Handle;

export class Reaper {
  readonly #needs: ReaperNeeds;
  readonly #roster: Roster;
  readonly #passes = new Map<IodIndex, Pass>();
  /** Truncates on their way, by iod and handle: two of one object never cross. */
  readonly #truncating = new Map<string, Promise<void>>();
  #soon: Timer | undefined;
  #closed = false;

  constructor(needs: ReaperNeeds, roster: Roster) {
    this.#needs = needs;
    this.#roster = roster;
    roster.listen((index) => {
      if (this.#isServing(index)) this.wake(index);
    });
  }

  /** The iod may have rows. Idempotent. */
  wake(iod: IodIndex): void {
    const running = this.#passes.get(iod);
    if (running) {
      running.again = true;
      return;
    }
    if (this.#closed || !this.#isServing(iod)) return;
    const pass: Pass = { again: true, retry: undefined, failures: 0 };
    this.#passes.set(iod, pass);
    this.#run(iod, pass);
  }

  /** Some iods have new removals. Those of a while go together, and cost one look at each iod. */
  wakeAllSoon(): void {
    if (this.#closed || this.#soon) return;
    this.#soon = this.#needs.runtime.clock.timer(limits.reapDelayMs, () => {
      this.#soon = undefined;
      for (const { row } of this.#roster.all) this.wake(row.index);
    });
  }

  /** The truncate that is pending for an object, if there is one. */
  truncateOf(iod: IodIndex, handle: Handle): PendingRow | undefined {
    const { store } = this.#needs;
    if (store.pendingCount() === 0) return undefined;
    const [row] = store.pending(iod, (handle - 1) as Handle, 1);
    return row?.handle === handle && row.kind === 'truncate' ? row : undefined;
  }

  /**
   * Has the iod do the truncate that is pending for an object; done and durable on both sides when
   * it resolves. When the row was put anew meanwhile, that one is done too.
   * @throws FsError of the iod, of the connection (EPIPE), of the store
   */
  async truncate(connection: Connection, iod: IodIndex, handle: Handle): Promise<void> {
    const key = `${iod} ${handle}`;
    for (;;) {
      // Whoever has begun does it over its own connection; if that fails it is our turn.
      await this.#truncating.get(key)?.catch(() => undefined);
      if (this.#truncating.has(key)) continue;
      const row = this.truncateOf(iod, handle);
      if (row === undefined) return;
      const attempt = this.#truncateOnce(connection, row).finally(() => {
        this.#truncating.delete(key);
      });
      this.#truncating.set(key, attempt);
      await attempt;
    }
  }

  /** All truncates of an iod, whose sync waits for them. @throws FsError as `truncate` */
  async truncateAll(connection: Connection, iod: IodIndex): Promise<void> {
    for (const page of this.#pages(iod)) await this.#truncateEach(connection, page);
  }

  close(): void {
    this.#closed = true;
    this.#soon?.cancel();
    for (const { retry } of this.#passes.values()) retry?.cancel();
  }

  #run(iod: IodIndex, pass: Pass): void {
    this.#reap(iod, pass).catch((error: unknown) => {
      this.#retryLater(iod, pass, toFsError(error));
    });
  }

  /** Resolves when nothing is left, or the iod has stopped serving: then it wakes us again. */
  async #reap(iod: IodIndex, pass: Pass): Promise<void> {
    let failure: FsError | undefined;
    try {
      while (pass.again) {
        pass.again = false;
        for (const page of this.#pages(iod)) {
          const connection = this.#roster.reachable(iod);
          if (connection === undefined || this.#closed) return;
          // One bad object does not keep those of other pages (SCENARIOS 94).
          await this.#carryOut(connection, page).catch((error: unknown) => {
            failure = toFsError(error);
          });
        }
      }
    } finally {
      // In the same step as the last look at `again`: no call of `wake` falls between.
      this.#passes.delete(iod);
    }
    if (failure !== undefined) throw failure;
  }

  #retryLater(iod: IodIndex, pass: Pass, error: FsError): void {
    const { runtime } = this.#needs;
    if (this.#closed || this.#passes.has(iod) || !this.#isServing(iod)) return;
    const failures = pass.failures + 1;
    const why = error.message;
    if (isPowerOfTwo(failures)) {
      const { name } = this.#roster.at(iod).row;
      runtime.log.warn('pending work failed', { key: name, iod: name, why, failures });
    }
    const next: Pass = { again: true, retry: undefined, failures };
    next.retry = runtime.clock.timer(retryDelayMs(failures, runtime.random), () => {
      this.#run(iod, next);
    });
    this.#passes.set(iod, next);
  }

  /** Removals of a page go together. */
  async #carryOut(connection: Connection, page: readonly PendingRow[]): Promise<void> {
    await this.#truncateEach(connection, page);
    const removals = page.filter(({ kind }) => kind === 'remove');
    if (removals.length === 0) return;
    const handles = removals.map(({ handle }) => handle);
    await connection.call(iodOps.remove, { handles }, { deadline: this.#deadline() });
    await this.#delete(removals);
  }

  async #truncateEach(connection: Connection, page: readonly PendingRow[]): Promise<void> {
    const rows = page.filter(({ kind }) => kind === 'truncate');
    await Promise.all(rows.map(({ iod, handle }) => this.truncate(connection, iod, handle)));
  }

  async #truncateOnce(connection: Connection, row: PendingRow): Promise<void> {
    const { handle, length } = row;
    const deadline = this.#deadline();
    await connection.call(iodOps.truncate, { handle, length }, { deadline });
    await this.#delete([row]);
  }

  async #delete(rows: readonly PendingRow[]): Promise<void> {
    const { view, commits } = this.#needs;
    for (const row of rows) view.add({ kind: 'delete-pending', row });
    commits.schedule();
    await commits.durable();
  }

  #deadline(): number {
    return this.#needs.runtime.clock.now() + limits.callDeadlineDefaultMs;
  }

  #isServing(iod: IodIndex): boolean {
    return this.#roster.at(iod).state === 'serving';
  }

  /** Read when they are needed: what was done meanwhile is not in the next one. */
  *#pages(iod: IodIndex): Generator<readonly PendingRow[]> {
    let after = first;
    for (;;) {
      const page = this.#needs.store.pending(iod, after, limits.reapBatchMax);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last.handle;
    }
  }
}
