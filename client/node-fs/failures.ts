/** Failures of the library as `node:fs` would tell them. */
import { FsError, isFsError } from '../../shared/errno.ts';
import { shownPath } from '../path.ts';
import type { PathArgument } from './arguments.ts';
import { AbortError } from './node-errors.ts';

export interface Call {
  /** When none is given, what the library says of call and path stays. */
  readonly syscall?: string | undefined;
  /** None for calls of open files. */
  readonly path?: PathArgument | undefined;
  readonly dest?: PathArgument | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a part of a call. Outcomes that POSIX knows get the words of Node; what it does not know
 * (an iod that is down) keeps ours, with the advice.
 * @throws FsError, AbortError
 */
export async function during<T>(call: Call, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw isFsError(error) ? told(call, error) : error;
  }
}

function told({ syscall, path, dest, signal }: Call, failure: FsError): Error {
  const { code, weftCode: id, bytesDone } = failure;
  if (signal?.aborted === true && code === 'ECANCELED') return new AbortError(signal);
  const what = id === undefined ? undefined : failure.what;
  // What Node would not know either is told with the path, also of an open file.
  const known = { syscall, path: textOf(path) ?? (id && failure.path), dest: textOf(dest) };
  const shown = syscall === undefined ? failure : known;
  const details = { syscall: shown.syscall, path: shown.path, dest: shown.dest };
  // Outcomes of every day are made often, and say all there is to say.
  return new FsError(code, { ...details, id, what, bytesDone, ...(id && { cause: failure }) });
}

function textOf(path: PathArgument | undefined): string | undefined {
  return path === undefined ? undefined : shownPath(path);
}

/** Ends what was begun, also when it failed: then that failure is the one that is told. */
export async function closingAfter<T>(
  file: { close(): Promise<void> },
  use: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await use();
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
  return result;
}
