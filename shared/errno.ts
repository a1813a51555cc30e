/**
 * The errno table and the one error type that crosses the wire. Three kinds of failure are never
 * mixed: FsError (the caller asked for something that cannot be), ProtocolError (the peer broke
 * the wire contract: its connection is closed), AssertionError (we are wrong: the process exits).
 */
import { type ErrorId, errorCatalogue } from './error-catalogue.ts';

/** Linux numbers; the wire carries the number, people see the name. */
export const errnos = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  ESTALE: 116,
  EKEYREJECTED: 129,
  ECANCELED: 125,
  /** Not a Linux number: Node's name for a host that does not resolve. */
  ENOTFOUND: 3008,
} as const;

export type Errno = keyof typeof errnos;

/** What a caller may do about a failure, by errno. */
export type Remedy = 'none' | 'again' | 'refresh' | 'resend';

const remedies: Partial<Record<Errno, Remedy>> = {
  EAGAIN: 'again',
  ESTALE: 'refresh',
  EPIPE: 'resend',
  ECONNRESET: 'resend',
};

/** `again`: after `retryAfterMs`; `refresh`: once, after asking the mgr; `resend`: new connection. */
export function remedyOf(errno: Errno): Remedy {
  return remedies[errno] ?? 'none';
}

const namesByNumber = new Map<number, Errno>(
  Object.entries(errnos).map(([name, number]) => [number, name as Errno]),
);

/** @returns the name, EIO for a number we do not know */
export function errnoName(number: number): Errno {
  return namesByNumber.get(number) ?? 'EIO';
}

/** What an FsError knows beyond its errno. Only `id`, `what`, `retryAfterMs` and `bytesDone` cross the wire. */
export interface FsErrorDetails {
  /** System call the user made: `open`, `rename` … */
  readonly syscall?: string | undefined;
  /** Path as the user gave it. */
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
  /** Our own code, when the errno alone would hide the cause. */
  readonly id?: ErrorId | undefined;
  /** Particulars: which file, which iod, which bytes. */
  readonly what?: string | undefined;
  /** When to come back, for EAGAIN. */
  readonly retryAfterMs?: number | undefined;
  /** Bytes that were stored or delivered before the failure. */
  readonly bytesDone?: number | undefined;
  readonly cause?: unknown;
}

/**
 * An expected failure. Shaped as Node's own system errors (`code`, `errno` negative, `syscall`,
 * `path`), with our code, what happened, its effect and advice beside them.
 */
export class FsError extends Error {
  override readonly name = 'FsError';
  readonly code: Errno;
  readonly errno: number;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly dest: string | undefined;
  /** e.g. `WEFT_E_IOD_DOWN`; `undefined` for plain POSIX outcomes such as ENOENT. */
  readonly weftCode: ErrorId | undefined;
  readonly what: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly bytesDone: number | undefined;

  constructor(code: Errno, details: FsErrorDetails = {}) {
    super(errorMessage(code, details), 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.errno = -errnos[code];
    this.syscall = details.syscall;
    this.path = details.path;
    this.dest = details.dest;
    this.weftCode = details.id;
    this.what = details.what;
    this.retryAfterMs = details.retryAfterMs;
    this.bytesDone = details.bytesDone;
  }

  /** What it means for the caller's data and calls; `undefined` for plain POSIX outcomes. */
  get effect(): string | undefined {
    return this.weftCode === undefined ? undefined : errorCatalogue[this.weftCode].effect;
  }

  /** What to do or type next; `undefined` for plain POSIX outcomes. */
  get advice(): string | undefined {
    return this.weftCode === undefined ? undefined : errorCatalogue[this.weftCode].advice;
  }

  /** The same failure seen from a call of the user: adds what only the caller knows. */
  during(syscall: string, path?: string, dest?: string): FsError {
    return new FsError(this.code, {
      syscall,
      path: path ?? this.path,
      dest: dest ?? this.dest,
      id: this.weftCode,
      what: this.what,
      retryAfterMs: this.retryAfterMs,
      bytesDone: this.bytesDone,
      cause: this,
    });
  }
}

/** A peer broke the wire contract. The connection is closed and the breach logged once. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export function isFsError(error: unknown): error is FsError {
  return error instanceof FsError;
}

/** Any failure as an FsError: one of ours as it is, a system error by its code, the rest EIO. */
export function toFsError(error: unknown): FsError {
  if (isFsError(error)) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const what = error instanceof Error ? error.message : String(error);
  if (typeof code === 'string' && Object.hasOwn(errnos, code)) {
    return new FsError(code as Errno, { what, cause: error });
  }
  return new FsError('EIO', { what, cause: error });
}

/** True for a failure with this errno. */
export function hasCode(error: unknown, code: FsError['code']): boolean {
  return toFsError(error).code === code;
}

function errorMessage(code: Errno, details: FsErrorDetails): string {
  const what = details.what ?? (details.id && errorCatalogue[details.id].what) ?? errnoText[code];
  const call = details.syscall === undefined ? '' : `, ${details.syscall}`;
  const path = details.path === undefined ? '' : ` '${details.path}'`;
  const dest = details.dest === undefined ? '' : ` -> '${details.dest}'`;
  return `${code}: ${what}${call}${path}${dest}`;
}

/** Node's (libuv's) wording, so that messages read as those of `node:fs`. */
const errnoText: Record<Errno, string> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  EINTR: 'interrupted system call',
  EIO: 'i/o error',
  ENXIO: 'no such device or address',
  EBADF: 'bad file descriptor',
  EAGAIN: 'resource temporarily unavailable',
  ENOMEM: 'not enough memory',
  EACCES: 'permission denied',
  EBUSY: 'resource busy or locked',
  EEXIST: 'file already exists',
  EXDEV: 'cross-device link not permitted',
  ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory',
  EINVAL: 'invalid argument',
  ENFILE: 'file table overflow',
  EMFILE: 'too many open files',
  EFBIG: 'file too large',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  EMLINK: 'too many links',
  EPIPE: 'broken pipe',
  ERANGE: 'result too large',
  ENAMETOOLONG: 'name too long',
  ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many symbolic links encountered',
  ENODATA: 'no data available',
  EPROTO: 'protocol error',
  EOVERFLOW: 'value too large for defined data type',
  EOPNOTSUPP: 'operation not supported on socket',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available',
  ECONNRESET: 'connection reset by peer',
  ETIMEDOUT: 'connection timed out',
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'host is unreachable',
  ESTALE: 'stale file handle',
  EKEYREJECTED: 'key was rejected by service',
  ECANCELED: 'operation canceled',
  ENOTFOUND: 'host not found',
};
