/** What every call of the library accepts: how long it may take, and how to give it up. */
import type { CallSignal } from '../shared/rpc/abort.ts';
import type { CallOptions } from '../shared/rpc/call.ts';
import type { Clock } from '../shared/runtime/runtime.ts';

export interface Control {
  /** Milliseconds from now until the call fails with ETIMEDOUT; `Infinity` waits for ever. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call with ECANCELED; whether it took effect may then be unknown. */
  readonly signal?: CallSignal | undefined;
}

/** As the library itself calls: whoever gives up may still hear what has become of it. */
export type Settling<R> = Control & Pick<CallOptions<R>, 'settled'>;

export function callOptions<R>(
  clock: Clock,
  defaultMs: number,
  { deadlineMs = defaultMs, signal, settled }: Settling<R>,
): Pick<CallOptions<R>, 'deadline' | 'signal' | 'settled'> {
  return { deadline: clock.now() + deadlineMs, signal, settled };
}

/** Of an `fsync`: see `File.sync`. */
export interface SyncWish {
  readonly everything?: boolean;
  readonly forOthers?: boolean;
}
