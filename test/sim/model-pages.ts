/**
 * The page cache of a kernel before a mount, for files of one page. A page that is being read is
 * locked until the answer has come: whoever wants to drop it waits for that.
 */
import { constants } from 'node:fs';
import type { RequestControl } from '../../client/fuse/in-flight.ts';
import { attributeHandlers } from '../../client/fuse/operations/attributes.ts';
import { fileHandlers } from '../../client/fuse/operations/files.ts';
import { openBits, setAttrBits } from '../../client/fuse/protocol.ts';
import type { Volume } from '../../client/fuse/volume.ts';
import type { Handle } from '../../shared/units.ts';

/** What the rest of the kernel does for it. */
export interface KernelOfPages {
  /** Attributes are valid, so nobody need be asked. */
  readonly isKnown: (handle: Handle) => boolean;
  readonly ask: (volume: Volume, handle: Handle) => Promise<void>;
  /** Attributes are valid no more. */
  readonly changed: (handle: Handle) => void;
  readonly pause: () => Promise<void>;
}

export interface Descriptor {
  readonly handle: Handle;
  readonly file: number;
  readonly isDirect: boolean;
}

const pageBytes = 4096;
const control: RequestControl = {
  signal: new AbortController().signal,
  room: (bytes) => Buffer.alloc(bytes),
};

export class ModelPages {
  readonly #kernel: KernelOfPages;
  readonly #pages = new Map<Handle, string>();
  readonly #reads = new Map<Handle, Promise<unknown>>();
  readonly #open = new Set<Descriptor>();
  #life = 0;

  constructor(kernel: KernelOfPages) {
    this.#kernel = kernel;
  }

  /** The mount is gone, with all that was open. */
  clear(): void {
    this.#life++;
    for (const part of [this.#pages, this.#reads, this.#open]) part.clear();
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
    await release(volume, descriptor.handle, descriptor.file);
  }

  async read(volume: Volume, { handle, file, isDirect }: Descriptor): Promise<string> {
    if (isDirect) return readNow(volume, handle, file);
    if (!this.#kernel.isKnown(handle)) await this.#kernel.ask(volume, handle);
    // Of one that is being read, the answer.
    await this.#reads.get(handle)?.catch(() => undefined);
    const known = this.#pages.get(handle);
    if (known !== undefined) return known;
    const life = this.#life;
    const reading = readNow(volume, handle, file);
    this.#reads.set(handle, reading);
    try {
      const page = await reading;
      if (life === this.#life) this.#pages.set(handle, page);
      return page;
    } finally {
      if (this.#reads.get(handle) === reading) this.#reads.delete(handle);
    }
  }

  /** As write(2) of a program that has opened the file for it. @param keepsTime and puts its time back */
  async write(volume: Volume, handle: Handle, page: string, keepsTime: boolean): Promise<void> {
    const { file } = await this.#ask(volume, handle, constants.O_WRONLY);
    const body = { file, offset: 0, size: page.length, writeFlags: 0, flags: 0 };
    await this.drop(handle);
    const request = { ...(requestOf(handle, body) as object), tail: Buffer.from(page) } as never;
    await fileHandlers.write(volume, request, control);
    this.#kernel.changed(handle);
    await this.drop(handle);
    if (keepsTime) {
      const times = { modified: 1, modifiedNs: 0, valid: setAttrBits.modified };
      await attributeHandlers.setAttr(volume, requestOf(handle, times), control);
      this.#kernel.changed(handle);
    }
    await release(volume, handle, file);
  }

  /** Waits for a page that is being read. */
  async drop(handle: Handle): Promise<void> {
    await this.#reads.get(handle)?.catch(() => undefined);
    this.#pages.delete(handle);
  }

  /** What a program reads without anybody being asked: one that has it open. */
  known(handle: Handle): string | undefined {
    const isOpen = [...this.#open].some((one) => one.handle === handle && !one.isDirect);
    return isOpen && this.#kernel.isKnown(handle) ? this.#pages.get(handle) : undefined;
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

/** A request without what the handlers do not look at. */
export function requestOf(node: Handle, body: object) {
  return { header: { node, uid: 0, gid: 0 }, body, tail: undefined, groups: [] } as never;
}

async function readNow(volume: Volume, handle: Handle, file: number): Promise<string> {
  const request = requestOf(handle, { file, offset: 0, size: pageBytes });
  return Buffer.concat(await fileHandlers.read(volume, request, control)).toString();
}

async function release(volume: Volume, handle: Handle, file: number): Promise<void> {
  await fileHandlers.release(volume, requestOf(handle, { file }));
}
