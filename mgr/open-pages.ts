/** What an iod is told of the open table when it syncs: entries in pages, and digests of ranges. */
import { limits } from '../shared/limits.ts';
import { OpenDigest } from '../shared/open-digest.ts';
import type { Handle, SessionId } from '../shared/units.ts';
import type { OpenEntry, OpenRange } from '../shared/wire/values.ts';
import type { OpenPage, OpenPart, OpenRanges } from './cluster-port.ts';
import { type OpenRows, rightsOf } from './open-rows.ts';
import type { OpenRow } from './store/rows.ts';

const nobody = 0 as SessionId;
const lastSession = Number.MAX_SAFE_INTEGER as SessionId;
const lastHandle = Number.MAX_SAFE_INTEGER as Handle;

/** See `OpenStream.page`. */
export function pageOf(rows: OpenRows, { iod, after, upTo }: OpenPart, count: number): OpenPage {
  const entries: OpenEntry[] = [];
  let looked = 0;
  let reached = after;
  for (const handle of rows.filesFrom(after.handle)) {
    if (handle > upTo) break;
    if (looked++ >= limits.opensLookedAtPerCall) return { entries, next: reached };
    if (rows.covers(handle, iod)) {
      for (const row of rows.rowsOf(handle, handle === after.handle ? after.session : nobody)) {
        if (entries.length === count) return { entries, next: reached };
        entries.push(entryOf(row));
        reached = row;
      }
    }
    reached = { handle, session: lastSession };
  }
  return { entries, next: undefined };
}

/** See `OpenStream.ranges`. */
export function rangesOf(rows: OpenRows, iod: number, afterHandle: Handle): OpenRanges {
  const ranges: OpenRange[] = [];
  let digest = new OpenDigest();
  let opens = 0;
  let looked = 0;
  const endRange = (upTo: Handle): void => {
    ranges.push({ upTo, low: digest.low, high: digest.high });
    digest = new OpenDigest();
    opens = 0;
  };
  for (const handle of rows.filesFrom(afterHandle + 1)) {
    const own = rows.digest(handle, iod, digest);
    opens += own;
    looked += 1 + own;
    const isEnough = looked >= limits.opensLookedAtPerCall;
    if (isEnough || opens >= limits.opensPerRange) endRange(handle);
    if (isEnough) return { ranges, done: false };
  }
  endRange(lastHandle);
  return { ranges, done: true };
}

/** See `OpenStream.whole`. */
export function wholeOf(rows: OpenRows, iod: number): OpenRanges {
  const { low, high } = rows.digestOfAll(iod);
  return { ranges: [{ upTo: lastHandle, low, high }], done: true };
}

/** An open as the iods know it. */
export function entryOf(row: OpenRow): OpenEntry {
  const { handle, session, sequence } = row;
  return { handle, session, rights: rightsOf(row), sequence };
}
