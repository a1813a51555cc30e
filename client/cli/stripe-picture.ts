/** Where the bytes of a file are, as a picture. Pure. */
import { iodOfColumn, type Layout } from '../../shared/stripe.ts';
import type { IodIndex } from '../../shared/units.ts';
import { sharesOf } from '../observing/stripe-shares.ts';
import { iodColor } from './colors.ts';
import { counted, humanBytes, percent } from '../../shared/figures.ts';

export interface PictureOptions {
  /** Cells of a line. */
  readonly width: number;
  readonly colored: boolean;
  /** Name of an iod in the legend. */
  readonly nameOf: (index: IodIndex) => string;
}

const rowsMax = 16;

/**
 * A cell a stripe, with the number of its iod; each line begins with the offset of its first. Of a
 * file with more stripes than there is room for, the first and the last lines are shown.
 */
export function drawStripes(
  layout: Layout,
  sizeBytes: number,
  options: PictureOptions,
): readonly string[] {
  const { pcount, ssize } = layout;
  const stripes = Math.ceil(sizeBytes / ssize);
  const digits = String(layout.total - 1).length;
  const offsetWidth = Math.max(6, humanBytes(sizeBytes).length) + 2;
  const room = Math.max(1, Math.floor((options.width - offsetWidth) / (digits + 2)));
  // Whole rows of columns in a line show the pattern; a wider file fills the line.
  const perLine = room >= pcount ? room - (room % pcount) : room;
  const lines = Math.ceil(stripes / perLine);
  const line = (row: number): string => {
    const first = row * perLine;
    const cells = Array.from({ length: Math.min(perLine, stripes - first) }, (_, i) =>
      cell(iodOfColumn(layout, (first + i) % pcount), digits, options.colored),
    );
    return `${humanBytes(first * ssize).padStart(offsetWidth - 2)}  ${cells.join('')}`;
  };
  const rows = Array.from({ length: Math.min(lines, rowsMax) }, (_, row) => row);
  const drawn =
    lines <= rowsMax
      ? rows.map(line)
      : [
          ...rows.slice(0, rowsMax - 3).map(line),
          `${' '.repeat(offsetWidth)}… ${counted(stripes - perLine * (rowsMax - 2), 'stripe')} more …`,
          line(lines - 2),
          line(lines - 1),
        ];
  return [...drawn, '', ...legend(layout, sizeBytes, options)];
}

/** A bar an iod, as long as its share. */
function legend(layout: Layout, sizeBytes: number, options: PictureOptions): readonly string[] {
  const shares = sharesOf(layout, sizeBytes);
  const most = Math.max(1, ...shares.map(({ bytes }) => bytes));
  const digits = String(layout.total - 1).length;
  const nameWidth = Math.max(...shares.map(({ index }) => options.nameOf(index).length));
  // Cell, name and figures take the rest of the line.
  const barWidth = Math.max(4, Math.min(32, options.width - digits - nameWidth - 36));
  return shares.map(({ index, bytes, stripes }) => {
    const bar = '█'.repeat(Math.round((barWidth * bytes) / most)).padEnd(barWidth);
    const figures = `${humanBytes(bytes).padStart(6)}  ${percent(bytes, sizeBytes).padStart(4)}`;
    return [
      cell(index, digits, options.colored),
      options.nameOf(index).padEnd(nameWidth),
      options.colored ? `\u001b[38;5;${iodColor(index)}m${bar}\u001b[0m` : bar,
      `${figures}  ${counted(stripes, 'stripe')}`,
    ].join(' ');
  });
}

function cell(index: IodIndex, digits: number, colored: boolean): string {
  const label = String(index).padStart(digits);
  return colored ? `\u001b[48;5;${iodColor(index)};30m ${label} \u001b[0m` : `[${label}]`;
}
