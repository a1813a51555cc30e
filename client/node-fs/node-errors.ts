/**
 * Errors in Node's own words: codes, classes and messages of `node:fs`, so that programs that
 * look at them find what they know.
 */
import { inspect } from 'node:util';
import { errnos } from '../../shared/errno.ts';

export interface CodedError extends Error {
  code: string;
}

function coded<E extends Error>(error: E, code: string): E & CodedError {
  // As in Node: the stack shows the code, the name does not.
  const { name } = error;
  error.name = `${name} [${code}]`;
  void error.stack;
  error.name = name;
  return Object.assign(error, { code });
}

function kindOf(name: string): 'property' | 'argument' {
  return name.includes('.') ? 'property' : 'argument';
}

/** @param expected what it must be, as Node says it: `of type string or an instance of Buffer` */
export function invalidArgType(name: string, expected: string, actual: unknown): Error {
  const message = `The "${name}" ${kindOf(name)} must be ${expected}. Received ${typeShown(actual)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): Error {
  const shown = inspect(value);
  const cut = shown.length > 128 ? `${shown.slice(0, 128)}...` : shown;
  const message = `The ${kindOf(name)} '${name}' ${reason}. Received ${cut}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${numberShown(value)}`;
  return coded(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

export function fileTooLarge(size: number): Error {
  const message = `File size (${size}) is greater than 2 GiB`;
  return coded(new RangeError(message), 'ERR_FS_FILE_TOO_LARGE');
}

export function notImplemented(method: string): Error {
  const message = `The ${method} method is not implemented`;
  return coded(new Error(message), 'ERR_METHOD_NOT_IMPLEMENTED');
}

export function invalidSymlinkType(type: string): Error {
  const message = `Symlink type must be one of "dir", "file", or "junction". Received "${type}"`;
  return coded(new Error(message), 'ERR_FS_INVALID_SYMLINK_TYPE');
}

/** Of the mode of `access` and `copyFile`, which Node words in its own way. */
export function invalidMode(value: unknown): Error {
  if (typeof value !== 'number') {
    return coded(new TypeError('mode must be int32 or null/undefined'), 'ERR_INVALID_ARG_TYPE');
  }
  return coded(new RangeError('mode is out of range: >= 0 && <= 7'), 'ERR_OUT_OF_RANGE');
}

export function incompatibleOptions(one: string, other: string): Error {
  const message = `Option "${one}" cannot be used in combination with option "${other}"`;
  return coded(new TypeError(message), 'ERR_INCOMPATIBLE_OPTION_PAIR');
}

export function invalidState(what: string): Error {
  return coded(new Error(`Invalid state: ${what}`), 'ERR_INVALID_STATE');
}

export function directoryClosed(): Error {
  return coded(new Error('Directory handle was closed'), 'ERR_DIR_CLOSED');
}

/** What a FileHandle says that has been closed. @param call name of the function, as in Node */
export function handleClosed(call: string): Error {
  return Object.assign(new Error('file closed'), { code: 'EBADF', syscall: call });
}

export class AbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';

  constructor(signal: AbortSignal) {
    super('The operation was aborted', { cause: signal.reason });
  }
}

/** @throws AbortError */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AbortError(signal);
}

const systemErrors = {
  ERR_FS_CP_DIR_TO_NON_DIR: ['EISDIR', 'Cannot overwrite non-directory with directory'],
  ERR_FS_CP_EEXIST: ['EEXIST', 'Target already exists'],
  ERR_FS_CP_EINVAL: ['EINVAL', 'Invalid src or dest'],
  ERR_FS_CP_FIFO_PIPE: ['EINVAL', 'Cannot copy a FIFO pipe'],
  ERR_FS_CP_NON_DIR_TO_DIR: ['ENOTDIR', 'Cannot overwrite directory with non-directory'],
  ERR_FS_CP_SOCKET: ['EINVAL', 'Cannot copy a socket file'],
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: ['EINVAL', 'Cannot overwrite symlink in subdirectory of self'],
  ERR_FS_EISDIR: ['EISDIR', 'Path is a directory'],
} as const;

/** Failures that Node finds itself, around system calls. @param message the particulars */
export function systemError(
  key: keyof typeof systemErrors,
  syscall: string,
  message: string,
  path: string,
): Error {
  const [code, prefix] = systemErrors[key];
  const errno = errnos[code];
  const error = new Error(`${prefix}: ${syscall} returned ${code} (${message}) ${path}`);
  error.name = 'SystemError';
  const info = { message, path, syscall, errno, code };
  return Object.assign(error, { code: key, info, errno, syscall, path });
}

function typeShown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    // An object may have no prototype, and so no constructor.
    const maker = (value as { constructor?: { name?: string } }).constructor;
    if (maker && 'name' in maker) return `an instance of ${maker.name}`;
    return inspect(value, { depth: -1 });
  }
  if (typeof value !== 'string') return `type ${typeof value} (${inspect(value)})`;
  const cut = value.length > 28 ? `${value.slice(0, 25)}...` : value;
  return `type string (${cut.includes("'") ? JSON.stringify(cut) : `'${cut}'`})`;
}

/** Large numbers with a line between their thousands. */
function numberShown(value: unknown): string {
  const large =
    typeof value === 'bigint'
      ? value > 2n ** 32n || value < -(2n ** 32n)
      : Number.isInteger(value) && Math.abs(value as number) > 2 ** 32;
  if (!large) return inspect(value);
  const digits = String(value).replace(/\B(?=(\d{3})+$)/g, '_');
  return typeof value === 'bigint' ? `${digits}n` : digits;
}
