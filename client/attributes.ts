/** What a change of attributes asks for; what is not given stays as it is. */
import { FsError } from '../shared/errno.ts';
import type { Timestamp } from '../shared/units.ts';
import type { nameOps } from '../shared/wire/mgr-ops.ts';
import type { RequestOf } from '../shared/wire/op.ts';

/** Times as `node:fs` takes them (seconds, or a Date), or exact. */
export type TimeLike = number | Date | Timestamp | 'now';

export type SetAttr = RequestOf<typeof nameOps.setAttr>;

export const unchanged = {
  mode: undefined,
  uid: undefined,
  gid: undefined,
  accessed: undefined,
  modified: undefined,
  size: undefined,
};

/** @returns no change for -1, as in chown(2) */
export function owner(uid: number, gid: number): Pick<SetAttr, 'uid' | 'gid'> {
  return { uid: uid === -1 ? undefined : uid, gid: gid === -1 ? undefined : gid };
}

/** @throws FsError EINVAL for what is no time */
export function timesOf(
  accessed: TimeLike,
  modified: TimeLike,
): Pick<SetAttr, 'accessed' | 'modified'> {
  return { accessed: timeOf(accessed), modified: timeOf(modified) };
}

/** @throws FsError EINVAL for what is no time */
export function timeOf(time: TimeLike): NonNullable<SetAttr['accessed']> {
  if (time === 'now') return { now: true, at: { seconds: 0, nanoseconds: 0 } };
  if (typeof time === 'object' && 'seconds' in time) return { now: false, at: time };
  const value = typeof time === 'number' ? time : time.getTime() / 1000;
  if (!Number.isFinite(value)) throw new FsError('EINVAL', { what: `not a time: ${String(time)}` });
  const seconds = Math.floor(value);
  const nanoseconds = Math.min(999_999_999, Math.round((value - seconds) * 1e9));
  return { now: false, at: { seconds, nanoseconds } };
}
