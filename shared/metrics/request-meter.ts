/** How long requests take, by message and outcome, and how many bytes they move. */
import type { FsError } from '../errno.ts';
import type { AnswerMeter, MessageCode } from '../rpc/service.ts';
import type { Clock } from '../runtime/runtime.ts';
import type { Op } from '../wire/op.ts';
import { opName } from '../wire/op-names.ts';
import { Histogram } from './histogram.ts';
import type { Sample } from './readings.ts';
import { metricTable } from './table.ts';

const { buckets } = metricTable.weftfs_request_duration_seconds;

/** `retry`: the caller is to ask again, and does so by itself. */
type Outcome = 'ok' | 'error' | 'retry';

class OpFigures {
  readonly durations: { [K in Outcome]?: Histogram } = {};
  readonly errors = new Map<string, number>();
  /** Payload of requests and replies that went well. */
  bytes = 0;
}

/** For messages that do not exist here. */
const noCode = 0;

/** What all histograms of requests have in common. */
type DurationSample = Sample<'weftfs_request_duration_seconds'>;
type ErrorSample = Sample<'weftfs_request_errors_total'>;

export class RequestMeter implements AnswerMeter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #nameOf: (code: number) => string;
  /** By the number of the message: there are few, and they are small. */
  readonly #byCode: (OpFigures | undefined)[] = [];

  /** @param nameOf message, by its number; ours by default */
  constructor(clock: Pick<Clock, 'now'>, nameOf: (code: number) => string = opName) {
    this.#clock = clock;
    this.#nameOf = nameOf;
  }

  answered(op: MessageCode, begunAt: number, error: FsError | undefined, bytes: number): void {
    const code = op?.code ?? noCode;
    const figures = (this.#byCode[code] ??= new OpFigures());
    const outcome = error === undefined ? 'ok' : error.code === 'EAGAIN' ? 'retry' : 'error';
    const durations = (figures.durations[outcome] ??= new Histogram(buckets));
    durations.observe((this.#clock.now() - begunAt) / 1000);
    if (error === undefined) figures.bytes += bytes;
    else figures.errors.set(error.code, (figures.errors.get(error.code) ?? 0) + 1);
  }

  /** Payload that messages of this kind have moved. */
  bytesOf({ code }: Op): number {
    return this.#byCode[code]?.bytes ?? 0;
  }

  /** All that was answered, however it ended, and what it took together. */
  totals(): { readonly answered: number; readonly answeredInMicroseconds: number } {
    const all = this.#byCode.flatMap((figures) => Object.values(figures?.durations ?? {}));
    const seconds = all.reduce((sum, { sum: one }) => sum + one, 0);
    return {
      answered: all.reduce((count, { counts }) => counts.reduce((a, b) => a + b, count), 0),
      answeredInMicroseconds: Math.round(seconds * 1e6),
    };
  }

  durations(): readonly DurationSample[] {
    return this.#all().flatMap(([op, { durations }]) =>
      Object.entries(durations).map(([outcome, value]) => ({ labels: { op, outcome }, value })),
    );
  }

  errors(): readonly ErrorSample[] {
    return this.#all().flatMap(([op, { errors }]) =>
      [...errors].map(([errno, value]) => ({ labels: { op, errno }, value })),
    );
  }

  #all(): readonly (readonly [string, OpFigures])[] {
    return this.#byCode.flatMap((figures, code) =>
      figures === undefined
        ? []
        : [[code === noCode ? 'unknown' : this.#nameOf(code), figures] as const],
    );
  }
}
