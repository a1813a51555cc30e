/** A `Logger` to the console of a page. */
import { makeLog, silentLog } from '../log.ts';
import type { Logger, LogLevel } from '../runtime.ts';

export type ConsoleLevel = LogLevel | 'silent';

/** @param level lines of this level and above are shown */
export function consoleLog(level: ConsoleLevel): Logger {
  if (level === 'silent') return silentLog;
  return makeLog(level, {}, (lineLevel, message, fields) => {
    // oxlint-disable-next-line no-console -- what a page has instead of standard error
    console[lineLevel](`weftfs: ${message}`, fields);
  });
}
