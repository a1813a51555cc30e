/**
 * Pages of files that the kernel keeps, and reads again without asking while the attributes of the
 * file are valid: these are the gate. A file is opened so while there is a right to it. With the
 * right its pages go. Who has it open still asks before each read from then on, and with the answer
 * the kernel drops what was read before.
 */
import { Fifo } from '../../shared/fifo.ts';
import { limits } from '../../shared/limits.ts';
import type { Clock } from '../../shared/runtime/runtime.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import { type FileAttr, openBits } from './protocol.ts';

export interface KernelPagesOptions {
  readonly clock: Clock;
  /** Takes its pages from the kernel, which waits for those that it is reading. */
  readonly drop: (handle: Handle) => Promise<void>;
}

/** Changes to the nanoseconds of a time: these stay below 1e9, which is a multiple of one more. */
const disguises = 511;

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
  readonly #toCome = new Map<Handle, Promise<void>>();
  /**
   * By so much the time was changed that was told last to one who read the file. The kernel may have it
   * for as long as it knows the node, also when nobody has had the file open meanwhile.
   */
  readonly #disguises = new Map<Handle, number>();

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
    if (pages?.readers.has(reader) === true) pages.isKept = true;
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
   * @returns those whose readers must ask from now on, and need not before
   */
  spoil(handles: readonly Handle[] | 'all'): readonly Handle[] {
    const spoiled: Handle[] = [];
    for (const pages of this.#of(handles)) {
      if (pages.readers.size === 0) this.#files.delete(pages.handle);
      else if (!pages.isSpoiled) spoiled.push(pages.handle);
      pages.isSpoiled = true;
    }
    return spoiled;
  }

  /**
   * Resolves when the kernel has dropped all of these, which were just spoiled; at the latest after some
   * time, because those that it is reading may be long in coming, and whoever reads them asks. Once only:
   * a notice has the kernel ignore the size for which a reader has just asked, and go by one from before.
   */
  async dropSoon(handles: readonly Handle[]): Promise<void> {
    const spoiled = this.#of(handles).filter(({ isSpoiled }) => isSpoiled);
    if (spoiled.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const timer = this.#options.clock.timer(limits.fuseDropMs, resolve);
      Promise.all(spoiled.map(({ handle }) => this.#drop(handle)))
        .finally(() => timer.cancel())
        .then(() => resolve(), reject);
    });
  }

  /**
   * What one who is about to read is told. Of a spoiled file that is another time of change than the
   * kernel has: upon that it drops all pages, in the step in which it takes the size. A notice would
   * do that too, but have it ignore the size, for which it has asked before. No program hears of that
   * time: whoever looks at a spoiled file asks, and not so.
   */
  forReader(handle: Handle, attr: FileAttr): FileAttr {
    if (!this.isSpoiled(handle)) return attr;
    // Never the same in turn: it is not known which answers the kernel has ignored.
    const disguise = ((this.#disguises.get(handle) ?? 0) % disguises) + 1;
    this.#disguises.set(handle, disguise);
    return { ...attr, modifiedNs: attr.modifiedNs ^ disguise };
  }

  /** The kernel has given the node back, and with it all pages. */
  forgotten(handle: Handle): void {
    this.#files.delete(handle);
    this.#disguises.delete(handle);
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

  /** One that has not begun serves all who ask for it meanwhile. */
  #drop(handle: Handle): Promise<void> {
    if (this.#dropping < limits.fuseDropsMax) {
      this.#dropping++;
      return this.#dropNow(handle);
    }
    const toCome = this.#toCome.get(handle) ?? this.#dropLater(handle);
    this.#toCome.set(handle, toCome);
    return toCome;
  }

  async #dropLater(handle: Handle): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#toCome.delete(handle);
    return this.#dropNow(handle);
  }

  /** Each holds a thread for as long as it waits; some are left for notices that wait for nobody. */
  async #dropNow(handle: Handle): Promise<void> {
    try {
      await this.#options.drop(handle);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#dropping--;
      else next();
    }
  }
}
