import type { Runtime } from '../shared/runtime/runtime.ts';
import type { Handle } from '../shared/units.ts';
import { type FileSizes, writtenOf } from './file-sizes.ts';
import type { MetaView } from './store/batch.ts';
import type { TickChanges } from './tick-changes.ts';

export interface WrittenScope {
  readonly runtime: Pick<Runtime, 'clock'>;
  readonly view: MetaView;
  readonly tick: TickChanges;
  readonly sizes: FileSizes;
}

/**
 * Makes a change after which somebody who has perhaps written the file does not write it any more:
 * with it, what the iods know of size and time is stored.
 * @returns false when one of them cannot be asked: nothing is changed
 */
export function changeWritten(
  { runtime, view, tick, sizes }: WrittenScope,
  handle: Handle,
  change: () => void,
): Promise<boolean> {
  return sizes.inTurn(handle, async () => {
    const inode = view.inode(handle);
    const asked = inode && (await sizes.askNow(inode));
    if (asked?.exact === false) return false;
    tick.atomically(() => {
      if (asked) sizes.raise(handle, writtenOf(asked), runtime.clock.wall());
      change();
    });
    return true;
  });
}
