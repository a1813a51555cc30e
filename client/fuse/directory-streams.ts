/**
 * Directories that programs have open: the page that each is reading, so that one question serves
 * many calls. What comes or goes behind the place of a reader it may miss, as POSIX allows; from
 * the beginning it is read anew.
 */
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { nameOps } from '../../shared/wire/mgr-ops.ts';

export type Page = ReplyOf<typeof nameOps.readDirectory>;

interface Stream {
  after: number;
  page: Page | undefined;
}

export class DirectoryStreams {
  readonly #streams = new Map<number, Stream>();
  #last = 0;

  /** @returns its number */
  open(): number {
    this.#streams.set(++this.#last, { after: 0, page: undefined });
    return this.#last;
  }

  close(number: number): void {
    this.#streams.delete(number);
  }

  /**
   * The entries behind a place.
   * @param ask for the page behind it, when it is not at hand
   */
  async read(
    number: number,
    after: number,
    ask: () => Promise<Page>,
  ): Promise<Pick<Page, 'entries' | 'parent'>> {
    const stream = this.#streams.get(number) ?? { after, page: undefined };
    if (stream.page === undefined || after === 0 || !reaches(stream, after)) {
      stream.page = await ask();
      stream.after = after;
    }
    const { entries, parent } = stream.page;
    return { parent, entries: entries.filter(({ cookie }) => cookie > after) };
  }
}

function reaches({ page, after: begin }: Stream, after: number): boolean {
  if (page === undefined || after < begin) return false;
  return page.done || after < (page.entries.at(-1)?.cookie ?? 0);
}
