/**
 * The page cache of a kernel before a mount, for files of one page. A page that is being read is
 * locked until the answer has come: whoever wants to drop it waits for that. It is read as far as the
 * size goes, which comes with attributes, and goes when these tell another size or time.
 */
import { constants } from 'node:fs';
import { attributeHandlers } from '../../client/fuse/operations/attributes.ts';
import { fileHandlers } from '../../client/fuse/operations/files.ts';
import { type FileAttr, openBits, setAttrBits } from '../../client/fuse/protocol.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import type { Handle } from '../../shared/units.ts';
import { control } from './mount-control.ts';

/** What the rest of the kernel does for it. */
export interface KernelOfPages {
  /** Attributes are valid, so nobody need be asked. */
  readonly isKnown: (handle: Handle) => boolean;
  /** @returns false when another thread was told of it meanwhile: then that is what it goes by */
  readonly ask: (volume: Volume, handle: Handle) => Promise<boolean>;
  /** Attributes are valid no more, and those that were asked for before are ignored. */
  readonly changed: (handle: Handle) => void;
  /** The step in which that was so, or it was told attributes, for the last time. */
  readonly version: (handle: Handle) => number;
  readonly step: () => number;
  readonly pause: () => Promise<void>;
  /** A defect: pages stay when it is told another size or time. */
  readonly isClinging: boolean;
}

export interface Descriptor {
  readonly handle: Handle;
  readonly file: number;
  readonly isDirect: boolean;
}

/** What a program has read, and whether it went by what itself was told. */
export interface Seen {
  readonly content: string;
  readonly isOwn: boolean;
}

const pageBytes = 4096;

export class ModelPages {
  readonly #kernel: KernelOfPages;
  readonly #pages = new Map<Handle, string>();
  readonly #sizes = new Map<Handle, number>();
  readonly #times = new Map<Handle, string>();
  readonly #reads = new Map<Handle, Promise<unknown>>();
  readonly #open = new Set<Descriptor>();
  #life = 0;

  constructor(kernel: KernelOfPages) {
    this.#kernel = kernel;
  }

  /** The mount is gone, with all that was open. */
  clear(): void {
    this.#life++;
    for (const part of [this.#pages, this.#sizes, this.#times, this.#reads, this.#open])
      part.clear();
  }

  async open(volume: Volume, handle: Handle): Promise<Descriptor> {
    const life = this.#life;
    const { file, flags } = await this.#ask(volume, handle, constants.O_RDONLY);
    const isDirect = (flags & openBits.directIo) !== 0;
    const descriptor = { handle, file, isDirect };
    if (life === this.#life) this.#open.add(descriptor);
    return descriptor;
  }

  async close(volume: Volume, descriptor: Descriptor): Promise<void> {
    this.#open.delete(descriptor);
    release(volume, descriptor.handle, descriptor.file);
  }

  /** It takes attributes. Resolves when the pages have gone that do not go with them. */
  async told(handle: Handle, size: number, modified: string): Promise<void> {
    const isNew = this.#sizes.get(handle) !== size || this.#times.get(handle) !== modified;
    this.#sizes.set(handle, size);
    this.#times.set(handle, modified);
    if (isNew && !this.#kernel.isClinging) await this.drop(handle);
  }

  async read(volume: Volume, { handle, file, isDirect }: Descriptor): Promise<Seen> {
    if (isDirect) return { content: await readNow(volume, handle, file), isOwn: true };
    const isOwn = this.#kernel.isKnown(handle) || (await this.#kernel.ask(volume, handle));
    // Of one that is being read, the answer.
    await this.#reads.get(handle)?.catch(() => undefined);
    const page = this.#pages.get(handle) ?? (await this.#fill(volume, handle, file));
    return { content: this.#inSize(handle, page), isOwn };
  }

  async #fill(volume: Volume, handle: Handle, file: number): Promise<string> {
    const life = this.#life;
    const step = this.#kernel.step();
    const reading = readNow(volume, handle, file);
    this.#reads.set(handle, reading);
    try {
      const page = await reading;
      if (life !== this.#life) return page;
      this.#pages.set(handle, page);
      // An answer that is too short is the end of the file.
      if (page.length < this.#sizeOf(handle) && this.#kernel.version(handle) <= step) {
        this.#kernel.changed(handle);
        this.#sizes.set(handle, page.length);
      }
      return page;
    } finally {
      if (this.#reads.get(handle) === reading) this.#reads.delete(handle);
    }
  }

  #sizeOf(handle: Handle): number {
    return this.#sizes.get(handle) ?? 0;
  }

  #inSize(handle: Handle, page: string): string {
    const size = this.#sizeOf(handle);
    return page.slice(0, size).padEnd(size, '\0');
  }

  /**
   * As write(2) of a program that has opened the file for it.
   * @param isShorter than it was, so it is cut @param keepsTime and puts its time back
   */
  async write(
    volume: Volume,
    handle: Handle,
    page: string,
    { isShorter, keepsTime }: { readonly isShorter: boolean; readonly keepsTime: boolean },
  ): Promise<void> {
    const { file } = await this.#ask(volume, handle, constants.O_WRONLY);
    const body = { file, offset: 0, size: page.length, writeFlags: 0, flags: 0 };
    await this.drop(handle);
    const request = { ...(requestOf(handle, body) as object), tail: Buffer.from(page) } as never;
    await fileHandlers.write(volume, request, control);
    this.#kernel.changed(handle);
    this.#sizes.set(handle, Math.max(this.#sizeOf(handle), page.length));
    await this.drop(handle);
    if (isShorter) await this.#set(volume, handle, { size: page.length, valid: setAttrBits.size });
    if (keepsTime) {
      const times = { modified: 1, modifiedNs: 0, valid: setAttrBits.modified };
      await this.#set(volume, handle, times);
    }
    release(volume, handle, file);
  }

  /** Upon another time alone no pages go. */
  async #set(volume: Volume, handle: Handle, change: object): Promise<void> {
    const { attr } = await attributeHandlers.setAttr(volume, requestOf(handle, change), control);
    this.#kernel.changed(handle);
    this.#times.set(handle, timeOf(attr));
    await this.told(handle, attr.size, timeOf(attr));
  }

  /** Waits for a page that is being read. */
  async drop(handle: Handle): Promise<void> {
    await this.#reads.get(handle)?.catch(() => undefined);
    this.#pages.delete(handle);
  }

  /** What a program reads without anybody being asked: one that has it open. */
  known(handle: Handle): string | undefined {
    const isOpen = [...this.#open].some((one) => one.handle === handle && !one.isDirect);
    const page = isOpen && this.#kernel.isKnown(handle) ? this.#pages.get(handle) : undefined;
    return page === undefined ? undefined : this.#inSize(handle, page);
  }

  async #ask(volume: Volume, handle: Handle, flags: number) {
    const reply = await fileHandlers.open(
      volume,
      requestOf(handle, { flags, openFlags: 0 }),
      control,
    );
    await this.#kernel.pause();
    if ((reply.flags & openBits.keepCache) === 0) await this.drop(handle);
    return reply;
  }
}

export function timeOf({ modified, modifiedNs }: FileAttr): string {
  return `${modified}.${modifiedNs}`;
}

/** A request without what the handlers do not look at. */
export function requestOf(node: Handle, body: object) {
  return { header: { node, uid: 0, gid: 0, pid: 0 }, body, tail: undefined, groups: [] } as never;
}

async function readNow(volume: Volume, handle: Handle, file: number): Promise<string> {
  const request = requestOf(handle, { file, offset: 0, size: pageBytes });
  return Buffer.concat(await fileHandlers.read(volume, request, control)).toString();
}

function release(volume: Volume, handle: Handle, file: number): void {
  fileHandlers.release(volume, requestOf(handle, { file }));
}
