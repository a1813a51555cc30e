/** Lines of a chart out of numbers. Pure. */

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** How many values fill the width. */
  readonly places: number;
  /** Value at the upper edge; the lower one is 0. */
  readonly top: number;
}

/** The least of 1, 2 and 5 times a power of ten that is no less than all values. */
export function niceTop(values: readonly (number | undefined)[]): number {
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((factor) => factor * power >= most) ?? 10) * power;
}

/** An SVG path, the last value at the right edge; where there is no value the line has a gap. */
export function pathOf(
  values: readonly (number | undefined)[],
  { width, height, places, top }: Frame,
): string {
  const step = width / Math.max(1, places - 1);
  const left = width - step * (values.length - 1);
  let pen = 'M';
  const words = values.map((value, i) => {
    if (value === undefined) {
      pen = 'M';
      return '';
    }
    const y = height - (Math.min(value, top) / top) * height;
    const word = `${pen}${(left + i * step).toFixed(1)} ${y.toFixed(1)}`;
    // A point that stands alone is seen as a dot.
    const alone = pen === 'M' && values[i + 1] === undefined;
    pen = 'L';
    return alone ? `${word}h.1` : word;
  });
  return words.join('');
}
