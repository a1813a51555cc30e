/**
 * Which of the opens that an iod knows are in force by the digests of the mgr, and which parts of
 * the table it must be told of. A digest is right for one set of opens alone, so nothing else need
 * be known of where they come from: an old, damaged or foreign set costs time, no more. Pure.
 */
import { isSameDigest, OpenDigest } from '../shared/open-digest.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { OpenPlace, OpenRange } from '../shared/wire/values.ts';
import type { OpenEntries } from './open-entries.ts';

/** A part of the open table: behind a place, and up to a handle. */
export interface OpenPart {
  readonly after: OpenPlace;
  readonly upTo: Handle;
}

const begin: OpenPlace = { handle: 0 as Handle, session: 0 as SessionId };
const everybody = Number.MAX_SAFE_INTEGER as SessionId;

export const allOpens: OpenPart = { after: begin, upTo: Number.MAX_SAFE_INTEGER as Handle };

export interface Compared {
  /** What the mgr must tell, in order; no two of them side by side. */
  readonly parts: readonly OpenPart[];
  /** All that is known is in force, and nothing else. */
  readonly isAll: boolean;
  /** Whether the known opens of the file are those in force. */
  readonly isSame: (handle: Handle) => boolean;
}

/** @param ranges all handles, each range behind the one before */
export function compareOpens(known: OpenEntries, ranges: readonly OpenRange[]): Compared {
  const ends = Float64Array.from(ranges, ({ upTo }) => upTo);
  const digests = ranges.map(() => new OpenDigest());
  let closed = 0;
  known.forEach((handle, session, rights, sequence) => {
    if (rights > 0) digests[rangeOf(ends, handle)]?.add(handle, session, rights, sequence);
    else closed++;
  });
  const isSame = ranges.map((range, at) => isSameDigest(range, digests[at] ?? range));
  const parts = partsOf(ranges, isSame);
  return {
    parts,
    isAll: parts.length === 0 && closed === 0,
    isSame: (handle) => isSame[rangeOf(ends, handle)] === true,
  };
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
