/** What the file system reports, as FsErrors that name the operation and the path. */
import type { BigIntStats } from 'node:fs';
import { type Errno, FsError, toFsError } from '../../errno.ts';
import type { DiskStat } from '../runtime.ts';

/** Codes that say what one of ours says already. */
const sameAs: Readonly<Record<string, Errno>> = { EDQUOT: 'ENOSPC', ENOTSUP: 'EOPNOTSUPP' };

export function diskErrno(error: unknown): Errno {
  const code = String((error as { code?: unknown } | null)?.code);
  return sameAs[code] ?? toFsError(error).code;
}

/** @param bytesDone bytes that were written before the failure */
export function diskError(
  operation: string,
  path: string,
  error: unknown,
  bytesDone?: number,
): FsError {
  const text = error instanceof Error ? error.message : String(error);
  // Node tells code, operation and path too: `ENOENT: no such file or directory, open '/x'`.
  const [, phrase = text] = /^[A-Z0-9]+: (.*?), \w+( '.*)?$/s.exec(text) ?? [];
  return new FsError(diskErrno(error), {
    what: `${operation} ${path}: ${phrase}`,
    bytesDone,
    cause: error,
  });
}

/** The result of an operation of `node:fs`, or its error as an FsError. */
export async function named<T>(operation: string, path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error: unknown) {
    throw diskError(operation, path, error);
  }
}

const blockBytes = 512; // of st_blocks, whatever the file system's own blocks are
const second = 1_000_000_000n;

/** See `DiskStat.identity`. */
export function identityOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

export function statOf(stats: BigIntStats): DiskStat {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    identity: identityOf(stats),
    sizeBytes: Number(stats.size),
    allocatedBytes: Number(stats.blocks) * blockBytes,
    modified: {
      seconds: Number(stats.mtimeNs / second),
      nanoseconds: Number(stats.mtimeNs % second),
    },
  };
}
