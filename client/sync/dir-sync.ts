/** `Dir` of `node:fs`, read by calls that wait. */
import type { Dirent } from '../node-fs/dirent.ts';
import { directoryClosed } from '../node-fs/node-errors.ts';
import type { CallSync } from './methods.ts';

/** Entries that are fetched at a time. */
const pageEntries = 256;

export class DirSync {
  readonly path: unknown;
  readonly #call: CallSync;
  readonly #number: unknown;
  #entries: Dirent[] = [];
  #isClosed = false;

  /** @throws FsError ENOENT, ENOTDIR … */
  constructor(call: CallSync, path: unknown, options: unknown) {
    this.path = path;
    this.#call = call;
    this.#number = call('opendir', path, options);
  }

  /** @returns the next entry, `null` behind the last one */
  readSync(): Dirent | null {
    if (this.#isClosed) throw directoryClosed();
    if (this.#entries.length === 0) {
      this.#entries = this.#call('readDirectory', this.#number, pageEntries) as Dirent[];
    }
    return this.#entries.shift() ?? null;
  }

  closeSync(): void {
    if (this.#isClosed) throw directoryClosed();
    this.#isClosed = true;
    this.#call('closeDirectory', this.#number);
  }
}
