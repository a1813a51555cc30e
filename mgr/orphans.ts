/** Files without a name that nobody has open any more: what a crash has left of them goes at the start. */
import { limits } from '../shared/limits.ts';
import type { Handle } from '../shared/units.ts';
import { removeInode } from './ops/file-bytes.ts';
import type { Holders } from './ops/holders.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';

/** @returns how many there were */
export function removeOrphans(
  store: Pick<MetaStore, 'orphans'>,
  view: MetaView,
  holders: Pick<Holders, 'isHeld'>,
  generation: number,
): number {
  let count = 0;
  let after = 0 as Handle;
  for (;;) {
    const page = store.orphans(after, limits.objectsPerListPage);
    for (const inode of page) {
      after = inode.handle;
      if (holders.isHeld(inode.handle)) continue;
      removeInode(view, inode);
      count++;
    }
    view.commit(generation);
    if (page.length < limits.objectsPerListPage) return count;
  }
}
