/**
 * Which new file is perhaps to be a copy: programs that copy open what there is, and then make what shall be.
 * It begins on the same iod then, and iods can copy it by themselves. Whoever makes a hundred files of one
 * means something else, so that only the first of them counts.
 */
import { limits } from '../../shared/limits.ts';
import { LruMap } from '../../shared/lru-map.ts';
import type { Handle } from '../../shared/units.ts';
import type { RequestHeader } from './protocol.ts';

type Asker = Pick<RequestHeader, 'pid'>;

export class LikelyCopies {
  readonly #opened = new LruMap<number, Handle>();

  /** Its thread has opened a file to read. */
  opened({ pid: thread }: Asker, handle: Handle): void {
    // The kernel has no number for threads of other containers.
    if (thread === 0) return;
    this.#opened.set(thread, handle);
    const { oldest, size } = this.#opened;
    if (oldest !== undefined && size > limits.likelyCopiesMax) this.#opened.delete(oldest);
  }

  /** Its thread makes a file. @returns of which it may be a copy */
  made({ pid: thread }: Asker): Handle | undefined {
    const handle = this.#opened.get(thread);
    this.#opened.delete(thread);
    return handle;
  }
}
