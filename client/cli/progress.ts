/** How far long work is: a bar on a terminal, events for programs. */
import { humanBytes, humanDuration, humanRate } from '../../shared/figures.ts';
import { shownWidth } from './columns.ts';
import { jsonSchema, type Output } from './output.ts';

export interface Figures {
  readonly done: number;
  /** `undefined` until all of it has been counted; `null`: nobody can. */
  readonly total: number | undefined | null;
  /** What is counted: `bytes`, or a plural, as in `records`. */
  readonly unit: string;
  readonly seconds: number;
  /** What else there is to say, such as how many files of all. */
  readonly also?: readonly string[];
}

const barWidth = 24;

/** One line, at most `width` cells: bar and ETA once the whole is known. Pure. */
export function progressLine(figures: Figures, width: number): string {
  const { done, total, unit, seconds, also = [] } = figures;
  const isBytes = unit === 'bytes';
  const amount = (count: number): string => (isBytes ? humanBytes(count) : String(count));
  const rate = isBytes ? humanRate(done, seconds) : countRate(done, seconds);
  const noun = isBytes ? '' : ` ${unit}`;
  if (typeof total !== 'number') {
    const words = [`${amount(done)}${noun}`, ...also, rate];
    return fit(total === null ? words : [...words, 'counting …'], width);
  }
  // A file that grew while it was copied does not make it more than all.
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const left = leftSeconds(figures);
  const words = [
    `${bar} ${String(Math.floor(share * 100)).padStart(3)}%`,
    `${amount(done)} of ${amount(total)}${noun}`,
    rate,
    left === undefined ? 'ETA -' : `ETA ${humanDuration(Math.ceil(left))}`,
    ...also,
  ];
  return fit(words, width);
}

/** The same for programs, as one object. Pure. */
export function progressJson(figures: Figures): object {
  const { done, total = null, unit, seconds } = figures;
  const left = leftSeconds(figures) ?? null;
  return { schema: jsonSchema, event: 'progress', done, total, unit, seconds, leftSeconds: left };
}

/** `undefined`: nobody knows. */
function leftSeconds({ done, total, seconds }: Figures): number | undefined {
  if (done === 0 || typeof total !== 'number') return undefined;
  return Math.max(0, ((total - done) * seconds) / done);
}

function countRate(count: number, seconds: number): string {
  return seconds <= 0 ? '-' : `${Math.round(count / seconds)}/s`;
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
/** Between two events; what takes less tells none. */
const eventMs = 1000;

/**
 * Tells while something runs, on standard error: a line that is drawn anew on a terminal, with
 * `--json` one object a line; nothing elsewhere.
 */
export class Progress {
  readonly #output: Output;
  readonly #figures: () => Figures;
  readonly #isBar: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  #nextMs: number;

  constructor(output: Output, figures: () => Figures) {
    this.#output = output;
    this.#figures = figures;
    this.#isBar = !output.json && process.stderr.isTTY;
    this.#nextMs = performance.now() + this.#betweenMs;
    if (!this.#isBar && !output.json) return;
    this.#timer = setInterval(() => this.tick(), redrawMs);
    if (this.#isBar) output.showBar(this);
  }

  /** Somebody looks at it. */
  get shown(): boolean {
    return this.#timer !== undefined;
  }

  get isBar(): boolean {
    return this.#isBar;
  }

  /** For work that leaves no time to timers: tells, if it is time for it. */
  tick(): void {
    if (!this.shown || performance.now() < this.#nextMs) return;
    this.#nextMs = performance.now() + this.#betweenMs;
    if (this.#isBar) this.draw();
    else process.stderr.write(`${JSON.stringify(progressJson(this.#figures()))}\n`);
  }

  draw(): void {
    const width = (process.stderr.columns || 80) - 1;
    process.stderr.write(`\r\u001b[K${progressLine(this.#figures(), width)}`);
  }

  clear(): void {
    process.stderr.write('\r\u001b[K');
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#isBar) this.#output.showBar(undefined);
  }

  get #betweenMs(): number {
    return this.#isBar ? redrawMs : eventMs;
  }
}
