/**
 * `npm run bench:scaling`: what more of everything costs: iods, sessions, open files, files in one
 * directory and in all; each on a cluster of its own.
 *
 *     npm run bench:scaling -- [--quick] [--json] [--only=iods,sessions,opens,entries,names] [--publish]
 *
 * `--publish` makes a part of docs/PERFORMANCE.md of it.
 */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine } from '../peers/machine-described.ts';
import { publish } from '../peers/performance-files.ts';
import type { Point, ScalingReport } from './curves.ts';
import { fullExtent, measurements, quickExtent } from './measurements.ts';
import { scalingTable } from './page.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    publish: { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',') ?? Object.keys(measurements);
const unknown = wanted.filter((name) => !(name in measurements));
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);

const machine = describeMachine(tmpdir());
const extent = values.quick ? quickExtent : fullExtent;
const points: Point[] = [];
for (const [name, measure] of Object.entries(measurements)) {
  if (wanted.includes(name)) points.push(...(await measure(extent)));
}
const report: ScalingReport = {
  schema: 1,
  isQuick: values.quick,
  machine,
  points: points.map((point) => ({ ...point, value: Number(point.value.toPrecision(4)) })),
};
console.log(values.json ? JSON.stringify(report) : scalingTable(report));
if (values.publish) publish({ scaling: report });
