/** What the operations of one connected file system share. */
import type { Readable, Writable } from 'node:stream';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { LayoutWish } from '../../shared/wire/values.ts';
import type { FileSystem } from '../file-system.ts';
import type { PathArgument } from './arguments.ts';
import { during } from './failures.ts';
import type { FileHandle } from './file-handle.ts';
import { OpenFile } from './open-file.ts';

export interface Volume {
  readonly fs: FileSystem;
  readonly descriptors: Descriptors;
  readonly createReadStream: (path: unknown, options?: unknown) => Readable;
  readonly createWriteStream: (path: unknown, options?: unknown) => Writable;
}

/** Far from those of the host, so that one given to the wrong file system is an error there. */
const firstDescriptor = 2 ** 30;

/** The open files that have been asked for a number. */
export class Descriptors {
  readonly #handles = new Map<number, FileHandle>();
  #next = firstDescriptor;

  /** @throws FsError EMFILE */
  add(handle: FileHandle): number {
    if (this.#handles.size >= limits.openFilesPerSessionMax) throw new FsError('EMFILE');
    while (this.#handles.has(this.#next)) this.#step();
    const descriptor = this.#next;
    this.#handles.set(descriptor, handle);
    this.#step();
    return descriptor;
  }

  remove(descriptor: number): void {
    this.#handles.delete(descriptor);
  }

  /** @throws FsError EBADF */
  get(descriptor: number, syscall: string): FileHandle {
    const handle = this.#handles.get(descriptor);
    if (handle === undefined) throw new FsError('EBADF', { syscall });
    return handle;
  }

  #step(): void {
    this.#next = this.#next === 2 ** 31 - 1 ? firstDescriptor : this.#next + 1;
  }
}

export interface OpenWish {
  /** Bits of open(2). */
  readonly flags: number;
  readonly mode?: number | undefined;
  readonly layout?: Partial<LayoutWish> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function openFile(
  { fs }: Volume,
  path: PathArgument,
  { flags, ...options }: OpenWish,
): Promise<OpenFile> {
  const { signal } = options;
  return during({ syscall: 'open', path, signal }, async () => {
    return new OpenFile(await fs.open(path, flags, options));
  });
}
