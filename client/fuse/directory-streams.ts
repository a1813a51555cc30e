/**
 * Directories that programs have open: the page that each is reading, so that one question serves
 * many calls. What comes or goes behind the place of a reader it may miss, as POSIX allows; from
 * the beginning it is read anew.
 */
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { nameOps } from '../../shared/wire/mgr-ops.ts';
import { openBits } from './protocol.ts';

export type Page = ReplyOf<typeof nameOps.readDirectory>;

interface Stream {
  readonly isKept: boolean;
  after: number;
  page: Page | undefined;
}

export class DirectoryStreams {
  readonly #streams = new Map<number, Stream>();
  #last = 0;

  /** @param flags as the kernel is told: it may keep what it reads @returns its number */
  open(flags: number): number {
    const isKept = (flags & openBits.cacheDirectory) !== 0;
    this.#streams.set(++this.#last, { isKept, after: 0, page: undefined });
    return this.#last;
  }

  isKept(number: number): boolean {
    return this.#streams.get(number)?.isKept ?? false;
  }

  close(number: number): void {
    this.#streams.delete(number);
  }

  /**
   * A page with the entries behind a place; there may be others before them.
   * @param ask for the page behind it, when it is not at hand
   */
  async read(number: number, after: number, ask: () => Promise<Page>): Promise<Page> {
    const stream = this.#streams.get(number) ?? { isKept: false, after, page: undefined };
    if (stream.page === undefined || after === 0 || !reaches(stream, after)) {
      stream.page = await ask();
      stream.after = after;
    }
    return stream.page;
  }
}

function reaches({ page, after: begin }: Stream, after: number): boolean {
  if (page === undefined || after < begin) return false;
  return page.done || after < (page.entries.at(-1)?.cookie ?? 0);
}
