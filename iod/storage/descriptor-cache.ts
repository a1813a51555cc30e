/**
 * Open files of objects, a bounded number: the one that was idle longest is closed when another is
 * needed, and opened again as if nothing had happened (SCENARIOS 189). A file in use stays open;
 * when all are in use the next one waits.
 */
import { type FsError, isFsError, toFsError } from '../../shared/errno.ts';
import { Fifo } from '../../shared/fifo.ts';
import type { Clock, DiskFile, Timer } from '../../shared/runtime/runtime.ts';
import { limits } from '../../shared/limits.ts';
import { LruMap } from '../../shared/lru-map.ts';
import { ending, type Soon } from '../../shared/soon.ts';
import type { Handle } from '../../shared/units.ts';

/** What a use needs: any object that is there; one to change; one to change, made when missing. */
export type Purpose = 'read' | 'change' | 'make';

export interface OpenObject {
  readonly file: DiskFile;
  /** Why it can only be read; `undefined` when it can be changed. */
  readonly readOnly: FsError | undefined;
}

/** What was done with an object since it is open. */
export interface ObjectLoad {
  answered: number;
  readBytes: number;
  writtenBytes: number;
}

interface Descriptor {
  readonly load: ObjectLoad;
  readonly object: Promise<OpenObject | undefined>;
  /** The same, as soon as it is known. */
  opened: OpenObject | undefined;
  uses: number;
  /** Nobody has used it since the last look for idle ones. */
  isIdle: boolean;
  /** No longer in the table: closed after its last use. */
  forgotten: boolean;
}

export interface DescriptorCacheOptions {
  readonly clock: Clock;
  readonly descriptorsMax: number;
  /** @returns undefined when there is no such object and `make` is false */
  readonly open: (handle: Handle, make: boolean) => Promise<OpenObject | undefined>;
  /** A file could not be closed; nobody else hears of it. */
  readonly onCloseFailed: (handle: Handle, error: FsError) => void;
}

export class DescriptorCache {
  readonly #options: DescriptorCacheOptions;
  /** In the order of their last uses: the first idle one was idle longest. */
  readonly #table = new LruMap<Handle, Descriptor>();
  readonly #waiting = new Fifo<() => void>();
  readonly #closing = new Set<Promise<void>>();
  #idleCheck: Timer | undefined;
  /** Uses that run, or wait for room. */
  #uses = 0;
  #allEnded: (() => void) | undefined;

  constructor(options: DescriptorCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#table.size;
  }

  /**
   * Runs `task` with the open object. @returns undefined when there is none
   * @throws FsError of `open`; its `readOnly` when the object cannot be changed now
   */
  use<T>(
    handle: Handle,
    purpose: Purpose,
    task: (file: DiskFile, load: ObjectLoad) => Soon<T>,
  ): Soon<T | undefined> {
    const descriptor = this.#table.get(handle);
    const opened = descriptor?.opened;
    const isReady = opened !== undefined && (purpose === 'read' || opened.readOnly === undefined);
    this.#uses++;
    return ending<T | undefined>(
      () =>
        descriptor !== undefined && isReady
          ? this.#useOpen(handle, descriptor, () => task(opened.file, descriptor.load))
          : this.#use(handle, purpose, task),
      () => {
        this.#uses--;
        if (this.#uses === 0) this.#allEnded?.();
      },
    );
  }

  /** What was done with the object, if it is open. */
  loadOf(handle: Handle): ObjectLoad | undefined {
    return this.#table.get(handle)?.load;
  }

  /** What was done with each open object. */
  *loads(): Iterable<ObjectLoad & { readonly handle: Handle }> {
    for (const [handle, { load }] of this.#table) yield { handle, ...load };
  }

  /** The object has gone from its place: who uses it may end, nobody else gets it. */
  forget(handle: Handle): void {
    const descriptor = this.#table.get(handle);
    if (descriptor === undefined) return;
    this.#table.delete(handle);
    descriptor.forgotten = true;
    if (descriptor.uses === 0) this.#close(handle, descriptor);
    this.#waiting.shift()?.();
  }

  /** Closes all when their uses have ended. Nothing may be used from now on. */
  async close(): Promise<void> {
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#allEnded = resolve;
      });
    }
    this.#idleCheck?.cancel();
    for (const [handle] of this.#table) this.forget(handle);
    await Promise.all(this.#closing);
  }

  #useOpen<T>(handle: Handle, descriptor: Descriptor, task: () => Soon<T>): Soon<T> {
    descriptor.uses++;
    descriptor.isIdle = false;
    return ending(task, () => {
      this.#release(handle, descriptor);
    });
  }

  async #use<T>(
    handle: Handle,
    purpose: Purpose,
    task: (file: DiskFile, load: ObjectLoad) => Soon<T>,
  ): Promise<T | undefined> {
    for (;;) {
      while (!this.#table.has(handle) && !this.#hasRoom()) await this.#room();
      const known = this.#table.get(handle);
      const descriptor = known ?? this.#add(handle, purpose === 'make');
      descriptor.uses++;
      descriptor.isIdle = false;
      try {
        const object = await descriptor.object;
        if (object === undefined && purpose !== 'make') return undefined;
        if (object !== undefined) {
          const { file, readOnly } = object;
          if (purpose === 'read' || readOnly === undefined)
            return await task(file, descriptor.load);
          if (known === undefined) throw readOnly;
          // It was opened while the disk was read-only, which may be over.
          this.#forgetThis(handle, descriptor);
        }
        // Otherwise somebody else looked for it just before it was to be made.
      } finally {
        this.#release(handle, descriptor);
      }
    }
  }

  #forgetThis(handle: Handle, descriptor: Descriptor): void {
    if (this.#table.get(handle) === descriptor) this.forget(handle);
  }

  #add(handle: Handle, make: boolean): Descriptor {
    const descriptor: Descriptor = {
      load: { answered: 0, readBytes: 0, writtenBytes: 0 },
      object: this.#open(handle, make),
      opened: undefined,
      uses: 0,
      isIdle: false,
      forgotten: false,
    };
    this.#table.set(handle, descriptor);
    this.#idleCheck ??= this.#scheduleIdleCheck();
    const forget = (): void => {
      this.#forgetThis(handle, descriptor);
    };
    descriptor.object.then((object) => {
      descriptor.opened = object;
      if (object === undefined) forget();
    }, forget);
    return descriptor;
  }

  #hasRoom(): boolean {
    return this.#table.size < this.#options.descriptorsMax || this.#closeIdle();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** The system has a bound of its own for all that this process has open. */
  async #open(handle: Handle, make: boolean): Promise<OpenObject | undefined> {
    for (;;) {
      try {
        return await this.#options.open(handle, make);
      } catch (error) {
        const isFull = isFsError(error) && (error.code === 'EMFILE' || error.code === 'ENFILE');
        if (!isFull || !this.#closeIdle()) throw error;
        await Promise.all(this.#closing);
      }
    }
  }

  /** When all clients are gone, so are the open files, some time later (invariant I3). */
  #scheduleIdleCheck(): Timer {
    return this.#options.clock.timer(limits.objectIdleMs, () => {
      for (const [handle, descriptor] of this.#table) {
        if (descriptor.uses > 0) continue;
        if (descriptor.isIdle) this.forget(handle);
        descriptor.isIdle = true;
      }
      this.#idleCheck = this.#table.size === 0 ? undefined : this.#scheduleIdleCheck();
    });
  }

  /** @returns false when all are in use */
  #closeIdle(): boolean {
    for (const [handle, { uses }] of this.#table) {
      if (uses > 0) continue;
      this.forget(handle);
      return true;
    }
    return false;
  }

  #release(handle: Handle, descriptor: Descriptor): void {
    descriptor.uses--;
    if (descriptor.uses > 0) return;
    if (descriptor.forgotten) {
      this.#close(handle, descriptor);
      return;
    }
    this.#table.set(handle, descriptor);
    this.#waiting.shift()?.();
  }

  #close(handle: Handle, { object }: Descriptor): void {
    const closed = object
      .then(
        (object) => object?.file.close(),
        () => undefined, // whoever wanted it has heard
      )
      .catch((error: unknown) => {
        this.#options.onCloseFailed(handle, toFsError(error));
      })
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
