/** What the daemons do: bytes, requests and how long these take, for the last minutes. */
import { humanRate } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';
import type { ViewProps } from '../watch.ts';
import { type Point, together } from '../model/activity.ts';
import { Chart, type Line } from './chart.tsx';
import { Command } from './command.tsx';

export function Activities({ picture: { activities } }: ViewProps) {
  const all = [...activities];
  const everybody = all.map(([, activity]) => activity);
  const sum = (name: string, value: (point: Point) => number): Line => ({
    name,
    values: together(everybody, value),
  });
  const each = (value: (point: Point) => number | undefined): Line[] =>
    all.map(([name, { points }]) => ({ name: printable(name), values: points.map(value) }));
  return (
    <>
      <p>The last five minutes, as far as this page is open; each point is two seconds.</p>
      <Chart
        title="Throughput of all iods"
        lines={[
          sum('read', (point) => point.readBytesPerSecond),
          sum('written', (point) => point.writtenBytesPerSecond),
        ]}
        format={(bytes) => humanRate(bytes, 1)}
      />
      <Chart
        title="Latency: mean time from a request to its answer"
        lines={each(({ meanMs }) => meanMs)}
        format={(ms) => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`}
      />
      <Chart
        title="Requests answered per second"
        lines={each(({ answersPerSecond }) => answersPerSecond)}
        format={(value) => `${value.toFixed(0)}/s`}
      />
      <Command line="weft top" />
    </>
  );
}
