/** What docs/PERFORMANCE.md says of a profile report. Pure. */
import { machineOf, markdownTable } from '../peers/table.ts';
import { shown } from '../rows.ts';
import type { Profiled, ProfiledProcess, ProfileReport } from './report.ts';
import { type Kind, kinds } from './summary.ts';

const kindNames: Readonly<Record<Kind, string>> = {
  ours: 'our code',
  node: "Node's modules",
  sqlite: 'SQLite',
  checksum: 'checksums',
  system: 'system calls',
  gc: 'garbage',
  libraries: 'libraries',
};

export function profilePage(report: ProfileReport): string {
  const head = `${machineOf(report.machine)}${report.isQuick ? '; small sizes' : ''}.`;
  return [head, profileTable(report)].join('\n\n');
}

export function profileTable({ profiled }: ProfileReport): string {
  const rows = profiled.flatMap((one) => one.processes.flatMap((part) => rowOf(one, part)));
  const head = ['what', 'process', 'time', ...kinds.map((kind) => kindNames[kind]), 'most of it'];
  return markdownTable(head, rows);
}

const namedMax = 5;
const namedPartMin = 0.01;

/** A process that has next to nothing to do is left out. */
function rowOf({ headline, per, processes }: Profiled, part: ProfiledProcess): string[][] {
  const most = Math.max(...processes.map(({ cpu }) => cpu));
  if (part.cpu < most / 20) return [];
  const time = `${shown(part.cpu)} ${per === 'GiB' ? 'ms/GiB' : 'us'}`;
  const parts = kinds.map((kind) => percent(part.byKind[kind]));
  const longest = part.longest
    .slice(0, namedMax)
    .filter(([, share]) => share >= namedPartMin)
    .map(([where, share]) => `\`${where}\` ${percent(share)}`);
  return [[headline, part.role, time, ...parts, longest.join(', ')]];
}

function percent(part: number): string {
  return part < namedPartMin / 2 ? '' : `${Math.round(part * 100)} %`;
}
