/** What docs/PERFORMANCE.md says of a report, and its chart. Pure. */
import { type Bar, drawCharts, type Panel, type Tone } from './chart.ts';
import { shown } from '../rows.ts';
import type { Report } from './report.ts';
import { cellsOf, headOf, limitNames, markdownTable, unitOf } from './table.ts';
import { type WorkName, works } from './works.ts';

const MiB = 1024 * 1024;
const ours = 'weftfs';
const library = 'weftfs library';
const peers = ['GlusterFS', 'MooseFS', 'MooseFS, durable names'] as const;

/** @param chart where the chart lies, from the page */
export function peersPage(report: Report, chart: string): string {
  return [
    `${headOf(report)}. ${sizesOf(report)}`,
    `![medians, and lines from the slowest to the fastest round](${chart})`,
    ratioTable(report),
    ...slowerThan(report),
    '### All figures',
    'Processor time is that of the program and of all processes that serve it; memory is what those ' +
      'processes have resident, their shared pages counted in each.',
    ...works.flatMap(({ name, title, unit }) => workTable(report, name, `${title}, ${unit}`)),
    '### How they were set up',
    report.systems
      .map(({ name, version, about }) => `- **${name}** (${version}): ${about}.`)
      .join('\n'),
    ...report.skipped.map(({ name, reason }) => `Skipped: ${name}, ${reason}.`),
  ].join('\n\n');
}

function sizesOf({ sizes: { streamBytes, files, treeEntries } }: Report): string {
  return (
    `In each round: a file of ${shown(streamBytes / MiB)} MiB, ${shown(files)} files of 4 KiB, and a ` +
    `tree of ${shown(treeEntries)} files and directories.`
  );
}

/** How many times as fast as each of them, through the mount. */
function ratioTable(report: Report): string {
  const rows = works.flatMap(({ name, title, unit }) => {
    const here = medianOf(report, ours, name);
    if (here === undefined) return [];
    const ratios = peers.map((peer) => ratioTo(here, medianOf(report, peer, name)));
    const direct = medianOf(report, library, name);
    const directly = direct === undefined ? '' : `${shown(direct)} ${unit}`;
    return [[title, `${shown(here)} ${unit}`, ...ratios, directly]];
  });
  const head = ['work', `${ours}, mounted`, ...peers.map((peer) => `of ${peer}`), 'by its library'];
  return markdownTable(head, rows);
}

function ratioTo(here: number | undefined, there: number | undefined): string {
  return here === undefined || there === undefined ? '' : (here / there).toPrecision(2);
}

/** In words, for nobody looks for that in a table. */
function slowerThan(report: Report): string[] {
  return peers.flatMap((peer) => {
    const slower = works.flatMap(({ name, title }) => {
      const here = medianOf(report, ours, name);
      const there = medianOf(report, peer, name);
      if (here === undefined || there === undefined || here >= there) return [];
      return [`${title} (${ratioTo(here, there)})`];
    });
    return slower.length === 0 ? [] : [`Slower than ${peer}: ${slower.join('; ')}.`];
  });
}

/** By its library with calls of 1 MiB, as a part of loopback TCP. */
const orangefs = { write: 0.56, read: 0.64 } as const;

export function orangefsPage(report: Report): string {
  const systems = [library, `${library} over TCP`];
  const rows = (['write', 'read'] as const).map((work) => {
    const socket = medianOf(report, limitNames.sockets, work);
    const parts = systems.map((system) => ratioTo(medianOf(report, system, work), socket));
    return [`${work}, calls of 1 MiB`, String(orangefs[work]), ...parts];
  });
  const head = ['of loopback TCP in the same run', 'OrangeFS library', ...systems];
  return markdownTable(head, rows);
}

function workTable(report: Report, work: WorkName, title: string): string[] {
  const figures = report.figures.filter((figure) => figure.work === work);
  if (figures.length === 0) return [];
  const head = ['', 'median', 'from - to', 'processor time', 'memory', 'ratio'];
  const rows = figures.map((figure) => cellsOf(figure, report));
  return [`**${title}**`, markdownTable(head, rows)];
}

function medianOf({ figures }: Report, system: string, work: WorkName): number | undefined {
  return figures.find((figure) => figure.system === system && figure.work === work)?.median;
}

const tones: Readonly<Record<string, Tone>> = {
  GlusterFS: 'theirs',
  'GlusterFS, shards': 'theirs',
  MooseFS: 'theirsToo',
  'MooseFS, durable names': 'theirsToo',
};

export function peersChart(report: Report): string {
  const limits: readonly string[] = Object.values(limitNames);
  const panels = works.flatMap(({ name, title }): Panel[] => {
    const figures = report.figures.filter(({ work }) => work === name);
    const bars = figures
      // Many calls at once would make what the others do one at a time too short to see.
      .filter(({ system }) => !limits.includes(system) && !system.includes('at once'))
      .map(({ system, median, min, max }): Bar => {
        const tone = tones[system] ?? (system === ours ? 'ours' : 'oursToo');
        return { label: system, value: median, range: { min, max }, tone };
      });
    const notes = figures
      .filter(({ system }) => limits.includes(system))
      .map(({ system, median }) => `${system}: ${shown(median)}`);
    const note = [unitOf(name), ...notes].join(', ');
    return bars.length === 0 ? [] : [{ title, note, bars }];
  });
  return drawCharts(panels, 'weftfs beside other file systems: more is better');
}
