/** How the files of rings are named: sorted by name, the latest is the last. */

const pattern = /^(\d{14})-(\d{1,10})\.ring$/;

/** @param startedAt wall time, milliseconds */
export function ringFileName(startedAt: number, pid: number): string {
  return `${String(Math.round(startedAt)).padStart(14, '0')}-${pid}.ring`;
}

/** Those of the names that are rings', the earliest first. */
export function ringFiles(names: readonly string[]): string[] {
  return names.filter((name) => pattern.test(name)).toSorted();
}

/** Where a daemon keeps them, within its data directory. */
export const traceDirectory = 'trace';
