/**
 * Asks the mgr for the bytes of small files, without opening them. Whoever reads one mostly reads those
 * next that were made after it, as a program does that goes through a tree: they come along with it, more
 * of them each time that this was right.
 */
import { limits } from '../../shared/limits.ts';
import type { Handle } from '../../shared/units.ts';
import { fileOps } from '../../shared/wire/mgr-ops.ts';
import type { Known, Moment } from '../name-cache.ts';
import { unwritten, type Volume } from './volume.ts';

type VolumeParts = Pick<Volume, 'access' | 'files' | 'contents'>;

/** A file is asked for. */
interface Wanted {
  readonly handle: Handle;
  readonly since: Moment;
}

interface Asking {
  readonly since: Moment;
  readonly bytes: Promise<Buffer | undefined>;
}

/** A program that reads one file after another. */
interface Walk {
  /** The last of those that were asked for. */
  end: number;
  /** Files that come along. */
  ahead: number;
}

/** Another file of the same walk is no further away. */
const strideMax = 64;
const walksMax = 8;

export class SmallReads {
  readonly #volume: VolumeParts;
  readonly #asking = new Map<Handle, Asking>();
  /** The one that went on last is the last. */
  #walks: Walk[] = [];

  constructor(volume: VolumeParts) {
    this.#volume = volume;
  }

  /**
   * All bytes of a small file, which are kept for who reads it next.
   * @param known at this moment
   * @returns undefined: they are to be read otherwise, and it is heard then why. Never rejects
   */
  read({ attr: { handle, size }, since }: Known): Promise<Buffer | undefined> {
    const running = this.#asking.get(handle);
    if (running?.since === since) return running.bytes;
    const walk = this.#walkTo(handle);
    const wanted = [{ handle, since }, ...this.#ahead(handle, size, walk)];
    walk.end = wanted.at(-1)?.handle ?? handle;
    const asked = this.#ask(wanted.map((one) => one.handle));
    const [first] = wanted.map((one, i) => this.#track(one, asked, i));
    return first ?? nothing;
  }

  #walkTo(handle: Handle): Walk {
    const known = this.#walks.find(({ end }) => handle > end && handle - end <= strideMax);
    const walk = known ?? { end: handle, ahead: 0 };
    if (known) walk.ahead = Math.min(2 * walk.ahead + 1, limits.smallFilesPerRead - 1);
    this.#walks = [...this.#walks.filter((other) => other !== walk), walk].slice(-walksMax);
    return walk;
  }

  /** @param size bytes of the file itself */
  #ahead(handle: Handle, size: number, { ahead }: Walk): Wanted[] {
    const { contents } = this.#volume;
    const found: Wanted[] = [];
    let room = limits.smallFilesReadBytesMax - size;
    for (let next = handle + 1; next <= handle + strideMax && found.length < ahead; next++) {
      const one = next as Handle;
      if (this.#asking.has(one)) continue;
      const at = unwritten(this.#volume, one);
      if (at === undefined || !contents.isFor(at.attr)) continue;
      if (contents.find(one, at.since) !== undefined) continue;
      room -= at.attr.size;
      if (room < 0) break;
      found.push({ handle: one, since: at.since });
    }
    return found;
  }

  /** @returns of each its bytes, as they come from the wire */
  async #ask(handles: readonly Handle[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      const { access } = this.#volume;
      // It is for each who reads to say how long he waits.
      const control = { deadlineMs: Infinity };
      const { lengths, contents } = await access.call(fileOps.readWhole, { handles }, control);
      let end = 0;
      return lengths.map((length) =>
        length === undefined ? undefined : contents.subarray(end, (end += length)),
      );
    } catch {
      return [];
    }
  }

  #track(
    { handle, since }: Wanted,
    asked: Promise<readonly (Uint8Array | undefined)[]>,
    i: number,
  ): Promise<Buffer | undefined> {
    const take = async (): Promise<Buffer | undefined> => {
      const bytes = (await asked)[i];
      // Unless it is being asked for anew.
      if (this.#asking.get(handle)?.since === since) this.#asking.delete(handle);
      if (bytes === undefined) return undefined;
      const own = Buffer.allocUnsafeSlow(bytes.length);
      own.set(bytes);
      if (unwritten(this.#volume, handle)?.since === since)
        this.#volume.contents.keep(handle, since, own);
      return own;
    };
    const bytes = take();
    this.#asking.set(handle, { since, bytes });
    return bytes;
  }
}

const nothing = Promise.resolve(undefined);
