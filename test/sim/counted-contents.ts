/** The bytes of small files that a simulated mount keeps. */
import { SmallContents } from '../../client/fuse/small-contents.ts';
import type { Moment } from '../../client/name-cache.ts';
import type { Handle } from '../../shared/units.ts';

/** Counts what was found; may go on finding what is no longer to be found. */
export class CountedContents extends SmallContents {
  readonly #isHoarding: boolean;
  readonly #found: () => void;
  readonly #last = new Map<Handle, Buffer>();

  constructor(isHoarding: boolean, found: () => void) {
    super();
    this.#isHoarding = isHoarding;
    this.#found = found;
  }

  override find(handle: Handle, since: Moment): Buffer | undefined {
    const bytes = this.#isHoarding ? this.#last.get(handle) : super.find(handle, since);
    if (bytes !== undefined) this.#found();
    return bytes;
  }

  override keep(handle: Handle, since: Moment, bytes: Buffer): void {
    this.#last.set(handle, bytes);
    super.keep(handle, since, bytes);
  }
}
