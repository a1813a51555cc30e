/** How far a copy is: the line that a terminal shows, and the figures behind it. */
import { shownWidth } from './columns.ts';
import { counted, humanBytes, humanDuration, humanRate } from '../observing/figures.ts';
import type { Output } from './output.ts';

export interface Figures {
  readonly bytes: number;
  readonly files: number;
  readonly seconds: number;
  /** `undefined` until all of it has been counted. */
  readonly total: { readonly bytes: number; readonly files: number } | undefined;
}

const barWidth = 24;

/** One line, at most `width` cells: bar and ETA once the whole is known. Pure. */
export function progressLine({ bytes, files, seconds, total }: Figures, width: number): string {
  const rate = humanRate(bytes, seconds);
  if (total === undefined) {
    return fit([humanBytes(bytes), counted(files, 'file'), rate, 'counting …'], width);
  }
  // A file that grew while it was copied does not make it more than all.
  const share = total.bytes === 0 ? 1 : Math.min(1, bytes / total.bytes);
  const filled = Math.round(share * barWidth);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const left = bytes === 0 ? Infinity : ((total.bytes - bytes) * seconds) / bytes;
  const words = [
    `${bar} ${String(Math.floor(share * 100)).padStart(3)}%`,
    `${humanBytes(bytes)} of ${humanBytes(total.bytes)}`,
    rate,
    Number.isFinite(left) ? `ETA ${humanDuration(Math.max(0, Math.ceil(left)))}` : 'ETA -',
    ...(total.files > 1 ? [`${files} of ${counted(total.files, 'file')}`] : []),
  ];
  return fit(words, width);
}

/** As many of the words as there is room for. */
function fit(words: readonly string[], width: number): string {
  for (let count = words.length; count > 1; count--) {
    const line = words.slice(0, count).join('  ');
    if (shownWidth(line) <= width) return line;
  }
  return (words[0] ?? '').slice(0, width);
}

const redrawMs = 100;

/** Shows a line on a terminal while something runs; nothing elsewhere. */
export class ProgressBar {
  readonly #output: Output;
  readonly #figures: () => Figures;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(output: Output, figures: () => Figures) {
    this.#output = output;
    this.#figures = figures;
    if (output.json || !process.stderr.isTTY) return;
    this.#timer = setInterval(() => this.draw(), redrawMs);
    output.showBar(this);
  }

  get shown(): boolean {
    return this.#timer !== undefined;
  }

  draw(): void {
    const width = (process.stderr.columns || 80) - 1;
    process.stderr.write(`\r\u001b[K${progressLine(this.#figures(), width)}`);
  }

  clear(): void {
    process.stderr.write('\r\u001b[K');
  }

  end(): void {
    if (!this.shown) return;
    clearInterval(this.#timer);
    this.#output.showBar(undefined);
  }
}
