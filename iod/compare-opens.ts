/**
 * Which of the opens that an iod knows are in force by the digests of the mgr, and which parts of
 * the table it must be told of. A digest is right for one set of opens alone, so nothing else need
 * be known of where they come from: an old, damaged or foreign set costs time, no more. Pure.
 */
import { isSameDigest, OpenDigest } from '../shared/open-digest.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { OpenEntry, OpenPlace, OpenRange } from '../shared/wire/values.ts';
import type { OpenEntries } from './open-entries.ts';

/** A part of the open table: behind a place, and up to a handle. */
export interface OpenPart {
  readonly after: OpenPlace;
  readonly upTo: Handle;
}

const begin: OpenPlace = { handle: 0 as Handle, session: 0 as SessionId };
const everybody = Number.MAX_SAFE_INTEGER as SessionId;

export const allOpens: OpenPart = { after: begin, upTo: Number.MAX_SAFE_INTEGER as Handle };

/**
 * @param ranges all handles, each range behind the one before
 * @param keep is given the known opens of those ranges that are the same at the mgr
 * @returns the other ranges, those side by side as one, in order
 */
export function compareOpens(
  known: OpenEntries,
  ranges: readonly OpenRange[],
  keep: (entry: OpenEntry) => void,
): readonly OpenPart[] {
  const ends = Float64Array.from(ranges, ({ upTo }) => upTo);
  const digests = ranges.map(() => new OpenDigest());
  known.forEach((handle, session, rights, sequence) => {
    if (rights > 0) digests[rangeOf(ends, handle)]?.add(handle, session, rights, sequence);
  });
  const isSame = ranges.map((range, at) => isSameDigest(range, digests[at] ?? range));
  known.forEach((handle, session, rights, sequence) => {
    if (rights > 0 && isSame[rangeOf(ends, handle)] === true) {
      keep({ handle, session, rights, sequence });
    }
  });
  return partsOf(ranges, isSame);
}

function partsOf(ranges: readonly OpenRange[], isSame: readonly boolean[]): readonly OpenPart[] {
  const parts: OpenPart[] = [];
  let after = begin;
  for (const [at, { upTo }] of ranges.entries()) {
    if (isSame[at] === true) after = { handle: upTo, session: everybody };
    else if (isSame[at + 1] !== false) parts.push({ after, upTo });
  }
  return parts;
}

/** The first range that does not end before the handle. */
function rangeOf(ends: Float64Array, handle: Handle): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? 0) < handle) low = middle + 1;
    else high = middle;
  }
  return low;
}
