/** A listing that is fetched page by page while it is read. */
import { limits } from '../shared/limits.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { nameOps } from '../shared/wire/mgr-ops.ts';
import type { Control } from './control.ts';
import { Dirent } from './stats.ts';

export interface DirectoryOptions extends Control {
  /** Brings the attributes of every entry along, in the same round trip. */
  readonly attributes?: boolean | undefined;
}

type Page = ReplyOf<typeof nameOps.readDirectory>;
type FetchPage = (after: number, count: number, attributes: boolean) => Promise<Page>;

export class Directory implements AsyncIterable<Dirent> {
  readonly #attributes: boolean;
  readonly #fetch: FetchPage;

  constructor({ attributes = false }: DirectoryOptions, fetch: FetchPage) {
    this.#attributes = attributes;
    this.#fetch = fetch;
  }

  /** Entries that come or go meanwhile may or may not be seen; all others are, exactly once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent> {
    for await (const page of this.pages()) yield* page;
  }

  async *pages(): AsyncGenerator<readonly Dirent[]> {
    let after = 0;
    for (;;) {
      const page = await this.#fetch(after, limits.direntsPerPageMax, this.#attributes);
      yield page.entries.map((entry) => new Dirent(entry));
      const last = page.entries.at(-1);
      if (page.done || last === undefined) return;
      after = last.cookie;
    }
  }
}
