/** A report as text: for the terminal, and as the tables of docs/PERFORMANCE.md. Pure. */
import { shown } from '../rows.ts';
import type { Figure, Report } from './report.ts';
import { type WorkName, works } from './works.ts';

/** Names of the systems that are a limit of the machine. */
export const limitNames = { disk: 'local disk', sockets: 'loopback TCP' } as const;

export function asTable(report: Report): string {
  const lines = [headOf(report)];
  for (const { name, title, unit } of works) {
    const figures = report.figures.filter(({ work }) => work === name);
    if (figures.length === 0) continue;
    lines.push('', `${title}, ${unit}`);
    for (const figure of figures) {
      const [system = '', ...cells] = cellsOf(figure, report);
      const [value = '', range = '', cpu = '', memory = '', ratio = ''] = cells;
      lines.push(
        `  ${system.padEnd(30)}${value.padStart(9)}  ${range.padEnd(20)}` +
          `${cpu.padStart(12)}${memory.padStart(10)}  ${ratio}`,
      );
    }
  }
  for (const { name, reason } of report.skipped) lines.push('', `skipped: ${name}: ${reason}`);
  return lines.join('\n');
}

export function headOf({ machine, rounds, isQuick }: Report): string {
  return `${machineOf(machine)}; median of ${rounds} rounds${isQuick ? ', small sizes' : ''}`;
}

export function machineOf(machine: Report['machine']): string {
  const { processors, memoryGibibytes, disk, kernel, node, load } = machine;
  return (
    `${processors} processors, ${memoryGibibytes} GiB of memory, ${disk}, Linux ${kernel}, ` +
    `Node ${node.slice(1)}, load at the start ${load}`
  );
}

/** System, median, range, processor time, memory, ratio to the limits. */
export function cellsOf(figure: Figure, report: Report): string[] {
  const { system, work, median, min, max, cpu, residentMebibytes: memory } = figure;
  const cpuUnit = unitOf(work) === 'MB/s' ? 's/GiB' : 'us';
  return [
    system,
    shown(median),
    `(${shown(min)} - ${shown(max)})`,
    cpu === undefined ? '' : `${shown(cpu)} ${cpuUnit}`,
    memory === undefined ? '' : `${shown(memory)} MiB`,
    ratiosOf(figure, report).join(', '),
  ];
}

/** To each limit that was measured with the same work. */
function ratiosOf({ system, work, median }: Figure, { figures }: Report): string[] {
  const limits: readonly string[] = Object.values(limitNames);
  if (limits.includes(system)) return [];
  return figures
    .filter((other) => other.work === work && limits.includes(other.system))
    .map((limit) => `${(median / limit.median).toPrecision(2)} of ${limit.system}`);
}

export function unitOf(work: WorkName): string {
  return works.find(({ name }) => name === work)?.unit ?? '';
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const rule = head.map(() => '---');
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
