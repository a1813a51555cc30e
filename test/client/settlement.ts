import type { Settlement } from '../../client/small-file.ts';

export const time = { seconds: 1, nanoseconds: 0 };

/** Something that was done to a lent file. */
export const settlement: Settlement = {
  made: time,
  bytes: Buffer.from('abc'),
  mode: 0o600,
  uid: 0,
  gid: 0,
  accessed: time,
  modified: time,
  changed: time,
};
