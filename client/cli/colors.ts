/** Colours for terminals, and for nothing else. */

export type Color = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'bold' | 'dim';
export type Paint = (color: Color, text: string) => string;

const codes: Readonly<Record<Color, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
};

export const plain: Paint = (_, text) => text;
export const colored: Paint = (color, text) =>
  text === '' ? '' : `\u001b[${codes[color]}m${text}\u001b[0m`;

/** @returns `colored` for a terminal that may show colours (https://no-color.org) */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const wanted = stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
  return wanted && process.env['TERM'] !== 'dumb' ? colored : plain;
}

/** Background of iod `index` in pictures: 12 that differ on dark and on light terminals. */
export function iodColor(index: number): number {
  const palette = [39, 208, 78, 170, 220, 45, 203, 112, 141, 179, 30, 133] as const;
  return palette[index % palette.length] ?? 39;
}
