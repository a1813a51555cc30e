/**
 * Tells a program what its open files meet while daemons come back: calls that wait, that go on,
 * and files that are lost. Without it a program hears of nothing but a pause (MISSION X16).
 */
import { type FsError, toFsError } from '../shared/errno.ts';
import type { Clock, Logger } from '../shared/runtime/runtime.ts';
import type { IodIndex } from '../shared/units.ts';
import type { File } from './file.ts';
import type { IodPool } from './iod-pool.ts';
import type { MgrSession } from './mgr-session.ts';

export type RecoveryEvent =
  /** Calls of the file wait for a daemon that cannot be reached. */
  | {
      readonly kind: 'paused';
      readonly file: File;
      /** `mgr`, or the name of an iod. */
      readonly daemon: string;
      readonly cause: FsError;
    }
  /** The daemon is back, and the calls go on. */
  | {
      readonly kind: 'resumed';
      readonly file: File;
      readonly daemon: string;
      readonly durationMs: number;
    }
  /** The session that had opened the file has ended: all calls of the file fail from now on. */
  | { readonly kind: 'lost'; readonly file: File; readonly cause: FsError };

export type RecoveryListener = (event: RecoveryEvent) => void;

/** Whom a call of a file may wait for. */
export type DaemonId = IodIndex | 'mgr';

export interface RecoveryWatchOptions {
  readonly session: MgrSession;
  readonly iods: IodPool;
  readonly files: () => Iterable<File>;
}

export class RecoveryWatch {
  readonly #options: RecoveryWatchOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listeners = new Set<RecoveryListener>();
  /** Since when, by the daemon that a file waits for. */
  readonly #paused = new WeakMap<File, Map<DaemonId, number>>();

  constructor(options: RecoveryWatchOptions) {
    this.#options = options;
    const { session, iods } = options;
    const { clock, log } = session.runtime;
    this.#clock = clock;
    this.#log = log;
    session.onContact((reason) => {
      this.#contact('mgr', reason);
    });
    iods.onContact((index, reason) => {
      this.#contact(index, reason);
    });
  }

  /** @returns what ends it */
  listen(listener: RecoveryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The file can be used no more. */
  lost(file: File, cause: FsError): void {
    this.#tell({ kind: 'lost', file, cause });
  }

  /** @param reason why there is no connection; `undefined` when there is one again */
  #contact(id: DaemonId, reason: FsError | undefined): void {
    // Attempts fail every so often, and there may be many files.
    if (reason !== undefined && this.#listeners.size === 0) return;
    for (const file of this.#options.files()) {
      if (reason !== undefined) this.#pause(file, id, reason);
      else this.#resume(file, id);
    }
  }

  #pause(file: File, id: DaemonId, cause: FsError): void {
    const waits = this.#paused.get(file) ?? new Map<DaemonId, number>();
    // Every attempt that fails comes here.
    if (!file.waitsFor(id) || waits.has(id)) return;
    this.#paused.set(file, waits.set(id, this.#clock.now()));
    this.#tell({ kind: 'paused', file, daemon: this.#nameOf(id), cause });
  }

  #resume(file: File, id: DaemonId): void {
    const waits = this.#paused.get(file);
    const since = waits?.get(id);
    if (since === undefined) return;
    waits?.delete(id);
    const durationMs = this.#clock.now() - since;
    this.#tell({ kind: 'resumed', file, daemon: this.#nameOf(id), durationMs });
  }

  #nameOf(id: DaemonId): string {
    if (id === 'mgr') return id;
    return this.#options.session.nameOfIod(id);
  }

  /** What a listener throws is its own affair, and hinders neither the others nor the calls. */
  #tell(event: RecoveryEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error('recovery listener failed', { why: toFsError(error).message });
      }
    }
  }
}
