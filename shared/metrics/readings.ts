/** The metrics of a daemon at one moment: a reading for each of the table, or it does not compile. */
import type { HttpReply } from '../runtime/runtime.ts';
import type { HistogramReading } from './histogram.ts';
import type { MetricRole } from './metric-spec.ts';
import type { MetricName, metricTable } from './table.ts';

type Table = typeof metricTable;
type Value<N extends MetricName> = Table[N]['type'] extends 'histogram' ? HistogramReading : number;

/** One value of a metric that has labels. */
export interface Sample<N extends MetricName> {
  readonly labels: Readonly<Record<Table[N]['labels'][number], string>>;
  readonly value: Value<N>;
}

export type Reading<N extends MetricName> = Table[N]['labels'] extends readonly []
  ? Value<N>
  : readonly Sample<N>[];

/** That of a metric of any name. */
export type AnyReading = number | HistogramReading | readonly AnySample[];

export interface AnySample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramReading;
}

/** Names of the metrics that a process of this role shows. */
export type MetricOf<R extends MetricRole> = {
  readonly [N in MetricName]: R extends Table[N]['roles'][number] ? N : never;
}[MetricName];

export type Readings<N extends MetricName> = { readonly [K in N]: Reading<K> };

/** Writes readings in the form that Prometheus reads. */
export type Expose = (
  readings: { [R in MetricRole]: Readings<MetricOf<R>> }[MetricRole],
) => Promise<HttpReply>;
