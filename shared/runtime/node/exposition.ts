/** Readings in the text format of Prometheus, with those of the process itself, by prom-client. */
import { collectDefaultMetrics, Gauge, type MetricType, Registry } from 'prom-client';
import type { HistogramReading } from '../../metrics/histogram.ts';
import type { AnyReading, AnySample, Expose } from '../../metrics/readings.ts';
import type { MetricSpec } from '../../metrics/metric-spec.ts';
import { type MetricName, metricTable } from '../../metrics/table.ts';

interface Line {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** Gauges of prom-client whose names say that they are counters, which confuses what reads them. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** From now on the process measures the lag of its event loop, and its collections of garbage. */
export function makeExposition(): Expose {
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  for (const name of misnamed) ofProcess.removeSingleMetric(name);
  return async (readings) => {
    const ofDaemon = new Registry();
    for (const [name, reading] of Object.entries(readings) as [MetricName, AnyReading][]) {
      ofDaemon.registerMetric(new Told(name, reading));
    }
    const parts = await Promise.all([ofDaemon.metrics(), ofProcess.metrics()]);
    return { status: 200, contentType: ofDaemon.contentType, body: parts.join('\n') };
  };
}

/** A metric that is counted elsewhere: it only says what it is told. */
class Told extends Gauge {
  readonly #name: MetricName;
  readonly #reading: AnyReading;

  constructor(name: MetricName, reading: AnyReading) {
    const { help, labels } = metricTable[name];
    super({ name, help, labelNames: [...labels], registers: [] });
    this.#name = name;
    this.#reading = reading;
  }

  override async get(): ReturnType<Gauge['get']> {
    const { type }: MetricSpec = metricTable[this.#name];
    // Its declarations count the types, its code has them by name.
    const named = type as unknown as MetricType;
    return { ...(await super.get()), type: named, values: linesOf(this.#name, this.#reading) };
  }
}

function linesOf(name: MetricName, reading: AnyReading): Line[] {
  const samples = isSamples(reading) ? reading : [{ labels: {}, value: reading }];
  return samples.flatMap(({ labels, value }) =>
    typeof value === 'number' ? [{ labels, value }] : bucketLines(name, labels, value),
  );
}

/** As `Array.isArray`, which does not see that what is left is no array. */
function isSamples(reading: AnyReading): reading is readonly AnySample[] {
  return Array.isArray(reading);
}

/** Each bucket says how many there are up to its bound. */
function bucketLines(
  name: MetricName,
  labels: Line['labels'],
  { bounds, counts, sum }: HistogramReading,
): Line[] {
  let count = 0;
  const buckets = [...bounds, '+Inf'].map((le, bucket) => {
    count += counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
