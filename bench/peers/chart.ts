/** Charts of horizontal bars, side by side in one picture; light or dark as its reader likes. Pure. */
import { shown } from '../rows.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** From the least to the most of several runs, drawn as a line over the end. */
  readonly range?: { readonly min: number; readonly max: number };
  readonly tone: Tone;
}

export type Tone = 'ours' | 'oursToo' | 'theirs' | 'theirsToo';

export interface Panel {
  readonly title: string;
  /** Small, under the title. */
  readonly note: string;
  readonly bars: readonly Bar[];
}

const columns = 2;
const width = 900;
const gap = 30;
const panelWidth = (width - gap * (columns + 1)) / columns;
const labelWidth = 150;
const valueWidth = 60;
const plotWidth = panelWidth - labelWidth - valueWidth;
const headHeight = 44;
const barHeight = 15;
const barStep = 21;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 13px; }
  .note { font-size: 11px; fill: #57606a; }
  .paper { fill: #ffffff; }
  .range { stroke: #24292f; stroke-width: 1.5; }
  .ours { fill: #2563c9; } .oursToo { fill: #86aee8; }
  .theirs { fill: #c2571a; } .theirsToo { fill: #2e8b6d; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .paper { fill: #0d1117; }
    .range { stroke: #e6edf3; }
    .ours { fill: #4f8ff7; } .oursToo { fill: #2f5b9e; }
    .theirs { fill: #e07b3a; } .theirsToo { fill: #3fa886; }
  }
`;

/** @param about for readers that do not see it */
export function drawCharts(panels: readonly Panel[], about: string): string {
  const drawn: string[] = [];
  let y = gap;
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns);
    for (const [column, panel] of row.entries()) {
      const x = gap + column * (panelWidth + gap);
      drawn.push(`<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`);
    }
    y += Math.max(...row.map(({ bars }) => headHeight + bars.length * barStep)) + gap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" role="img">`,
    `<title>${escaped(about)}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${y}"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, note, bars }: Panel): string {
  const most = Math.max(...bars.map(({ value, range }) => range?.max ?? value));
  const along = (value: number): number => round((value / most) * plotWidth);
  return [
    `<text class="title" y="12">${escaped(title)}</text>`,
    `<text class="note" y="29">${escaped(note)}</text>`,
    ...bars.flatMap((bar, i) => drawBar(bar, headHeight + i * barStep, along)),
  ].join('\n');
}

function drawBar(
  { label, value, range, tone }: Bar,
  y: number,
  along: (value: number) => number,
): string[] {
  const middle = y + barHeight / 2;
  const baseline = y + barHeight - 3;
  const end = labelWidth + along(range?.max ?? value) + 6;
  const lines = [
    `<text x="${labelWidth - 8}" y="${baseline}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${tone}" x="${labelWidth}" y="${y}" width="${Math.max(along(value), 1)}" height="${barHeight}" rx="2"/>`,
    `<text x="${end}" y="${baseline}">${shown(value)}</text>`,
  ];
  if (range !== undefined) {
    const [from, to] = [labelWidth + along(range.min), labelWidth + along(range.max)];
    lines.push(`<path class="range" d="M${from} ${middle}H${to}"/>`);
  }
  return lines;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
