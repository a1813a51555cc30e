/** What this program watches: told by the mgr over the connection that stands, of what is committed. */
import { isFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Connection } from '../shared/rpc/connection.ts';
import type { ByteString, Handle } from '../shared/units.ts';
import type { clientOps } from '../shared/wire/client-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';
import { watchOps } from '../shared/wire/watch-ops.ts';

export interface Change {
  /** `rename`: the name has come, gone, or leads to something else. */
  readonly kind: 'rename' | 'change';
  /** Below what is watched; empty: that itself. */
  readonly path: ByteString;
}

/** @param change `undefined`: some have been missed, so anything may have changed */
export type ChangeListener = (change: Change | undefined) => void;

export interface WatchTarget {
  readonly handle: Handle;
  /** All below it, too. */
  readonly recursive: boolean;
}

interface Watch extends WatchTarget {
  readonly listener: ChangeListener;
  /** Who waits for it to begin has missed nothing. */
  hasBegun: boolean;
}

export class ChangeWatches {
  readonly #watches = new Map<number, Watch>();
  #last = 0;

  /** @returns its number, for the mgr too */
  add(target: WatchTarget, listener: ChangeListener): number {
    this.#last++;
    this.#watches.set(this.#last, { ...target, listener, hasBegun: false });
    return this.#last;
  }

  begun(number: number): void {
    const watch = this.#watches.get(number);
    if (watch) watch.hasBegun = true;
  }

  remove(number: number): void {
    this.#watches.delete(number);
  }

  told({ changes, lost }: RequestOf<typeof clientOps.changes>): void {
    // The older ones are those that are missing.
    if (lost) this.#missed();
    for (const { watch, kind, path } of changes) {
      this.#watches.get(watch)?.listener({ kind, path });
    }
  }

  /** The connection is new: asks for all of it again, and nobody knows what was missed. */
  async begin(connection: Connection, now: number): Promise<void> {
    const deadline = now + limits.connectTimeoutMs;
    await Promise.all(
      Array.from(this.#watches, ([watch, { handle, recursive }]) =>
        connection
          .call(watchOps.watch, { watch, handle, recursive }, { deadline })
          .catch((error: unknown) => {
            // It is gone, or no longer ours to see: there is nothing more to be told of it.
            if (!isFsError(error) || !['ENOENT', 'EACCES'].includes(error.code)) throw error;
          }),
      ),
    );
    this.#missed();
  }

  #missed(): void {
    for (const { listener, hasBegun } of this.#watches.values()) {
      if (hasBegun) listener(undefined);
    }
  }
}
