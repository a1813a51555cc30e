import { FsError } from '../shared/errno.ts';
import { watchAbort } from '../shared/rpc/abort.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Clock } from '../shared/runtime/runtime.ts';

/**
 * Waits no longer than a call with these options would take.
 * @param what of the error, when it takes longer
 * @throws FsError ETIMEDOUT, ECANCELED; and as `awaited` rejects
 */
export async function withinCall<T>(
  clock: Clock,
  awaited: Promise<T>,
  { deadline, signal }: Pick<CallOptions, 'deadline' | 'signal'>,
  what: string,
): Promise<T> {
  const stops: (() => void)[] = [];
  const givenUp = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(new FsError('ECANCELED', { cause: signal?.reason }));
    };
    if (signal?.aborted === true) abort();
    else if (signal) stops.push(watchAbort(signal, abort));
    if (deadline === Infinity) return;
    const timer = clock.timer(Math.max(0, deadline - clock.now()), () => {
      reject(new FsError('ETIMEDOUT', { id: 'WEFT_E_DEADLINE', what }));
    });
    stops.push(() => {
      timer.cancel();
    });
  });
  try {
    return await Promise.race([awaited, givenUp]);
  } finally {
    for (const stop of stops) stop();
  }
}
