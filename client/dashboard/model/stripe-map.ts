/** Which bytes of a file are on which iod, as cells, and whether they can be reached. Pure. */
import { iodOfColumn, type Layout } from '../../../shared/stripe.ts';
import type { IodIndex } from '../../../shared/units.ts';
import type { Member, MemberState } from '../../../shared/wire/values.ts';
import { sharesOf } from '../../observing/stripe-shares.ts';

/** A stripe. */
export interface Cell {
  readonly from: number;
  /** Behind its last byte. */
  readonly to: number;
  readonly iod: IodIndex;
  readonly healthy: boolean;
}

export interface MapShare {
  readonly iod: IodIndex;
  readonly name: string;
  readonly state: MemberState;
  readonly bytes: number;
  readonly stripes: number;
}

export interface StripeMap {
  readonly cells: readonly Cell[];
  /** Stripes behind those of `cells`; the pattern goes on in them. */
  readonly more: number;
  readonly shares: readonly MapShare[];
  /** Bytes on iods that do not serve now. */
  readonly awayBytes: number;
}

export const cellsMax = 256;

/** @param members as the mgr sees them now */
export function stripeMap(layout: Layout, size: number, members: readonly Member[]): StripeMap {
  const { pcount, ssize } = layout;
  const stripes = Math.ceil(size / ssize);
  const memberOf = (iod: IodIndex): Member | undefined =>
    members.find(({ index }) => index === iod);
  const serves = (iod: IodIndex): boolean => memberOf(iod)?.state === 'serving';
  const cells = Array.from({ length: Math.min(stripes, cellsMax) }, (_, i): Cell => {
    const iod = iodOfColumn(layout, i % pcount);
    const to = Math.min(size, (i + 1) * ssize);
    return { from: i * ssize, to, iod, healthy: serves(iod) };
  });
  const shares = sharesOf(layout, size).map(({ index: iod, bytes, stripes: count }): MapShare => {
    const { name = `iod ${iod}`, state = 'absent' } = memberOf(iod) ?? {};
    return { iod, name, state, bytes, stripes: count };
  });
  const away = shares.filter(({ state }) => state !== 'serving');
  const awayBytes = away.reduce((sum, { bytes }) => sum + bytes, 0);
  return { cells, more: stripes - cells.length, shares, awayBytes };
}
