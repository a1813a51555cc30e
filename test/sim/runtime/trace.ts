/**
 * What happened, in order: a rolling hash to compare whole runs, the last events for a failure
 * report, and on request every event, to find where two runs part.
 */

interface TraceEvent {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly detail: string | number;
}

export interface TraceOptions {
  /** How many of the last events `tail` shows. */
  readonly tailEvents: number;
  /** Keep every event: memory without bound, for finding differences only. */
  readonly keepAll: boolean;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

export class Trace {
  readonly #options: TraceOptions;
  readonly #tail: TraceEvent[] = [];
  readonly #all: TraceEvent[] = [];
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x1b873593;

  constructor(options: TraceOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits over all events so far. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  record(atMs: number, who: string, what: string, detail: string | number): void {
    this.#mixNumber(atMs);
    this.#mixText(who);
    this.#mixText(what);
    if (typeof detail === 'number') this.#mixNumber(detail);
    else this.#mixText(detail);
    const event = { atMs, who, what, detail };
    this.#tail[this.#count++ % this.#options.tailEvents] = event;
    if (this.#options.keepAll) this.#all.push(event);
  }

  /** The last events, oldest first, a line each. */
  tail(): string[] {
    const next = this.#count % this.#options.tailEvents;
    return [...this.#tail.slice(next), ...this.#tail.slice(0, next)].map(format);
  }

  /** Every event; only with `keepAll`. */
  lines(): string[] {
    return this.#all.map(format);
  }

  #mixText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
    this.#mix(0xffff);
  }

  #mixNumber(number: number): void {
    float[0] = number;
    this.#mix(words[0] ?? 0);
    this.#mix(words[1] ?? 0);
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#high = Math.imul((this.#high << 13) ^ (this.#high >>> 19) ^ this.#low, 0x5bd1e995);
  }
}

/** Where two runs of one seed part: the first line that differs, with its number, from both. */
export function firstDifference(
  a: Trace,
  b: Trace,
):
  | { readonly at: number; readonly a: string | undefined; readonly b: string | undefined }
  | undefined {
  const [left, right] = [a.lines(), b.lines()];
  const longer = left.length > right.length ? left : right;
  const at = longer.findIndex((_, i) => left[i] !== right[i]);
  return at < 0 ? undefined : { at, a: left[at], b: right[at] };
}

function format({ atMs, who, what, detail }: TraceEvent): string {
  return `${atMs.toFixed(3).padStart(12)} ms  ${who.padEnd(10)} ${what} ${detail}`.trimEnd();
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
