/** What a lock file says of the daemon that holds it, so that people and programs can find it. */

export function lockHolder(daemon: string, pid: number): string {
  return `${daemon}, pid ${pid}`;
}

/** @returns the process that the text names, if it names one */
export function holderPid(text: string): number | undefined {
  const digits = /, pid (\d+)\s*$/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
