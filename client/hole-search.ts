/** Where the next bytes of a file are, or its next hole, by what the iods say of their columns. */
import { localLength, type Layout, toLogical } from '../shared/stripe.ts';
import type { ReplyOf } from '../shared/wire/op.ts';
import type { dataOps } from '../shared/wire/iod-ops.ts';

export interface HoleSearch {
  readonly layout: Layout;
  readonly position: number;
  readonly size: number;
  readonly wanted: 'data' | 'hole';
  /** Of one column from a place on, as of `dataOps.seek`; `undefined`: there are no holes. */
  readonly ask: Ask | undefined;
}

type Ask = (column: number, localOffset: number) => Promise<ReplyOf<typeof dataOps.seek>>;

/** A column that has not said yet where it is. */
interface Open {
  readonly column: number;
  readonly localOffset: number;
}

/**
 * As lseek(2) with SEEK_DATA or SEEK_HOLE.
 * @returns undefined: there is none from there on
 * @throws as `ask` rejects
 */
export async function searchFile(search: HoleSearch): Promise<number | undefined> {
  const { position, size, wanted, ask } = search;
  if (position >= size) return undefined;
  if (ask === undefined) return wanted === 'data' ? position : size;
  const nearest = await nearestOf(search, ask);
  return nearest === size && wanted === 'data' ? undefined : nearest;
}

/**
 * All columns are asked at once, and again those that have not looked as far as the nearest that is found.
 * @returns `size` when there is nothing before it
 */
async function nearestOf({ layout, position, size }: HoleSearch, ask: Ask): Promise<number> {
  let nearest = size;
  const isBefore = ({ column, localOffset }: Open) =>
    localOffset < localLength(layout, column, nearest);
  let open: readonly Open[] = Array.from({ length: layout.pcount }, (_, column) => ({
    column,
    localOffset: localLength(layout, column, position),
  }));
  while ((open = open.filter(isBefore)).length > 0) {
    const answers = await Promise.all(
      open.map(async ({ column, localOffset }) => ({
        column,
        ...(await ask(column, localOffset)),
      })),
    );
    const further: Open[] = [];
    for (const { column, found, offset } of answers) {
      if (offset === undefined) continue;
      const at = { column, localOffset: offset };
      if (!found) further.push(at);
      else if (isBefore(at)) nearest = toLogical(layout, column, offset);
    }
    open = further;
  }
  return nearest;
}
