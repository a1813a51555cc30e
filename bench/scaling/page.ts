/** What docs/PERFORMANCE.md says of a scaling report, and its chart. Pure. */
import { type Bar, drawCharts } from '../peers/chart.ts';
import { machineOf, markdownTable } from '../peers/table.ts';
import { shown } from '../rows.ts';
import { type CurveName, curves, type ScalingReport } from './curves.ts';

export function scalingTable({ points }: ScalingReport): string {
  const rows = drawnOf(points).map(({ name, found }) => {
    const { title, unit, by } = curves[name];
    const values = found.map(({ at, value }) => `${shown(at)}: ${shown(value)}`);
    return [`${title}, ${unit}`, by, values.join('; ')];
  });
  return markdownTable(['what', 'by', 'figures'], rows);
}

/** @param chart where the chart lies, from the page */
export function scalingPage(report: ScalingReport, chart: string): string {
  const head = `${machineOf(report.machine)}${report.isQuick ? '; small sizes' : ''}.`;
  return [head, `![a bar for each size](${chart})`, scalingTable(report)].join('\n\n');
}

export function scalingChart({ points }: ScalingReport): string {
  const panels = drawnOf(points).map(({ name, found }) => {
    const { title, unit, by } = curves[name];
    const bars = found.map(({ at, value }): Bar => ({
      label: shown(at),
      value,
      tone: 'ours',
    }));
    return { title, note: `${unit}, by ${by}`, bars };
  });
  return drawCharts(panels, 'what more iods, sessions, open files and entries cost');
}

function drawnOf(points: ScalingReport['points']) {
  return (Object.keys(curves) as CurveName[]).flatMap((name) => {
    const found = points.filter(({ curve }) => curve === name);
    return found.length === 0 ? [] : [{ name, found }];
  });
}
