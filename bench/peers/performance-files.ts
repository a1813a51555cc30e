/** docs/PERFORMANCE.md and its charts, from the reports in docs/performance. */
import { readFileSync, writeFileSync } from 'node:fs';
import { orangefsPage, peersChart, peersPage } from './page.ts';
import type { Report } from './report.ts';
import { costsOf } from '../modelled/costs.ts';
import { type ModelledPoint, modelledPoints } from '../modelled/model.ts';
import { modelledChart, modelledPage } from '../modelled/page.ts';
import { profilePage } from '../profile/page.ts';
import type { ProfileReport } from '../profile/report.ts';
import type { ScalingReport } from '../scaling/curves.ts';
import { scalingChart, scalingPage } from '../scaling/page.ts';
import { projectPath } from '../../scripts/project.ts';

/** What the files should hold, by their paths below `docs`. */
export function performanceFiles(): Readonly<Record<string, string>> {
  const report = readReport('peers') as Report;
  const scaling = readReport('scaling') as ScalingReport;
  const profile = readReport('profile') as ProfileReport;
  const model = readModel();
  const parts = {
    peers: peersPage(report, 'performance/peers.svg'),
    orangefs: orangefsPage(report),
    scaling: scalingPage(scaling, 'performance/scaling.svg'),
    profile: profilePage(profile),
    modelled: modelledPage(model, 'performance/modelled.svg'),
  };
  const files = {
    'PERFORMANCE.md': withParts(read('PERFORMANCE.md'), parts),
    'performance/peers.svg': peersChart(report),
    'performance/scaling.svg': scalingChart(scaling),
    'performance/modelled.svg': modelledChart(model),
  };
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, spaced(text)]));
}

/** What the model says with the figures that are stored. */
export function readModel(): readonly ModelledPoint[] {
  const profile = readReport('profile') as ProfileReport;
  return modelledPoints(costsOf(profile, readReport('scaling') as ScalingReport));
}

function readReport(name: string): unknown {
  return JSON.parse(read(`performance/${name}.json`));
}

/** Thousands as the other pages have them. */
function spaced(text: string): string {
  return text.replaceAll(/(?<=\d),(?=\d{3}\b)/g, ' ');
}

/** @param replaced reports that are new, by their names */
export function publish(replaced: Readonly<Record<string, unknown>> = {}): void {
  for (const [name, report] of Object.entries(replaced)) {
    write(`performance/${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  for (const [path, content] of Object.entries(performanceFiles())) write(path, content);
}

function write(path: string, content: string): void {
  writeFileSync(projectPath(`docs/${path}`), content);
}

function read(path: string): string {
  return readFileSync(projectPath(`docs/${path}`), 'utf8');
}

/** The page with each part between its marks. @throws Error when one has none */
export function withParts(page: string, parts: Readonly<Record<string, string>>): string {
  let whole = page;
  for (const [name, text] of Object.entries(parts)) {
    const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
    const [before, rest] = whole.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`no '${begin}' … '${end}'`);
    whole = `${before}${begin}\n\n${text}\n\n${end}${after}`;
  }
  return whole;
}
