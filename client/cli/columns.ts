/** Lines whose parts stand below each other. */

export type Align = 'left' | 'right';

/** Rows as lines; the last column is not padded. Colours count for nothing. */
export function alignRows(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, shownWidth(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const pad = ' '.repeat((widths[i] ?? 0) - shownWidth(cell));
        if (aligns[i] === 'right') return pad + cell;
        return i === row.length - 1 ? cell : cell + pad;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Words downwards in as many columns as fit, as `ls` does. */
export function fillColumns(words: readonly string[], width: number): string[] {
  // A column has at least a letter and the gap behind it.
  const columnsMax = Math.max(1, Math.floor(width / 3));
  for (let rows = Math.max(1, Math.ceil(words.length / columnsMax)); rows < words.length; rows++) {
    const columns = Math.ceil(words.length / rows);
    const lines = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => words[column * rows + row] ?? ''),
    );
    const aligned = alignRows(lines);
    if (aligned.every((line) => shownWidth(line) <= width)) return aligned;
  }
  return [...words];
}

/** Cells that a terminal takes for a text without control characters but colours. */
export function shownWidth(text: string): number {
  let width = 0;
  // Everything between an escape and its `m` is colour.
  // oxlint-disable-next-line no-control-regex
  for (const character of text.replace(/\u001b\[[\d;]*m/g, '')) {
    width += wide.test(character) ? 2 : narrow.test(character) ? 0 : 1;
  }
  return width;
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const narrow = /\p{Mn}|\p{Me}|\u200b|\u200d/u;
