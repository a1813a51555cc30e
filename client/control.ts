/** What every call of the library accepts: how long it may take, and how to give it up. */
import { FsError } from '../shared/errno.ts';
import { watchAbort } from '../shared/rpc/abort.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Clock } from '../shared/runtime/runtime.ts';

export interface Control {
  /** Milliseconds from now until the call fails with ETIMEDOUT; `Infinity` waits for ever. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call with ECANCELED; whether it took effect may then be unknown. */
  readonly signal?: AbortSignal | undefined;
}

export function callOptions(
  clock: Clock,
  defaultMs: number,
  { deadlineMs = defaultMs, signal }: Control,
): Pick<CallOptions, 'deadline' | 'signal'> {
  return { deadline: clock.now() + deadlineMs, signal };
}

/**
 * For what must be given back even when nobody waits for it any more.
 * @param giveBack takes what came after the signal; its failure is nobody's
 * @throws FsError ECANCELED when the signal fires first
 */
export function unlessAborted<T>(
  coming: Promise<T>,
  signal: AbortSignal | undefined,
  giveBack: (late: T) => Promise<void>,
): Promise<T> {
  if (signal === undefined) return coming;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new FsError('ECANCELED', { cause: signal.reason }));
      coming.then(giveBack).catch(() => undefined);
    };
    const unwatch = signal.aborted ? undefined : watchAbort(signal, abort);
    if (signal.aborted) abort();
    coming.then(resolve, reject).finally(() => unwatch?.());
  });
}
