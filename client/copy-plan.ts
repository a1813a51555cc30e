/** What iods may copy from one file to another by themselves. Pure. */
import { limits } from '../shared/limits.ts';
import { iodOfColumn, type Layout, planTransfers, toLocal } from '../shared/stripe.ts';
import type { PlacedPart } from './io-plan.ts';

/** One request to one iod. */
export interface CopyPart extends PlacedPart {
  /** Where in the object of the file that is copied. */
  readonly fromOffset: number;
}

/** Where in a file. */
export interface FilePlace {
  readonly layout: Layout;
  readonly position: number;
}

/** @returns undefined: not each of these bytes is on the iod that is to have it */
export function planCopy(
  from: FilePlace,
  to: FilePlace,
  length: number,
): readonly CopyPart[] | undefined {
  if (!areTogether(from, to, length)) return undefined;
  const transfers = planTransfers(to.layout, to.position, length, limits.transferBytes);
  return transfers.map((transfer) => {
    const first = transfer.pieces[0]?.at ?? 0;
    const { localOffset: fromOffset } = toLocal(from.layout, from.position + first);
    return { ...transfer, fromOffset };
  });
}

/** Then all bytes of a transfer follow each other in both objects. */
function areTogether(from: FilePlace, to: FilePlace, length: number): boolean {
  const { pcount, ssize } = to.layout;
  if (from.layout.pcount !== pcount || from.layout.ssize !== ssize) return false;
  if (from.position % ssize !== to.position % ssize) return false;
  const stripes = Math.min(pcount, Math.ceil(((to.position % ssize) + length) / ssize));
  for (let i = 0; i < stripes; i++) {
    if (iodOf(from, i * ssize) !== iodOf(to, i * ssize)) return false;
  }
  return true;
}

function iodOf({ layout, position }: FilePlace, behind: number): number {
  return iodOfColumn(layout, toLocal(layout, position + behind).column);
}
