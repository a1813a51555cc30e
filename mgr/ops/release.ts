import type { Handle } from '../../shared/units.ts';
import type { OpenTable } from '../open-table.ts';
import type { MetaView } from '../store/batch.ts';
import { removeInode } from './file-bytes.ts';

/** Somebody has let go of a file: one without a name goes with its last holder. */
export function release(view: MetaView, openTable: OpenTable, handle: Handle): void {
  if (openTable.isHeld(handle)) return;
  const inode = view.inode(handle);
  if (inode?.links === 0) removeInode(view, inode);
}
