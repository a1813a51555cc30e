/**
 * What names do to the bytes of files. Those that the mgr keeps itself change with them. An iod may be
 * away, so its share of the work is a row in the store, written with the change itself: whoever drives
 * the iods carries the rows out, before or after a crash, and deletes each when its iod has
 * acknowledged (SCENARIOS 13, 14, 194).
 */
import { iodOfColumn, localLength } from '../../shared/stripe.ts';
import { modeAfterWrite } from '../namespace/permission.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode, PendingWork } from '../store/rows.ts';
import type { NameContext } from './name-context.ts';

/**
 * One name of an inode that is no directory went. With the last one it goes itself, unless
 * somebody holds it: then it is an orphan until `removeInode` at its last close.
 */
export function dropLink(
  { view, now, holders }: Pick<NameContext, 'view' | 'now' | 'holders'>,
  inode: Inode,
): void {
  const links = inode.links - 1;
  if (links > 0 || holders.isHeld(inode.handle)) {
    view.putInode({ ...inode, links, changed: now });
  } else {
    removeInode(view, inode);
  }
}

/** An inode without name and holder goes, and its bytes with it: a removal for each iod of them. */
export function removeInode(view: MetaView, inode: Inode): void {
  const { handle, layout, place, size } = inode;
  view.deleteInode(handle);
  if (place !== 'iods' && size > 0) view.deleteContents(handle);
  if (layout === undefined || place === 'mgr') return;
  for (let column = 0; column < layout.pcount; column++) {
    const iod = iodOfColumn(layout, column);
    view.add({ kind: 'put-pending', row: { handle, iod, kind: 'remove', length: 0 } });
  }
}

/**
 * Sets the size of a file, and a truncation for each of its iods: from the commit on it will
 * happen, whatever crashes. The call is answered when all iods have acknowledged. Bytes in the mgr's
 * store are cut or extended with it; the caller has seen to it that there may be so many.
 * @returns the inode as it is now
 */
export function truncateFile(context: NameContext, inode: Inode, size: number): Inode {
  const { view, now, who } = context;
  const mode = modeAfterWrite(who, inode);
  // What is longer by it has no bytes.
  const mayHaveHoles =
    inode.place === 'iods' && size > 0 && (inode.mayHaveHoles || size > inode.size);
  const truncated: Inode = {
    ...inode,
    size,
    mayHaveHoles,
    mode,
    modified: now,
    changed: now,
  };
  view.putInode(truncated);
  if (inode.place !== 'iods') {
    view.putContents(inode.handle, resized(view.contents(inode.handle), size));
    return truncated;
  }
  for (const row of truncations(truncated)) view.add({ kind: 'put-pending', row });
  return truncated;
}

/** @returns a copy of this length, with zeros where there is nothing else */
export function resized(bytes: Uint8Array, length: number): Uint8Array {
  const copy = Buffer.alloc(length);
  copy.set(bytes.subarray(0, length));
  return copy;
}

/** How long the object of a file must be at each of its iods. */
export function truncations({ handle, layout, size }: Inode): PendingWork[] {
  if (layout === undefined) return [];
  return Array.from({ length: layout.pcount }, (_, column) => ({
    handle,
    iod: iodOfColumn(layout, column),
    kind: 'truncate',
    length: localLength(layout, column, size),
  }));
}
