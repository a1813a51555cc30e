/** `fs.FSWatcher`: changes as events. */
import { EventEmitter } from 'node:events';
import { beginWatch, watchWishOf } from './change-events.ts';
import { checkFunction } from './checks.ts';
import { signalOf } from './arguments.ts';
import type { Volume } from './volume.ts';

export class FSWatcher extends EventEmitter {
  #isClosed = false;
  #end: (() => void) | undefined;

  /** Failures, as of a path that is not there, come as `error`: the mgr has to be asked. */
  static watch(volume: Volume, path: unknown, options: unknown, listener: unknown): FSWatcher {
    const given = typeof options === 'function' ? options : listener;
    if (given !== undefined) checkFunction(given, 'listener');
    const wish = watchWishOf(path, options);
    const watcher = new FSWatcher();
    if (given !== undefined) watcher.on('change', given);
    const signal = signalOf(wish.options);
    if (signal?.aborted === true) {
      watcher.close();
      return watcher;
    }
    const abort = (): void => watcher.close();
    signal?.addEventListener('abort', abort, { once: true });
    watcher.once('close', () => signal?.removeEventListener('abort', abort));
    beginWatch(volume, wish, ({ eventType, filename }) => {
      watcher.#emit('change', eventType, filename);
    }).then(
      (end) => {
        watcher.#end = end;
        if (watcher.#isClosed) end();
      },
      (error: unknown) => watcher.#fail(error),
    );
    return watcher;
  }

  /** Nothing is told after it. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end?.();
    process.nextTick(() => this.emit('close'));
  }

  /** The connection to the cluster keeps the process alive, not this. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    // Nobody who does not listen is ended by it.
    if (this.listenerCount('error') > 0) process.nextTick(() => this.emit('error', error));
    this.close();
  }

  /** What a listener throws is its program's, as in Node. */
  #emit(event: string, ...values: readonly unknown[]): void {
    process.nextTick(() => {
      if (!this.#isClosed) this.emit(event, ...values);
    });
  }
}
