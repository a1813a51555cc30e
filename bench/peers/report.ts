/** What a comparison found, as its JSON file holds it. Pure. */
import { median, type Spread, spreadOf } from './statistics.ts';
import { type WorkName, works } from './works.ts';

/** One run of one work by one system. */
export interface Run {
  readonly system: string;
  readonly work: WorkName;
  /** In the unit of the work. */
  readonly value: number;
  /** Calls or bytes. */
  readonly done: number;
  /** Processor time of the program and of all that serves it; none of what is a limit only. */
  readonly cpuUs?: number | undefined;
  /** Of all processes that serve it, after it. */
  readonly residentMebibytes?: number | undefined;
}

export interface Figure extends Spread {
  readonly system: string;
  readonly work: WorkName;
  readonly runs: readonly number[];
  /** Processor time: seconds a GiB of a work in MB/s, else microseconds a call. */
  readonly cpu?: number | undefined;
  readonly residentMebibytes?: number | undefined;
}

export interface SystemNote {
  readonly name: string;
  readonly version: string;
  readonly about: string;
}

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export interface Report {
  readonly schema: 1;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly machine: {
    readonly processors: number;
    readonly memoryGibibytes: number;
    readonly node: string;
    readonly kernel: string;
    readonly disk: string;
    /** Processes that wanted to run besides, at the beginning. */
    readonly load: number;
  };
  readonly sizes: {
    readonly streamBytes: number;
    readonly files: number;
    readonly treeEntries: number;
  };
  readonly systems: readonly SystemNote[];
  readonly skipped: readonly Skip[];
  readonly figures: readonly Figure[];
}

const GiB = 1024 ** 3;

/** In the order of the works, and in each in that of the systems. */
export function figuresOf(systems: readonly SystemNote[], runs: readonly Run[]): Figure[] {
  return works.flatMap(({ name: work }) =>
    systems.flatMap(({ name: system }) => {
      const found = runs.filter((run) => run.work === work && run.system === system);
      return found.length === 0 ? [] : [figureOf(system, work, found)];
    }),
  );
}

function figureOf(system: string, work: WorkName, runs: readonly Run[]): Figure {
  const values = runs.map(({ value }) => rounded(value));
  const perUnit = unitOf(work) === 'MB/s' ? GiB / 1e6 : 1;
  return {
    system,
    work,
    ...spreadOf(values),
    runs: values,
    ...known('cpu', medianOf(runs.map(({ cpuUs, done }) => cpuUs && (cpuUs / done) * perUnit))),
    ...known('residentMebibytes', medianOf(runs.map((run) => run.residentMebibytes))),
  };
}

function unitOf(work: WorkName): string {
  return works.find(({ name }) => name === work)?.unit ?? '';
}

/** `undefined` where one is missing. */
function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const present = values.filter((value) => value !== undefined);
  return present.length < values.length ? undefined : median(present);
}

function known<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [name in Name]?: number } {
  return value === undefined
    ? {}
    : ({ [name]: rounded(value) } as { readonly [name in Name]: number });
}

/** More digits mean nothing. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
