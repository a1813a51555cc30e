/**
 * One request to several iods, with an outcome for each. What an iod did when it was asked another
 * time never counts (SCENARIOS 15), and an iod that is away is waited for no longer than it may act
 * on what it once heard from us (DESIGN 5).
 */
import { FsError, toFsError } from '../../shared/errno.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import { retryDelayMs } from '../../shared/rpc/retry.ts';
import type { Runtime, Timer } from '../../shared/runtime/runtime.ts';
import type { IodIndex } from '../../shared/units.ts';
import type { Errand, Roster } from './roster.ts';

/** `lease over`: it could not be asked, but surely serves nobody until it has synced. */
export type Outcome = 'acknowledged' | 'lease over';

/** Makes the request; rejects with EPIPE when the connection is lost. */
export type Ask = (connection: Connection, iod: IodIndex) => Promise<unknown>;

export interface FanOutOptions {
  /** On the mgr's monotonic clock; `Infinity` for none. */
  readonly deadline: number;
  /**
   * What to do about an iod that syncs. `refuse`: TRY_AGAIN at once, so that fan-out and sync never
   * wait for each other (DESIGN 4). `wait`: for what neither its sync nor a caller waits for.
   */
  readonly whileSyncing: 'refuse' | 'wait';
  /** What it is about, for who asks what it waits for. */
  readonly errand?: Errand;
}

export class FanOut {
  readonly #runtime: Runtime;
  readonly #roster: Roster;

  constructor(runtime: Runtime, roster: Roster) {
    this.#runtime = runtime;
    this.#roster = roster;
  }

  /**
   * Asks all at once; fails as soon as one does, while the others go on.
   * @throws FsError as `reach`
   */
  async all(iods: readonly IodIndex[], ask: Ask, options: FanOutOptions): Promise<void> {
    await Promise.all(iods.map((iod) => this.reach(iod, ask, options)));
  }

  /**
   * Asks one iod, again after each loss of its connection.
   * @throws FsError of the iod; EAGAIN WEFT_E_RESYNCING; ETIMEDOUT WEFT_E_IOD_DOWN at the deadline
   */
  async reach(iod: IodIndex, ask: Ask, options: FanOutOptions): Promise<Outcome> {
    for (let attempts = 1; ; attempts++) {
      const connection = this.#roster.reachable(iod);
      let waitUntil = options.deadline;
      if (connection !== undefined) {
        const error = await this.#attempt(connection, iod, ask, options.deadline);
        if (error === undefined) return 'acknowledged';
        if (error.code === 'EAGAIN') waitUntil = Math.min(waitUntil, this.#later(attempts, error));
        else if (error.code !== 'EPIPE') throw error;
        else if (this.#roster.reachable(iod) !== connection) continue;
      } else if (!this.#isSyncing(iod)) {
        if (!this.#roster.mayServe(iod)) return 'lease over';
      } else if (options.whileSyncing === 'refuse') {
        throw new FsError('EAGAIN', {
          id: 'WEFT_E_RESYNCING',
          what: `${this.#nameOf(iod)} is syncing`,
          retryAfterMs: 10,
        });
      }
      await this.#wait(iod, waitUntil, options);
    }
  }

  async #attempt(
    connection: Connection,
    iod: IodIndex,
    ask: Ask,
    deadline: number,
  ): Promise<FsError | undefined> {
    const { killPoint } = this.#runtime;
    killPoint('mgr.fanout.before-send');
    try {
      const answer = ask(connection, iod);
      killPoint('mgr.fanout.sent');
      await this.#before(deadline, iod, answer);
    } catch (error) {
      return toFsError(error);
    }
    killPoint('mgr.fanout.acknowledged');
    return undefined;
  }

  async #before(deadline: number, iod: IodIndex, answer: Promise<unknown>): Promise<void> {
    if (deadline === Infinity) {
      await answer;
      return;
    }
    const { clock } = this.#runtime;
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = clock.timer(Math.max(0, deadline - clock.now()), () => {
        reject(this.#tooLate(iod));
      });
    });
    try {
      await Promise.race([answer, late]);
    } finally {
      timer?.cancel();
    }
  }

  async #wait(iod: IodIndex, until: number, { deadline, errand }: FanOutOptions): Promise<void> {
    if (this.#runtime.clock.now() >= deadline) throw this.#tooLate(iod);
    await this.#roster.changed(iod, until, errand);
  }

  #tooLate(iod: IodIndex): FsError {
    const what = `${this.#nameOf(iod)} did not acknowledge before the deadline`;
    return new FsError('ETIMEDOUT', { id: 'WEFT_E_IOD_DOWN', what });
  }

  #later(attempts: number, { retryAfterMs }: FsError): number {
    const { clock, random } = this.#runtime;
    return clock.now() + retryDelayMs(attempts, random, retryAfterMs);
  }

  #isSyncing(iod: IodIndex): boolean {
    return this.#roster.at(iod).state === 'syncing';
  }

  #nameOf(iod: IodIndex): string {
    return this.#roster.at(iod).row.name;
  }
}
