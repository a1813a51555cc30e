/** `fs.watchFile`: asks for the attributes of a file again and again, and tells when they differ. */
import { EventEmitter } from 'node:events';
import { toFsError } from '../../shared/errno.ts';
import type { Timer } from '../../shared/runtime/runtime.ts';
import { type ByteString, type Handle } from '../../shared/units.ts';
import { pathBytes } from '../path.ts';
import { Stats } from '../stats.ts';
import { type PathArgument, pathOf, wantsBigInt } from './arguments.ts';
import { BigIntStats } from './big-int-stats.ts';
import { type Callback, checkFunction, checkUint32, isObject } from './checks.ts';
import type { Volume } from './volume.ts';

const intervalDefaultMs = 5007;
/** Nothing that can be seen is there, or no more. */
const absences = new Set(['ENOENT', 'ENOTDIR', 'EACCES']);
/** The file system was closed. */
const ends = new Set(['EPIPE', 'EBADF']);

interface Polling {
  readonly path: PathArgument;
  readonly intervalMs: number;
  readonly bigint: boolean;
}

export class StatWatcher extends EventEmitter {
  readonly #volume: Volume;
  readonly #polling: Polling;
  #known: Stats | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(volume: Volume, polling: Polling) {
    super();
    this.#volume = volume;
    this.#polling = polling;
    void this.#poll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** The connection to the cluster keeps the process alive, not this. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  async #poll(): Promise<void> {
    const { fs } = this.#volume;
    const { path, intervalMs } = this.#polling;
    let isOver = false;
    try {
      this.#look(await fs.stat(path));
    } catch (error) {
      const { code } = toFsError(error);
      // Of a cluster that is away nobody knows whether anything has changed.
      if (absences.has(code)) this.#look(statsOfNothing());
      isOver = ends.has(code);
    }
    if (this.#isStopped || isOver) return;
    this.#timer = fs.session.runtime.clock.timer(intervalMs, () => void this.#poll());
  }

  #look(now: Stats): void {
    const before = this.#known;
    this.#known = now;
    // As in Node: that it is not there is told at once, that it is goes without saying.
    const isNews = before === undefined ? now.ino === 0 : differ(before, now);
    if (!isNews || this.#isStopped) return;
    const shown = [now, before ?? now].map((stats) =>
      this.#polling.bigint ? new BigIntStats(stats) : stats,
    );
    process.nextTick(() => {
      if (!this.#isStopped) this.emit('change', ...shown);
    });
  }
}

/** The watchers of one file system, one a path. */
export class StatWatchers {
  readonly #watchers = new Map<ByteString, StatWatcher>();

  /** @throws TypeError, RangeError as Node */
  watch(volume: Volume, path: unknown, options: unknown, listener: unknown): StatWatcher {
    const file = pathOf(path, 'filename');
    const given = isObject(options) ? options : {};
    const heard = isObject(options) ? listener : options;
    checkFunction(heard, 'listener');
    const { interval = intervalDefaultMs } = given;
    checkUint32(interval, 'interval');
    const key = pathBytes(file);
    let watcher = this.#watchers.get(key);
    if (watcher === undefined) {
      const bigint = wantsBigInt(given);
      watcher = new StatWatcher(volume, { path: file, intervalMs: interval, bigint });
      this.#watchers.set(key, watcher);
    }
    return watcher.on('change', heard);
  }

  /** @param listener the one to end; all of them by default */
  unwatch(path: unknown, listener: unknown): void {
    const key = pathBytes(pathOf(path, 'filename'));
    const watcher = this.#watchers.get(key);
    if (watcher === undefined) return;
    if (typeof listener === 'function') watcher.removeListener('change', listener as Callback);
    else watcher.removeAllListeners('change');
    if (watcher.listenerCount('change') > 0) return;
    watcher.stop();
    this.#watchers.delete(key);
  }
}

const compared = [
  'ctimeMs',
  'mtimeMs',
  'birthtimeMs',
  'size',
  'mode',
  'uid',
  'gid',
  'ino',
] as const satisfies readonly (keyof Stats)[];

function differ(before: Stats, now: Stats): boolean {
  return compared.some((name) => before[name] !== now[name]);
}

const never = { seconds: 0, nanoseconds: 0 };

/** What Node tells of a file that is not there: all is 0, and it is of no kind. */
function statsOfNothing(): Stats {
  const nothing = new Stats({
    handle: 0 as Handle,
    kind: 'file',
    mode: 0,
    links: 0,
    uid: 0,
    gid: 0,
    device: 0,
    size: 0,
    accessed: never,
    modified: never,
    changed: never,
    born: never,
    layout: undefined,
    place: 'iods',
    sizeExact: true,
    holes: 0,
    right: false,
  });
  return Object.assign(nothing, { dev: 0, mode: 0, blksize: 0, kind: undefined });
}
