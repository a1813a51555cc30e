/**
 * Scratch files: at or below a directory with a retention time a file goes by itself, when for so
 * long after its last close nobody has opened it again (DESIGN 5). When that is, is kept in memory:
 * after a start of the mgr the time begins anew, so that nothing goes too early (SCENARIOS 181).
 */
import { FsError, isFsError } from '../shared/errno.ts';
import { limits } from '../shared/limits.ts';
import type { Runtime, Timer } from '../shared/runtime/runtime.ts';
import { type Handle, rootHandle } from '../shared/units.ts';
import type { Commits } from './cluster-port.ts';
import { removeName } from './namespace/entries.ts';
import type { OpenTable } from './open-table.ts';
import { dropLink } from './ops/file-bytes.ts';
import type { Rights } from './rights.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import { retentionKey } from './store/setting-keys.ts';
import type { TickChanges } from './tick-changes.ts';

export interface RetentionOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'log'>;
  readonly view: MetaView;
  readonly store: Pick<MetaStore, 'setting' | 'dirents' | 'direntsOf'>;
  readonly tick: TickChanges;
  readonly commits: Commits;
  readonly openTable: OpenTable;
  readonly rights: Pick<Rights, 'mayBeHeld' | 'clear'>;
}

/** Files with the same time, the one that goes first at the front. */
interface Queue {
  readonly dueAt: Map<Handle, number>;
  timer: Timer | undefined;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Those that were ever given a time; what each says now is in its inode. */
  readonly #directories = new Set<Handle>();
  /** By the time, in seconds. */
  readonly #queues = new Map<number, Queue>();
  /** Directories whose files have to be looked for. */
  #unread: { readonly handle: Handle; after: number }[] = [];
  #reading: Timer | undefined;
  /** In which queue each file is, and it is in one only. */
  readonly #waiting = new Map<Handle, Queue>();
  /** There were more files than are watched at once. */
  #isIncomplete = false;
  #closed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** What the nearest directory says that says anything. */
  secondsAt(directory: Handle): number | undefined {
    const { view } = this.#options;
    for (let at = view.stored(directory); at !== undefined;) {
      const seconds = at.defaults?.retentionSeconds;
      if (seconds !== undefined || at.handle === rootHandle) return seconds;
      at = view.stored(at.parent ?? rootHandle);
    }
    return undefined;
  }

  /** At the start: what lies in such directories, and nobody has open, waits for its time. */
  begin(): void {
    const stored = JSON.parse(this.#options.store.setting(retentionKey) ?? '[]') as Handle[];
    for (const handle of stored) this.#directories.add(handle);
    this.#read(stored);
  }

  /** The directory is about to get a time. @throws FsError ENOSPC when too many have one */
  keep(directory: Handle): void {
    const { view } = this.#options;
    for (const one of this.#directories) {
      if (view.stored(one)?.defaults?.retentionSeconds === undefined) this.#directories.delete(one);
    }
    this.#directories.add(directory);
    if (this.#directories.size > limits.retentionDirectoriesMax) {
      this.#directories.delete(directory);
      const what = `${limits.retentionDirectoriesMax} directories have a retention time`;
      throw new FsError('ENOSPC', { what });
    }
    const row = { key: retentionKey, value: JSON.stringify([...this.#directories]) };
    view.add({ kind: 'put-setting', row });
    this.#read([directory]);
  }

  /** A session has let go of a file, durably. */
  released(handle: Handle): void {
    if (this.#directories.size === 0 || this.#options.openTable.isHeld(handle)) return;
    const times = this.#scratchNames(handle).map(({ seconds }) => seconds);
    if (times.length > 0) this.#wait(handle, Math.min(...times));
  }

  close(): void {
    this.#closed = true;
    this.#reading?.cancel();
    for (const { timer } of this.#queues.values()) timer?.cancel();
  }

  // ------------------------------------------------------------- inner parts

  /** Names at or below such directories, and the time of each. */
  #scratchNames(handle: Handle) {
    const names = this.#options.store.direntsOf(handle, limits.retentionNamesMax);
    return names.flatMap(({ parent, name }) => {
      const seconds = this.secondsAt(parent);
      return seconds === undefined ? [] : [{ parent, name, seconds }];
    });
  }

  #wait(handle: Handle, seconds: number): void {
    this.#waiting.get(handle)?.dueAt.delete(handle);
    this.#waiting.delete(handle);
    if (this.#waiting.size >= limits.retentionFilesMax) {
      this.#isIncomplete = true;
      return;
    }
    const queue = this.#queues.get(seconds) ?? { dueAt: new Map(), timer: undefined };
    this.#waiting.set(handle, queue);
    this.#queues.set(seconds, queue);
    queue.dueAt.set(handle, this.#options.runtime.clock.now() + seconds * 1000);
    this.#watch(seconds, queue);
  }

  #watch(seconds: number, queue: Queue): void {
    const [first] = queue.dueAt.values();
    if (first === undefined) this.#queues.delete(seconds);
    if (first === undefined || queue.timer !== undefined || this.#closed) return;
    const { clock } = this.#options.runtime;
    queue.timer = clock.timer(Math.max(0, first - clock.now()), () => {
      queue.timer = undefined;
      void this.#expire(seconds, queue);
    });
  }

  /** As many as go into one commit. */
  async #expire(seconds: number, queue: Queue): Promise<void> {
    const now = this.#options.runtime.clock.now();
    const due: Handle[] = [];
    for (const [handle, dueAt] of queue.dueAt) {
      if (dueAt > now || due.length === limits.reapBatchMax) break;
      due.push(handle);
    }
    for (const handle of due) {
      queue.dueAt.delete(handle);
      this.#waiting.delete(handle);
    }
    await Promise.all(due.map((handle) => this.#remove(handle, seconds)));
    this.#watch(seconds, queue);
    if (!this.#isIncomplete || this.#waiting.size > limits.retentionFilesMax / 2) return;
    this.#isIncomplete = false;
    this.#read([...this.#directories]);
  }

  /** When nobody can see it any more by what he has cached (rights.ts). */
  async #remove(handle: Handle, seconds: number): Promise<void> {
    const { tick, rights, commits, runtime } = this.#options;
    try {
      while (!this.#closed) {
        const mark = tick.mark();
        if (!tick.atomically(() => this.#unlink(handle, seconds))) break;
        const { inodes, directories } = tick.touched(mark);
        const inTheWay = rights.mayBeHeld
          ? rights.clear(undefined, new Set([...inodes, ...directories]))
          : undefined;
        if (inTheWay === undefined) {
          await commits.durable();
          break;
        }
        tick.undo(mark);
        await inTheWay;
      }
      // Names whose time is longer, or has become so.
      this.released(handle);
    } catch (error) {
      if (!isFsError(error)) throw error;
      const { message: why } = error;
      runtime.log.warn('scratch file not removed', { key: 'retention', handle, why });
      // Its disk is full, or another mgr is at work.
      this.#wait(handle, Math.max(1, seconds));
    }
  }

  /** @returns false: somebody has it open, it is gone, or its time is longer than this by now */
  #unlink(handle: Handle, seconds: number): boolean {
    const { view, openTable, runtime } = this.#options;
    const now = runtime.clock.wall();
    if (openTable.isHeld(handle)) return false;
    let isRemoved = false;
    for (const { parent, name, seconds: time } of this.#scratchNames(handle)) {
      if (time > seconds) continue;
      const inode = view.inode(handle);
      if (inode?.kind !== 'file' || view.dirent(parent, name)?.handle !== handle) continue;
      removeName(view, now, parent, name, inode.kind);
      dropLink({ view, now, holders: openTable }, inode);
      isRemoved = true;
    }
    return isRemoved;
  }

  /** A page at a time, behind all that waits. */
  #read(directories: readonly Handle[]): void {
    for (const handle of directories) this.#unread.push({ handle, after: 0 });
    if (this.#reading !== undefined || this.#closed) return;
    this.#reading = this.#options.runtime.clock.timer(0, () => {
      this.#reading = undefined;
      this.#readPage();
      if (this.#unread.length > 0) this.#read([]);
    });
  }

  #readPage(): void {
    const directory = this.#unread.pop();
    if (directory === undefined) return;
    const { handle, after } = directory;
    const page = this.#options.store.dirents(handle, after, limits.retentionNamesPerPage);
    const last = page.length === limits.retentionNamesPerPage ? page.at(-1) : undefined;
    if (last !== undefined) this.#unread.push({ handle, after: last.cookie });
    for (const { handle: child, kind } of page) {
      if (kind === 'directory') this.#unread.push({ handle: child, after: 0 });
      if (kind === 'file') this.released(child);
    }
  }
}
