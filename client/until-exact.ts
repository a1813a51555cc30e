import { retryPause } from '../shared/rpc/retry.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Attr } from '../shared/wire/values.ts';
import type { Control } from './control.ts';

/**
 * Of a file that is being written a size that an iod could not be asked for is only a part of
 * the truth, and a kernel would believe it: so it is asked until it is exact.
 * @param defaultMs where the caller says nothing
 */
export async function untilExact(
  runtime: Runtime,
  defaultMs: number,
  { deadlineMs = defaultMs, signal }: Control,
  ask: (timed: Control) => Promise<Attr>,
): Promise<Attr> {
  const { clock } = runtime;
  const end = clock.now() + deadlineMs;
  for (let attempts = 1; ; attempts++) {
    const attr = await ask({ deadlineMs: end - clock.now(), signal });
    if (attr.sizeExact) return attr;
    await retryPause(runtime, attempts);
  }
}
