/** Log lines of all processes of a world: kept for tests to look at, and part of the trace. */
import type { LogFields, Logger, LogLevel } from '../../../shared/runtime/runtime.ts';

export interface LogLine {
  readonly atMs: number;
  readonly process: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

const severity: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };
const linesMax = 100_000;

export class LogBook {
  readonly #lines: LogLine[] = [];
  readonly #level: LogLevel | 'none';
  readonly #onLine: (line: LogLine, text: string) => void;

  /** @param onLine sees each line as it is written */
  constructor(level: LogLevel | 'none', onLine: (line: LogLine, text: string) => void) {
    this.#level = level;
    this.#onLine = onLine;
  }

  /** The newest lines, at least 50 000 of them. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  enabled(level: LogLevel): boolean {
    return this.#level !== 'none' && severity[level] <= severity[this.#level];
  }

  add(line: LogLine): void {
    if (this.#lines.length >= linesMax) this.#lines.splice(0, linesMax / 2);
    this.#lines.push(line);
    this.#onLine(line, `${line.message} ${asText(line.fields)}`);
  }
}

export interface LogSource {
  readonly name: string;
  readonly alive: boolean;
  nowMs(): number;
}

export class SimLogger implements Logger {
  readonly #book: LogBook;
  readonly #source: LogSource;
  readonly #fields: LogFields;

  constructor(book: LogBook, source: LogSource, fields: LogFields = {}) {
    this.#book = book;
    this.#source = source;
    this.#fields = fields;
  }

  enabled(level: LogLevel): boolean {
    return this.#book.enabled(level);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  child(fields: LogFields): Logger {
    return new SimLogger(this.#book, this.#source, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (!this.#source.alive || !this.#book.enabled(level)) return;
    this.#book.add({
      atMs: this.#source.nowMs(),
      process: this.#source.name,
      level,
      message,
      fields: { ...this.#fields, ...fields },
    });
  }
}

function asText(fields: LogFields): string {
  return JSON.stringify(fields, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Error ? `${value.name}: ${value.message}` : value;
  });
}
