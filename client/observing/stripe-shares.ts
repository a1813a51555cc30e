/** Where the bytes of a file are, counted by iod. Pure. */
import { iodOfColumn, type Layout, localLength } from '../../shared/stripe.ts';
import type { IodIndex } from '../../shared/units.ts';

/** What one iod holds of a file without holes. */
export interface Share {
  readonly index: IodIndex;
  readonly column: number;
  readonly bytes: number;
  readonly stripes: number;
}

/** @returns one of each column, in the order in which the file begins */
export function sharesOf(layout: Layout, sizeBytes: number): readonly Share[] {
  return Array.from({ length: layout.pcount }, (_, column) => {
    const bytes = localLength(layout, column, sizeBytes);
    const stripes = Math.ceil(bytes / layout.ssize);
    return { index: iodOfColumn(layout, column), column, bytes, stripes };
  });
}
