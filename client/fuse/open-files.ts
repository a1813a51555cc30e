/** Files that programs have open through the mount, by the number that the kernel was given. */
import { FsError } from '../../shared/errno.ts';
import { NumberMap } from '../../shared/number-map.ts';
import type { Handle } from '../../shared/units.ts';
import type { File } from '../file.ts';

export class OpenFiles {
  readonly #files = new NumberMap<number, File>();
  /** How often each is open. */
  readonly #open = new Map<Handle, number>();
  readonly #writers = new Map<Handle, Set<File>>();
  #last = 0;

  get size(): number {
    return this.#files.size;
  }

  /** @returns its number */
  add(file: File, writable: boolean): number {
    this.#files.set(++this.#last, file);
    this.#open.set(file.handle, (this.#open.get(file.handle) ?? 0) + 1);
    if (writable) {
      const writers = this.#writers.get(file.handle) ?? new Set();
      this.#writers.set(file.handle, writers.add(file));
    }
    return this.#last;
  }

  /** @throws FsError EBADF */
  get(number: number): File {
    const file = this.#files.get(number);
    if (file === undefined) throw new FsError('EBADF', { what: `no open file ${number}` });
    return file;
  }

  isOpen(handle: Handle): boolean {
    return this.#open.has(handle);
  }

  isWritten(handle: Handle): boolean {
    return this.#writers.has(handle);
  }

  /** Also those that are being closed. */
  writersOf(handle: Handle): readonly File[] {
    return [...(this.#writers.get(handle) ?? [])];
  }

  /** Its number is no more; `closed` follows. @throws FsError EBADF */
  take(number: number): File {
    const file = this.get(number);
    this.#files.delete(number);
    const left = (this.#open.get(file.handle) ?? 0) - 1;
    if (left > 0) this.#open.set(file.handle, left);
    else this.#open.delete(file.handle);
    return file;
  }

  /** It was given back, and changes size and time of the file no more. */
  closed(file: File): void {
    const writers = this.#writers.get(file.handle);
    writers?.delete(file);
    if (writers?.size === 0) this.#writers.delete(file.handle);
  }
}
