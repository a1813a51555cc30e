/** Metrics of a daemon out of the text in which it writes them (Prometheus, text format 0.0.4). Pure. */

/** Values by `name{labels}`, as written. */
export type Samples = ReadonlyMap<string, number>;

export function parseSamples(lines: readonly string[]): Samples {
  const samples = new Map<string, number>();
  for (const line of lines) {
    if (line === '' || line.startsWith('#')) continue;
    const [, key, value] = /^([^ {]+(?:\{.*\})?) (\S+)/.exec(line) ?? [];
    if (key !== undefined) samples.set(key, Number(value));
  }
  return samples;
}

/** Of all label values together; 0 when there is none. */
export function sumOf(samples: Samples, name: string): number {
  let sum = 0;
  for (const [key, value] of samples) {
    if (key === name || key.startsWith(`${name}{`)) sum += value;
  }
  return sum;
}

/** The value of a label where the metric is 1, as states are told. */
export function labelOf(samples: Samples, name: string, label: string): string | undefined {
  for (const [key, value] of samples) {
    if (value !== 1 || !key.startsWith(`${name}{`)) continue;
    const [, text] = new RegExp(`[{,]${label}="([^"]*)"`).exec(key) ?? [];
    if (text !== undefined) return text;
  }
  return undefined;
}
