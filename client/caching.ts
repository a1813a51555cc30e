/**
 * The rights to cache of one session: on which connection they were given, and how long they may be
 * used. They count from the moment at which we sent the latest question that the mgr has answered:
 * the mgr has heard of us after that, and counts longer (`limits.rightMs`, `rightAtMgrMs`).
 */
import { type FsError, toFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { linkOps } from '../shared/wire/link-ops.ts';
import type { MgrSession } from './mgr-session.ts';
import { type Moment, NameCache } from './name-cache.ts';

/** A question on its way. */
export interface Question {
  readonly moment: Moment;
  readonly sentAt: number;
  /** Of the connection. */
  readonly life: number;
}

/** Resolves when whoever was told of these, or of all, does not use it any more. */
export type Revoke = (handles: readonly Handle[] | 'all') => Promise<void>;

export interface CachingOptions {
  readonly session: Pick<MgrSession, 'runtime' | 'call' | 'cacheWith'>;
  /** False: only what is lent to the session. */
  readonly attributes: boolean;
  readonly revoke: Revoke;
  /** Resolves when what was lent to this session is settled; `undefined`: nothing was. */
  readonly owed: () => Promise<unknown> | undefined;
}

export class Caching {
  readonly #session: CachingOptions['session'];
  readonly #clock: Runtime['clock'];
  readonly #revoke: Revoke;
  readonly #cache = new NameCache();
  #life = 0;
  #isGranted = false;
  /** When the latest question was sent that was answered on this connection. */
  #contactAt = -Infinity;
  #renewing: Promise<void> | undefined;
  #dropping: Promise<void> = Promise.resolve();

  constructor({ session, attributes, revoke, owed }: CachingOptions) {
    this.#session = session;
    this.#clock = session.runtime.clock;
    this.#revoke = revoke;
    session.cacheWith({
      attributes,
      granted: () => {
        this.#isGranted = true;
      },
      recalled: (handles) => this.#recalled(handles),
      lost: () => {
        this.#lost();
      },
      dropped: () => this.#dropping,
      owed,
    });
  }

  /** Milliseconds for which what is cached may be used, from now. */
  get validMs(): number {
    if (!this.#isGranted) return 0;
    return Math.max(0, this.#contactAt + limits.rightMs - this.#clock.now());
  }

  /** What may be used at this moment. */
  get cache(): NameCache | undefined {
    return this.validMs > 0 ? this.#cache : undefined;
  }

  /** For what is learned and changed, also while nothing may be used. */
  get knowledge(): NameCache {
    return this.#cache;
  }

  /**
   * What is cached, fit for use if the mgr can be reached: one word from it makes all of it so.
   * `undefined` when nothing may be used.
   */
  async ready(): Promise<NameCache | undefined> {
    if (this.#isGranted && this.validMs === 0) await this.#renew();
    return this.readyNow();
  }

  /** As `ready`, of what needs no waiting. */
  readyNow(): NameCache | undefined {
    const { validMs } = this;
    if (validMs === 0) return undefined;
    if (validMs < limits.rightMs - limits.rightRenewMs) void this.#renew();
    return this.#cache;
  }

  ask(): Question {
    return { moment: this.#cache.moment(), sentAt: this.#clock.now(), life: this.#life };
  }

  /** A question was answered. @returns what may learn from it, if it came on this connection */
  answered({ life, sentAt }: Question): NameCache | undefined {
    if (life !== this.#life || !this.#isGranted) return undefined;
    this.#contactAt = Math.max(this.#contactAt, sentAt);
    return this.#cache;
  }

  /** Nobody uses these any more, who was told of them. Never rejects. */
  async takeBack(handles: readonly Handle[]): Promise<void> {
    if (handles.length === 0) return;
    await this.#revoke(handles).catch((error: unknown) => this.#warn(toFsError(error)));
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#ping().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #ping(): Promise<void> {
    const question = this.ask();
    const deadline = question.sentAt + limits.rightMs;
    try {
      await this.#session.call(linkOps.ping, {}, { deadline });
      this.answered(question);
    } catch {
      // Then nothing is renewed, and whoever asks the mgr next hears why.
    }
  }

  async #recalled(handles: readonly Handle[]): Promise<void> {
    for (const handle of handles) this.#cache.recall(handle);
    await this.#revoke(handles);
  }

  /** The connection is lost, or an attempt to make one has failed. */
  #lost(): void {
    this.#life++;
    this.#contactAt = -Infinity;
    if (!this.#isGranted) return;
    this.#isGranted = false;
    this.#cache.clear();
    this.#dropping = this.#revoke('all').catch((error: unknown) => {
      this.#warn(toFsError(error));
    });
  }

  #warn({ message: why }: FsError): void {
    this.#session.runtime.log.error('what was cached could not be revoked', { why });
  }
}
