/**
 * Pages of files that the kernel keeps, and reads again without asking while the attributes of the
 * file are valid: these are the gate. A file is opened so while there is a right to it. With the
 * right its pages go. Who has it open still asks before each read from then on, and is answered when
 * no page is left of what was read before.
 */
import { Fifo } from '../../shared/fifo.ts';
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import { openBits } from './protocol.ts';

export interface KernelPagesOptions {
  readonly clock: Clock;
  /** Takes its pages from the kernel, which waits for those that it is reading. */
  readonly drop: (handle: Handle) => Promise<void>;
}

/** A file to which there was a right when it was opened. */
class Pages {
  readonly handle: Handle;
  /** Open files through which they are read, by the numbers that the kernel was given. */
  readonly readers = new Set<number>();
  /** It has been opened before. */
  isAgain = false;
  /** What the kernel had before is gone: whoever opens it next may use what is there. */
  isKept = false;
  /** The right was taken back, and readers are left. */
  isSpoiled = false;
  /** Then: some may be there that were not dropped since. */
  areLeft = false;
  dropping: Promise<void> = Promise.resolve();
  isWatched = false;

  constructor(handle: Handle) {
    this.handle = handle;
  }
}

export class KernelPages {
  readonly #options: KernelPagesOptions;
  readonly #files = new Map<Handle, Pages>();
  #isGated = false;
  #dropping = 0;
  readonly #waiting = new Fifo<() => void>();

  constructor(options: KernelPagesOptions) {
    this.#options = options;
  }

  /** This kernel looks at the attributes before each read. */
  agreed({ isGated }: { readonly isGated: boolean }): void {
    this.#isGated = isGated;
  }

  /**
   * A program opens a file to read it, to which there is a right at this moment.
   * @param reader its number @returns bits of `openBits`
   */
  open({ handle, size }: Pick<Attr, 'handle' | 'size'>, reader: number): number {
    if (!this.#isGated || size > limits.fuseKeptFileBytesMax) return openBits.directIo;
    const pages = this.#files.get(handle) ?? this.#begin(handle);
    if (pages === undefined || pages.isSpoiled) return openBits.directIo;
    const { isAgain } = pages;
    pages.isAgain = true;
    if (!isAgain && size > limits.fuseKeptAtOnceBytesMax) return openBits.directIo;
    pages.readers.add(reader);
    return pages.isKept ? openBits.keepCache : 0;
  }

  /** The kernel reads: what it had before the open it has dropped. */
  read(handle: Handle, reader: number): void {
    const pages = this.#files.get(handle);
    if (pages?.readers.has(reader) !== true) return;
    pages.isKept = true;
    pages.areLeft = pages.isSpoiled;
  }

  closed(handle: Handle, reader: number): void {
    const pages = this.#files.get(handle);
    if (pages?.readers.delete(reader) !== true) return;
    pages.isKept = true;
    if (pages.isSpoiled && pages.readers.size === 0) this.#files.delete(handle);
  }

  /** Whoever reads it must ask each time. */
  isSpoiled(handle: Handle): boolean {
    return this.#files.get(handle)?.isSpoiled ?? false;
  }

  /**
   * The right to these is gone, or this mount has changed their bytes.
   * @returns true when some of them have readers, who must ask from now on
   */
  spoil(handles: readonly Handle[] | 'all'): boolean {
    let hasReaders = false;
    for (const pages of this.#of(handles)) {
      pages.isSpoiled = pages.readers.size > 0;
      pages.areLeft = pages.isSpoiled;
      if (pages.isSpoiled) hasReaders = true;
      else this.#files.delete(pages.handle);
    }
    return hasReaders;
  }

  /**
   * Resolves when the kernel has none of these, as far as they are spoiled; at the latest after some
   * time, because those that it is reading may be long in coming, and whoever reads them asks.
   */
  async dropSoon(handles: readonly Handle[] | 'all'): Promise<void> {
    const spoiled = this.#of(handles).filter(({ isSpoiled }) => isSpoiled);
    if (spoiled.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const timer = this.#options.clock.timer(limits.fuseDropMs, resolve);
      Promise.all(spoiled.map((pages) => this.#dropLeft(pages)))
        .finally(() => timer.cancel())
        .then(() => resolve(), reject);
    });
  }

  /** Resolves when the kernel has no page of it that was read before this call, if it is spoiled. */
  async settled(handle: Handle): Promise<void> {
    const pages = this.#files.get(handle);
    if (pages?.isSpoiled !== true) return;
    await this.#dropLeft(pages);
    this.#dropNext(pages);
  }

  /** The kernel has given the node back, and with it all pages. */
  forgotten(handle: Handle): void {
    this.#files.delete(handle);
  }

  #begin(handle: Handle): Pages | undefined {
    if (this.#files.size >= limits.cachedNamesMax) return undefined;
    const pages = new Pages(handle);
    this.#files.set(handle, pages);
    return pages;
  }

  #of(handles: readonly Handle[] | 'all'): readonly Pages[] {
    if (handles === 'all') return [...this.#files.values()];
    return handles.flatMap((handle) => this.#files.get(handle) ?? []);
  }

  /**
   * What is read now goes soon: a drop while the kernel asks for the size would have it ignore the
   * answer. Not what a mapping reads, which never asks: it would read the same again and again.
   */
  #dropNext(pages: Pages): void {
    if (pages.isWatched) return;
    pages.isWatched = true;
    this.#options.clock.timer(limits.fuseSpoiledReadMs, () => {
      pages.isWatched = false;
      if (!pages.areLeft) return;
      this.#dropNext(pages);
      // Else whoever reads next tries again, and hears of it.
      this.#dropLeft(pages).catch(() => undefined);
    });
  }

  async #dropLeft(pages: Pages): Promise<void> {
    if (pages.areLeft) {
      pages.areLeft = false;
      pages.dropping = this.#drop(pages);
    }
    try {
      await pages.dropping;
    } catch (error) {
      pages.areLeft = true;
      throw error;
    }
  }

  /** Each holds a thread for as long as it waits; some are left for notices that wait for nobody. */
  async #drop(pages: Pages): Promise<void> {
    if (this.#dropping < limits.fuseDropsMax) this.#dropping++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await this.#options.drop(pages.handle);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#dropping--;
      else next();
    }
  }
}
