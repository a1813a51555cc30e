/** A board for Grafana: a panel for each metric of the table, in its groups. */
import { metricGroups, type MetricSpec } from '../../../shared/metrics/metric-spec.ts';
import { type MetricName, metricTable } from '../../../shared/metrics/table.ts';

const width = 8;
const height = 7;
const perRow = 3;
const rateWindow = '[$__rate_interval]';
/** Of a figure, and of its growth in a second. */
const units = {
  seconds: ['s', 's'],
  bytes: ['bytes', 'Bps'],
  count: ['short', 'ops'],
  state: ['short', 'short'],
} as const satisfies Record<MetricSpec['unit'], readonly [string, string]>;

const source = { type: 'prometheus', uid: '${source}' };

/** @returns the board as JSON, as Grafana imports it */
export function dashboardFile(): string {
  const all = Object.entries(metricTable) as [MetricName, MetricSpec][];
  let top = 0;
  const panels = metricGroups.flatMap((title) => {
    const inGroup = all.filter(([, { group }]) => group === title);
    const row = { type: 'row', title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: top } };
    const first = top + 1;
    top = first + Math.ceil(inGroup.length / perRow) * height;
    const charts = inGroup.map(([name, spec], at) => ({
      ...chart(name, spec),
      gridPos: {
        h: height,
        w: width,
        x: (at % perRow) * width,
        y: first + Math.floor(at / perRow) * height,
      },
    }));
    return [row, ...charts];
  });
  const board = {
    title: 'weftfs',
    uid: 'weftfs',
    tags: ['weftfs'],
    schemaVersion: 39,
    time: { from: 'now-1h', to: 'now' },
    refresh: '15s',
    templating: {
      list: [{ name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
    },
    panels: panels.map((panel, at) => ({ id: at + 1, ...panel })),
  };
  return `${JSON.stringify(board, undefined, 2)}\n`;
}

function chart(name: MetricName, spec: MetricSpec) {
  const { type, unit, help } = spec;
  const [ofFigure, ofRate] = units[unit];
  return {
    type: 'timeseries',
    title: name,
    description: help,
    datasource: source,
    fieldConfig: { defaults: { unit: type === 'counter' ? ofRate : ofFigure, min: 0 } },
    targets: queries(name, spec).map(({ expression, legend }, at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      datasource: source,
      expr: expression,
      legendFormat: legend,
    })),
  };
}

interface Query {
  readonly expression: string;
  readonly legend: string;
}

function queries(name: MetricName, { type, labels }: MetricSpec): readonly Query[] {
  const legend = ['instance', ...labels].map((label) => `{{${label}}}`).join(' ');
  if (type === 'gauge') return [{ expression: name, legend }];
  if (type === 'counter') return [{ expression: `rate(${name}${rateWindow})`, legend }];
  const buckets = `rate(${name}_bucket${rateWindow})`;
  const by = ['instance', ...labels].join(', ');
  return [0.5, 0.99].map((share) => ({
    expression: `histogram_quantile(${share}, sum by (le, ${by}) (${buckets}))`,
    legend: `${share * 100} % ${legend}`,
  }));
}
