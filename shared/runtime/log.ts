/** `Logger`: levels, fields, and the bound on repeats. Where lines go and how they look: log-lines.ts. */
import type { LogFields, Logger, LogLevel } from './runtime.ts';
import { Repeats } from './log-repeats.ts';

/** Takes one line; `fields` may hold anything. */
export type WriteLine = (level: LogLevel, message: string, fields: LogFields) => void;

const ranks: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** For programs that want no word from us. */
export const silentLog: Logger = {
  enabled: () => false,
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  child: () => silentLog,
};

function nothing(): void {
  // Silence is what was asked for.
}

/**
 * A logger that hands lines of `level` and above to `write`. An error or a warning that repeats is
 * written at its 1st, 2nd, 4th, 8th … time, with the field `times` (DESIGN 6). Lines are the same
 * when message and field `key` are: put there what tells apart, e.g. the peer.
 */
export function makeLog(level: LogLevel, fields: LogFields, write: WriteLine): Logger {
  return new LineLog(ranks[level], fields, write, new Repeats());
}

class LineLog implements Logger {
  readonly #rank: number;
  readonly #fields: LogFields;
  readonly #write: WriteLine;
  readonly #repeats: Repeats;

  constructor(rank: number, fields: LogFields, write: WriteLine, repeats: Repeats) {
    this.#rank = rank;
    this.#fields = fields;
    this.#write = write;
    this.#repeats = repeats;
  }

  enabled(level: LogLevel): boolean {
    return ranks[level] <= this.#rank;
  }

  error(message: string, fields?: LogFields): void {
    this.#limited('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#limited('warn', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.enabled('info')) this.#write('info', message, { ...this.#fields, ...fields });
  }

  debug(message: string, fields?: LogFields): void {
    if (this.enabled('debug')) this.#write('debug', message, { ...this.#fields, ...fields });
  }

  child(fields: LogFields): Logger {
    return new LineLog(this.#rank, { ...this.#fields, ...fields }, this.#write, this.#repeats);
  }

  #limited(level: LogLevel, message: string, fields?: LogFields): void {
    if (!this.enabled(level)) return;
    const all = { ...this.#fields, ...fields };
    const times = this.#repeats.count(`${message} ${String(all['key'])}`, performance.now());
    if (times === 1) this.#write(level, message, all);
    else if (Number.isInteger(Math.log2(times))) this.#write(level, message, { ...all, times });
  }
}
