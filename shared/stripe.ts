/**
 * Layout math: the bytes of a file against the bytes of its columns. A column is what one iod
 * holds of a file, its stripes joined without gaps. Pure, and exact up to `limits.fileBytesMax`:
 * quotients are taken of exact multiples only, and a product too large is refused, never rounded.
 */
import assert from 'node:assert/strict';
import { FsError } from './errno.ts';
import { limits } from './limits.ts';
import type { IodIndex } from './units.ts';

/**
 * PVFS's three words, and the one that PVFS left out. Column c is on iod (base + c) modulo the
 * number of iods, and PVFS asked the iodtab of the day for that number: one more line in the file,
 * and old stripes were looked for on other iods. `total` is that number when the file was made, so
 * that a layout means the same for ever (SCENARIOS 247).
 */
export interface Layout {
  /** Iod of the first column. */
  readonly base: number;
  /** Columns. */
  readonly pcount: number;
  /** Stripe unit, bytes. */
  readonly ssize: number;
  /** Iods in the iodtab when the file was made: columns wrap around after the last of them. */
  readonly total: number;
}

/** Of what has no bytes at iods. */
export const noLayout: Layout = { base: 0, pcount: 0, ssize: 0, total: 0 };

/** A byte of the file as its iod sees it. */
export interface LocalPosition {
  readonly column: number;
  readonly localOffset: number;
}

/** One contiguous range of a column, and where its bytes are in the caller's buffer. */
export interface Transfer extends LocalPosition {
  readonly iod: IodIndex;
  readonly length: number;
  /** In the order of the column; their lengths add up to `length`. */
  readonly pieces: readonly Piece[];
}

/** Bytes `at` .. `at + length` of the caller's buffer. */
export interface Piece {
  readonly at: number;
  readonly length: number;
}

/** @throws FsError EINVAL that says which word of the layout is wrong */
export function checkLayout({ base, pcount, ssize, total }: Layout): void {
  checkWord('total', total, 1, limits.iodsMax);
  checkWord('base', base, 0, total - 1);
  checkWord('pcount', pcount, 1, total);
  checkWord('ssize', ssize, limits.stripeBytesMin, limits.stripeBytesMax);
}

export function columnOf(layout: Layout, offset: number): number {
  return quotient(offset, layout.ssize) % layout.pcount;
}

export function iodOfColumn(layout: Layout, column: number): IodIndex {
  return ((layout.base + column) % layout.total) as IodIndex;
}

export function toLocal(layout: Layout, offset: number): LocalPosition {
  const stripe = quotient(offset, layout.ssize);
  return {
    column: stripe % layout.pcount,
    localOffset: quotient(stripe, layout.pcount) * layout.ssize + (offset % layout.ssize),
  };
}

/** @throws FsError EFBIG when no file reaches that far */
export function toLogical(layout: Layout, column: number, localOffset: number): number {
  const row = quotient(localOffset, layout.ssize);
  const stripe = row * layout.pcount + column;
  const offset = stripe * layout.ssize + (localOffset % layout.ssize);
  // Rounding keeps order, so a result in range was exact at every step.
  if (offset > limits.fileBytesMax) {
    throw new FsError('EFBIG', {
      what: `byte ${localOffset} of column ${column} is beyond the largest file`,
    });
  }
  return offset;
}

/** @returns how long the object of `column` is when the file has `sizeBytes` and no holes */
export function localLength(layout: Layout, column: number, sizeBytes: number): number {
  const wholeStripes = quotient(sizeBytes, layout.ssize);
  const lastColumn = wholeStripes % layout.pcount;
  const wholeRowsBytes = quotient(wholeStripes, layout.pcount) * layout.ssize;
  if (column < lastColumn) return wholeRowsBytes + layout.ssize;
  if (column > lastColumn) return wholeRowsBytes;
  return wholeRowsBytes + (sizeBytes % layout.ssize);
}

/**
 * The least size of a file whose object in `column` has `localLengthBytes`. The size of a file is
 * the greatest of these over its columns.
 * @throws FsError EFBIG when no file has such an object
 */
export function logicalEnd(layout: Layout, column: number, localLengthBytes: number): number {
  if (localLengthBytes === 0) return 0;
  // The end of a stripe is the start of a later row to `toLogical`: ask for the last byte.
  const last = toLogical(layout, column, localLengthBytes - 1);
  if (last === limits.fileBytesMax) {
    throw new FsError('EFBIG', {
      what: `${localLengthBytes} bytes in column ${column} are more than the largest file has`,
    });
  }
  return last + 1;
}

/**
 * The range as transfers of at most `transferBytesMax`, column after column in turn, so that all
 * iods are busy from the start. Objects are cut at multiples of `transferBytesMax`: every transfer
 * but the first and last of a column is whole and aligned.
 */
export function planTransfers(
  layout: Layout,
  offset: number,
  length: number,
  transferBytesMax: number,
): Transfer[] {
  assert(Number.isSafeInteger(offset) && offset >= 0, `offset ${offset}`);
  assert(Number.isSafeInteger(length) && length >= 0, `length ${length}`);
  assert(length <= limits.fileBytesMax - offset, `${offset} + ${length} is beyond any file`);
  assert(transferBytesMax > 0, `transferBytesMax ${transferBytesMax}`);
  const only = onlyTransfer(layout, offset, length, transferBytesMax);
  if (only !== undefined) return [only];
  const transfers: Transfer[] = [];
  let spans = columnSpans(layout, offset, length);
  while (spans.length > 0) {
    for (const span of spans) {
      const end = Math.min(span.end, nextMultiple(span.next, transferBytesMax));
      transfers.push({
        column: span.column,
        iod: iodOfColumn(layout, span.column),
        localOffset: span.next,
        length: end - span.next,
        pieces: piecesOf(layout, span.column, span.next, end, offset),
      });
      span.next = end;
    }
    spans = spans.filter((span) => span.next < span.end);
  }
  return transfers;
}

/** The frequent case: all of the range in one stripe and one transfer. */
function onlyTransfer(
  layout: Layout,
  offset: number,
  length: number,
  transferBytesMax: number,
): Transfer | undefined {
  const { column, localOffset } = toLocal(layout, offset);
  const isWithin = (unit: number): boolean => (localOffset % unit) + length <= unit;
  if (length === 0 || !isWithin(layout.ssize) || !isWithin(transferBytesMax)) return undefined;
  const iod = iodOfColumn(layout, column);
  return { column, iod, localOffset, length, pieces: [{ at: 0, length }] };
}

/** What is left to plan of one column: local bytes `next` .. `end`. */
interface ColumnSpan {
  readonly column: number;
  next: number;
  readonly end: number;
}

/** Only the columns that the range meets: a small read of a wide file costs no more than its own. */
function columnSpans(layout: Layout, offset: number, length: number): ColumnSpan[] {
  if (length === 0) return [];
  const { pcount, ssize } = layout;
  const firstStripe = quotient(offset, ssize);
  const stripes = quotient(offset + length - 1, ssize) - firstStripe + 1;
  return Array.from({ length: Math.min(stripes, pcount) }, (_, i) => {
    const column = (firstStripe + i) % pcount;
    // What a column holds of the file before a point is where that point falls in the column.
    const next = localLength(layout, column, offset);
    return { column, next, end: localLength(layout, column, offset + length) };
  });
}

/** Where local bytes `from` .. `to` of a column are in a buffer that starts at byte `offset`. */
function piecesOf(
  layout: Layout,
  column: number,
  from: number,
  to: number,
  offset: number,
): Piece[] {
  // The stripes of a lone column follow each other in the buffer too.
  if (layout.pcount === 1) return [{ at: from - offset, length: to - from }];
  const pieces: Piece[] = [];
  for (let next = from; next < to;) {
    const end = Math.min(to, nextMultiple(next, layout.ssize));
    pieces.push({ at: toLogical(layout, column, next) - offset, length: end - next });
    next = end;
  }
  return pieces;
}

/** Whole part of `value / by`, exact for all integers below 2^53. */
function quotient(value: number, by: number): number {
  return (value - (value % by)) / by;
}

/** The least multiple of `unit` above `value`; Infinity when `unit` is. */
function nextMultiple(value: number, unit: number): number {
  return value - (value % unit) + unit;
}

function checkWord(word: string, value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new FsError('EINVAL', {
    what: `a layout has ${word} from ${min} to ${max}, not ${value}`,
  });
}
