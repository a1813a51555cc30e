import { rootHandle, type Timestamp } from '../../shared/units.ts';
import type { MetaView } from '../store/batch.ts';

/** Makes the root directory where there is none: it is its own parent, and anybody may enter. */
export function ensureRoot(view: MetaView, now: Timestamp, uid = 0, gid = 0, mode = 0o755): void {
  if (view.inode(rootHandle) !== undefined) return;
  view.putInode({
    handle: rootHandle,
    kind: 'directory',
    mode,
    links: 2,
    uid,
    gid,
    device: 0,
    size: 0,
    accessed: now,
    modified: now,
    changed: now,
    born: now,
    layout: undefined,
    place: 'iods',
    mayHaveHoles: false,
    target: undefined,
    parent: rootHandle,
    defaults: undefined,
  });
}
