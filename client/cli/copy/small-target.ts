/** A file to copy into that is likely to stay small: it is made with all that is in it, in one round trip. */
import { limits } from '../../../shared/limits.ts';
import type { File } from '../../file.ts';
import type { FileSystem, OpenOptions } from '../../file-system.ts';
import type { Target } from './tree.ts';

export class SmallTarget implements Target {
  readonly #fs: FileSystem;
  readonly #path: Buffer;
  readonly #options: OpenOptions;
  #content: Buffer = Buffer.alloc(0);
  /** Once it was too long. */
  #file: File | undefined;

  constructor(fs: FileSystem, path: Buffer, options: OpenOptions) {
    this.#fs = fs;
    this.#path = path;
    this.#options = options;
  }

  async write(from: Uint8Array, position: number): Promise<void> {
    const end = position + from.length;
    if (this.#file === undefined && end <= limits.smallFileBytesDefault) {
      const grown = Buffer.alloc(Math.max(this.#content.length, end));
      grown.set(this.#content);
      grown.set(from, position);
      this.#content = grown;
      return;
    }
    const file = this.#file ?? (await this.#open());
    await file.write(from, position);
  }

  async close(sync: boolean): Promise<void> {
    const isGathered = this.#file === undefined;
    if (isGathered && (await this.#fs.writeSmallFile(this.#path, this.#content, this.#options)))
      return;
    try {
      if (isGathered) await this.#open();
    } finally {
      await this.#file?.close({ sync });
    }
  }

  /** It is to be closed from then on, also when what was gathered cannot be written. */
  async #open(): Promise<File> {
    const file = await this.#fs.open(this.#path, 'w', this.#options);
    this.#file = file;
    if (this.#content.length > 0) await file.write(this.#content, 0);
    return file;
  }
}
