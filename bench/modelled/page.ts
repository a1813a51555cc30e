/** What docs/PERFORMANCE.md says of the model, and its chart. Pure. */
import { type Bar, drawCharts } from '../peers/chart.ts';
import { markdownTable } from '../peers/table.ts';
import { shown } from '../rows.ts';
import { modelled, type ModelledCurve, type ModelledPoint } from './model.ts';

export function modelledTable(points: readonly ModelledPoint[]): string {
  const rows = curvesOf(points).map(({ name, found }) => {
    const { title, unit, by } = modelled[name];
    const values = found.map(({ at, value }) => `${shown(at)}: ${shown(value)}`);
    return [`${title}, ${unit}`, by, values.join('; '), bentBy(found)];
  });
  return markdownTable(['modelled', 'by', 'figures', 'used most at the end'], rows);
}

function bentBy(points: readonly ModelledPoint[]): string {
  const last = points.at(-1);
  if (last === undefined) return '';
  const { name, use } = last.busiest;
  return `${name}, ${Math.round(use * 100)} %`;
}

export function modelledPage(points: readonly ModelledPoint[], chart: string): string {
  return [`![a bar for each size, modelled](${chart})`, modelledTable(points)].join('\n\n');
}

export function modelledChart(points: readonly ModelledPoint[]): string {
  const panels = curvesOf(points).map(({ name, found }) => {
    const { title, unit, by } = modelled[name];
    const bars = found.map(({ at, value }): Bar => ({ label: shown(at), value, tone: 'oursToo' }));
    return { title, note: `${unit}, by ${by}; modelled`, bars };
  });
  return drawCharts(panels, 'what one mgr would carry, modelled');
}

function curvesOf(points: readonly ModelledPoint[]) {
  return (Object.keys(modelled) as ModelledCurve[]).map((name) => {
    return { name, found: points.filter(({ curve }) => curve === name) };
  });
}
