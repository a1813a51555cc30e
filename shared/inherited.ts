/** What something new gets from the directory in which it is made: the rules of POSIX as Linux has them. Pure. */
import type { Attr, InodeKind } from './wire/values.ts';

/** On whose behalf an operation runs. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export const modeBits = {
  setUid: 0o4000,
  setGid: 0o2000,
  sticky: 0o1000,
  groupExecute: 0o010,
  anyExecute: 0o111,
  all: 0o7777,
} as const;

/** Mode bits that mkdir takes; suid and sgid of a directory are for chmod, as on Linux. */
export const directoryModeBits = 0o1777;

export function inGroup(who: Identity, gid: number): boolean {
  return who.gid === gid || who.groups.includes(gid);
}

/** Group and mode of what is made in a directory: an sgid directory hands its group on. */
export function inherited(
  who: Identity,
  directory: Pick<Attr, 'mode' | 'gid'>,
  kind: InodeKind,
  mode: number,
): { gid: number; mode: number } {
  if ((directory.mode & modeBits.setGid) === 0) return { gid: who.gid, mode };
  const { gid } = directory;
  if (kind === 'directory') return { gid, mode: mode | modeBits.setGid };
  const setGidExecutable = modeBits.setGid | modeBits.groupExecute;
  const foreign = who.uid !== 0 && !inGroup(who, gid);
  const strips = foreign && (mode & setGidExecutable) === setGidExecutable;
  return { gid, mode: strips ? mode & ~modeBits.setGid : mode };
}
