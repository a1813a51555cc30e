/**
 * Bytes of small files that were read, for those who read them again. They are good for as long as
 * nobody can have written the file since they were asked for. The kernel asks for each read, so a
 * mount whose process is stopped shows none of them.
 */
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import type { Attr } from '../../shared/wire/values.ts';
import type { Moment } from '../name-cache.ts';

interface Content {
  /** Nobody had written the file since then when they were read. */
  readonly since: Moment;
  readonly bytes: Buffer;
}

/** Of memory, about, that one takes beside its bytes: very many files have a few bytes each. */
const besideBytes = 512;

export class SmallContents {
  readonly #contents = new Map<Handle, Content>();
  #memoryBytes = 0;

  /** Of a file at the iods nobody tells us when the host of one loses what was not synced. */
  isFor({ place, size }: Attr): boolean {
    return place === 'mgr' && size > 0 && size <= limits.smallFileBytesMax;
  }

  /** @param since nobody has written the file @returns all of its bytes */
  find(handle: Handle, since: Moment): Buffer | undefined {
    const content = this.#contents.get(handle);
    return content?.since === since ? content.bytes : undefined;
  }

  /**
   * @param since nobody has written the file, up to now; the bytes were asked for after it
   * @param bytes alone in their memory, which stays for as long as they are kept
   */
  keep(handle: Handle, since: Moment, bytes: Buffer): void {
    this.#drop(handle);
    this.#contents.set(handle, { since, bytes });
    this.#memoryBytes += bytes.length + besideBytes;
    for (const [longestKept] of this.#contents) {
      if (this.#memoryBytes <= limits.fuseContentsKeptBytesMax) return;
      this.#drop(longestKept);
    }
  }

  #drop(handle: Handle): void {
    const content = this.#contents.get(handle);
    if (content === undefined) return;
    this.#memoryBytes -= content.bytes.length + besideBytes;
    this.#contents.delete(handle);
  }
}
