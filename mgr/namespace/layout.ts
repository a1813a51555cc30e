/** Where the bytes of a new file go: as the call says, else its directories, else the cluster. */
import { limits } from '../../shared/limits.ts';
import { checkLayout, type Layout } from '../../shared/stripe.ts';
import { type Handle, rootHandle } from '../../shared/units.ts';
import type { BytesPlace, LayoutWish } from '../../shared/wire/values.ts';
import type { MetaView } from '../store/batch.ts';
import type { Inode } from '../store/rows.ts';
import { storedOf } from './path.ts';

/**
 * Each word from the first that says it: the call, the directory, the nearest one above it that
 * does, the cluster: all iods, the first one in turn by handle, 256 KiB stripes.
 * @param near layout of a file that is perhaps copied: one of the same shape begins where that does, so
 *   that the iods can copy it
 * @throws FsError EINVAL when no such layout is possible on `total` iods
 */
export function layoutOfNewFile(
  view: MetaView,
  directory: Inode,
  handle: Handle,
  wish: LayoutWish,
  { total, near }: { readonly total: number; readonly near?: Layout | undefined },
): Layout {
  let { base, pcount, ssize } = wish;
  for (let at = directory; ; at = storedOf(view, at.parent ?? rootHandle)) {
    const words = at.defaults?.layout;
    base ??= words?.base;
    pcount ??= words?.pcount;
    ssize ??= words?.ssize;
    if (at.handle === rootHandle) break;
  }
  const shape = { pcount: pcount ?? total, ssize: ssize ?? limits.stripeBytesDefault, total };
  const layout = { base: base ?? baseNear(near, shape) ?? handle % total, ...shape };
  checkLayout(layout);
  return layout;
}

function baseNear(near: Layout | undefined, shape: Omit<Layout, 'base'>): number | undefined {
  const { pcount, ssize, total } = shape;
  const isAlike = near?.pcount === pcount && near.ssize === ssize && near.total === total;
  return isAlike ? near.base : undefined;
}

/** Where a new file begins. @param smallFileBytes that one may have in the mgr's store */
export function placeOfNewFile(smallFileBytes: number): BytesPlace {
  return smallFileBytes > 0 ? 'mgr' : 'iods';
}

/** @throws FsError EINVAL when no new file could follow this wish */
export function checkWish(wish: LayoutWish, total: number): void {
  checkLayout({
    base: wish.base ?? 0,
    pcount: wish.pcount ?? 1,
    ssize: wish.ssize ?? limits.stripeBytesDefault,
    total,
  });
}
