/**
 * Log lines on standard error: by winston for daemons, bare for programs. winston is loaded only
 * when a daemon asks for it: that takes 40 ms, and `weft --help` should not wait for it.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import type { LogFields, Logger, LogLevel } from '../runtime.ts';
import { makeLog, silentLog } from '../log.ts';
import { plainField } from './log-fields.ts';

const queuedBytesMax = 1024 * 1024;

/**
 * `silent`: nothing, for libraries. `warnings`: errors and warnings as text, for commands.
 * Else as a daemon: all from `level` on; JSON unless standard error is a terminal or `json` says.
 */
export type LogSettings =
  | 'silent'
  | 'warnings'
  | { readonly level: LogLevel; readonly json?: boolean; readonly fields?: LogFields };

export function openLog(settings: LogSettings): Logger {
  if (settings === 'silent') return silentLog;
  const put = openStandardError();
  if (settings === 'warnings') {
    return makeLog('warn', {}, (level, message, fields) => {
      put(`weft: ${level}: ${message}${fieldsText(fields)}\n`);
    });
  }
  const { level, json = !process.stderr.isTTY, fields = {} } = settings;
  return makeLog(level, fields, winstonWriter(level, json, put));
}

function winstonWriter(level: LogLevel, json: boolean, put: (line: string) => void) {
  const winston = createRequire(import.meta.url)('winston') as typeof import('winston');
  const { combine, timestamp, json: asJson, printf } = winston.format;
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      put(line);
      done();
    },
  });
  const text = printf(({ timestamp, level, message, fields }) => {
    const name = level.toUpperCase().padEnd(5);
    return `${String(timestamp)} ${name} ${String(message)}${fieldsText(fields as LogFields)}`;
  });
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: combine(timestamp(), json ? asJson() : text),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  return (level: LogLevel, message: string, fields: LogFields): void => {
    const plain = plainField(fields) as LogFields;
    logger.log(json ? { ...plain, level, message } : { level, message, fields: plain });
  };
}

function fieldsText(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      const plain = plainField(value);
      return ` ${name}=${typeof plain === 'string' ? plain : JSON.stringify(plain)}`;
    })
    .join('');
}

/**
 * Writes to standard error without ever waiting for its reader (SCENARIOS 244): a line for which
 * there is no room is lost, and the next that finds some says how many were.
 */
function openStandardError(): (line: string) => void {
  const put = openUnblocking() ?? openStream();
  let lost = 0;
  return (line) => {
    const isPut = put(lost === 0 ? line : `${lost} log lines were lost\n${line}`);
    lost = isPut ? 0 : lost + 1;
  };
}

/** @returns false when the text was not written, now or ever */
type Put = (text: string) => boolean;

/**
 * A pipe or a terminal makes its writer wait. Opened anew it is ours alone, and can be told not to:
 * the flag on descriptor 2 would change it for all processes that share it.
 */
function openUnblocking(): Put | undefined {
  let fd: number;
  try {
    const stats = fs.fstatSync(2);
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return undefined;
    fd = fs.openSync('/proc/self/fd/2', fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined; // Not allowed, or no such thing here: write in the ordinary way.
  }
  let cut: Buffer = Buffer.alloc(0);
  return (text) => {
    const bytes = Buffer.concat([cut, Buffer.from(text)]);
    try {
      cut = bytes.subarray(fs.writeSync(fd, bytes));
      return true;
    } catch {
      return false; // Full, or nobody reads any more.
    }
  };
}

/** Sockets are queued for by Node, files are written at once. */
function openStream(): Put {
  const stream = process.stderr;
  stream.on('error', () => {
    // Nobody reads any more. There is no other place to tell it, and no reason to die of it.
  });
  return (text) => {
    if (stream.writableLength > queuedBytesMax) return false;
    stream.write(text);
    return true;
  };
}
