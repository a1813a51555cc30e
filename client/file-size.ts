import { FsError } from '../shared/errno.ts';
import { retryPause } from '../shared/rpc/retry.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Attr } from '../shared/wire/values.ts';

/**
 * How long a file is, exactly if it ends before `end`: an end in doubt is no end of file.
 * @param ask the mgr, which asks the iods
 * @throws FsError as `ask`; ETIMEDOUT, WEFT_E_IOD_DOWN
 */
export async function sizeBelow(
  runtime: Runtime,
  end: number,
  deadline: number,
  ask: () => Promise<Attr>,
): Promise<number> {
  for (let attempts = 1; ; attempts++) {
    const { size, sizeExact } = await ask();
    if (sizeExact || size >= end) return size;
    const leftMs = deadline - runtime.clock.now();
    if (leftMs <= 0) {
      throw new FsError('ETIMEDOUT', {
        id: 'WEFT_E_IOD_DOWN',
        what: 'an iod of the file cannot tell how long it is',
      });
    }
    await retryPause(runtime, attempts, leftMs);
  }
}
