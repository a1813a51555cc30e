/**
 * Directories that came whole in one answer. While there is a right to their names, whoever lists
 * them again need not wait for the mgr. Pure.
 */
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { nameOps } from '../shared/wire/mgr-ops.ts';
import type { Moment, NameCache } from './name-cache.ts';

type Page = ReplyOf<typeof nameOps.readDirectory>;

interface Listing {
  readonly asked: Moment;
  readonly page: Page;
}

export class WholeListings {
  readonly #listings = new Map<Handle, Listing>();
  #entries = 0;

  /** @param asked when it was asked for, from the beginning */
  keep(directory: Handle, asked: Moment, page: Page): void {
    this.#forget(directory);
    if (!page.done) return;
    if (this.#entries + page.entries.length > limits.cachedNamesMax) this.#clear();
    this.#entries += page.entries.length;
    // What is known of the attributes is in the cache, once.
    const entries = page.entries.map((entry) => ({ ...entry, attr: undefined }));
    this.#listings.set(directory, { asked, page: { ...page, entries } });
  }

  /** What a listing would be answered with now. */
  find(directory: Handle, cache: NameCache): Page | undefined {
    const listing = this.#listings.get(directory);
    if (listing === undefined) return undefined;
    if (cache.isWhole(directory, listing.asked)) return listing.page;
    this.#forget(directory);
    return undefined;
  }

  #forget(directory: Handle): void {
    this.#entries -= this.#listings.get(directory)?.page.entries.length ?? 0;
    this.#listings.delete(directory);
  }

  #clear(): void {
    this.#listings.clear();
    this.#entries = 0;
  }
}
