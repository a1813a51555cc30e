/**
 * The disk under the name store, as far as a power loss is concerned: what was committed without
 * waiting for it may be gone then, the last first. A process that dies loses nothing.
 */
import type { MetaStore } from '../../mgr/store/meta-store.ts';
import type { Inode, Mutation } from '../../mgr/store/rows.ts';
import {
  memoryDatabase,
  openSqliteStore,
  type SqliteDatabase,
} from '../../mgr/store/sqlite-store.ts';
import type { Handle } from '../../shared/units.ts';
import type { SimRandom } from './runtime/random.ts';
import { overriding } from './sabotage.ts';

interface Batch {
  readonly mutations: readonly Mutation[];
  readonly generation: number;
}

export class MgrDisk {
  /** Counts all that can change what is read: as long as it stays, so does every answer. */
  #changes = 0;
  /** Commits that a power loss has taken. */
  lostCount = 0;
  /** How many that are not durable yet a power loss leaves; by chance where nothing is said. */
  keeps: number | undefined;
  #database: SqliteDatabase = memoryDatabase();
  /** The store before the first of `#behind`. */
  #durable: Buffer | undefined;
  #behind: Batch[] = [];

  /** @returns what `read` gives, which is asked anew only when something may have changed */
  remembered<T>(read: () => T): () => T {
    let last: { readonly changes: number; readonly value: T } | undefined;
    return () => {
      if (last?.changes !== this.#changes) last = { changes: this.#changes, value: read() };
      return last.value;
    };
  }

  open(): MetaStore {
    this.#changes++;
    const database = this.#database;
    const store = openSqliteStore({ database });
    return overriding(store, {
      commit: (mutations, generation, waits) => {
        this.#changes++;
        if (waits === 'nothing') this.#durable ??= database.serialize();
        store.commit(mutations, generation, waits);
        if (waits === 'nothing') this.#behind.push({ mutations, generation });
        else this.#settle();
      },
    });
  }

  /** @returns files that have an earlier mode again */
  losePower(random: SimRandom): readonly Pick<Inode, 'handle' | 'mode'>[] {
    const image = this.#durable;
    if (image === undefined) return [];
    const kept = this.keeps ?? random.below(this.#behind.length + 1);
    const database = memoryDatabase(image);
    const store = openSqliteStore({ database });
    for (const { mutations, generation } of this.#behind.slice(0, kept)) {
      store.commit(mutations, generation);
    }
    const before = openSqliteStore({ database: this.#database });
    this.#database = database;
    this.#changes++;
    this.lostCount += this.#behind.length - kept;
    const lost = this.#behind.slice(kept).flatMap(({ mutations }) => mutations);
    this.#settle();
    const changed = lost.flatMap((one) => (one.kind === 'put-inode' ? [one.row.handle] : []));
    return [...new Set<Handle>(changed)].flatMap((handle) => {
      const now = store.inode(handle);
      return now !== undefined && now.mode !== before.inode(handle)?.mode ? [now] : [];
    });
  }

  #settle(): void {
    this.#durable = undefined;
    this.#behind = [];
  }
}
