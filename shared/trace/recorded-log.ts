/** A logger whose lines leave a record: their phrase alone, for their fields may name files. */
import type { Clock, LogFields, Logger } from '../runtime/runtime.ts';
import { recordKinds } from './record.ts';
import type { Recorder } from './recorder.ts';

/** Lines of level debug leave none: messages have records of their own. */
export function recordedLog(log: Logger, recorder: Recorder, clock: Pick<Clock, 'now'>): Logger {
  const line =
    (level: 'error' | 'warn' | 'info') =>
    (message: string, fields?: LogFields): void => {
      recorder.note(recordKinds.log, clock.now(), message);
      log[level](message, fields);
    };
  return {
    enabled: (level) => log.enabled(level),
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: (message, fields) => {
      log.debug(message, fields);
    },
    child: (fields) => recordedLog(log.child(fields), recorder, clock),
  };
}
