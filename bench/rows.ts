/** What a benchmark found, each figure beside the one of the machine alone; as a table or JSON. */

/** What the machine does by itself where the file system does this. */
export interface Limit {
  readonly name: string;
  readonly value: number;
}

export interface Row {
  readonly group: string;
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  readonly limit: Limit;
  /** Processor time: seconds a GiB, microseconds a call; of what took a time, milliseconds. */
  readonly cpu?: number | undefined;
}

/** Of rates more is better; of times and memory, less. */
export type Unit = 'MB/s' | '/s' | 'ms' | 'MiB' | 'B';

/** @returns 1 when it is as good as the machine alone, less when it is worse */
export function ratioOf({ value, unit, limit }: Row): number {
  const isRate = unit === 'MB/s' || unit === '/s';
  return isRate ? value / limit.value : limit.value / value;
}

export function asJson(rows: readonly Row[], machine: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    schema: 1,
    machine,
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row) })),
  });
}

export function asTable(rows: readonly Row[]): string {
  const lines: string[] = [];
  let group = '';
  for (const row of rows) {
    if (row.group !== group) lines.push('', row.group);
    group = row.group;
    const cpu = row.cpu === undefined ? '' : `${cpuOf(row.unit, row.cpu)} CPU`;
    lines.push(
      `  ${row.name.padEnd(44)}${shown(row.value).padStart(10)} ${row.unit.padEnd(5)}` +
        `${cpu.padStart(16)}  ${ratioOf(row).toFixed(3).padStart(7)} of ` +
        `${shown(row.limit.value)} ${row.unit} (${row.limit.name})`,
    );
  }
  return lines.join('\n');
}

function cpuOf(unit: Unit, cpu: number): string {
  if (unit === 'MB/s') return `${shown(cpu)} s/GiB`;
  return unit === 'ms' ? `${shown(cpu)} ms` : `${shown(cpu)} us`;
}

/** With as many digits as mean anything. */
export function shown(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
