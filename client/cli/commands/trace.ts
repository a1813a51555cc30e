/** `weft trace`: what the flight recorders of all processes have. */
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ring } from '../../../shared/trace/ring.ts';
import { scriptOf } from '../../../shared/trace/script.ts';
import { Timeline, type TimelineEvent } from '../../../shared/trace/timeline.ts';
import { type Arguments, UsageError } from '../arguments.ts';
import type { Context, Run } from '../command.ts';
import { counted } from '../../../shared/figures.ts';
import type { Output } from '../output.ts';
import { type Figures, Progress } from '../progress.ts';
import { chromeTrace } from '../trace/chrome-trace.ts';
import { eventJson, eventLine, processName } from '../trace/event-lines.ts';
import { findRings, type NamedRing, readRing, type SourceOptions } from '../trace/trace-sources.ts';

const actions: Readonly<Record<string, (given: Arguments, context: Context) => Promise<void>>> = {
  show,
  merge,
  follow,
  export: exportTrace,
};

/** As text, in pieces. */
const formats: Readonly<Record<string, (rings: readonly Ring[]) => Iterable<string>>> = {
  chrome: chromeTrace,
  script: (rings) => [`${JSON.stringify(scriptOf(rings))}\n`],
};

/** Whoever follows sees a record so long after it was written to the file. */
const pollMs = 250;

export const run: Run = async (given, context) => {
  const action = actions[given.operand(0)];
  if (action === undefined) {
    throw new UsageError(
      `there is no weft trace ${given.operand(0)}`,
      `weft trace ${Object.keys(actions).join(', ')}`,
    );
  }
  await action(given, context);
};

async function show(given: Arguments, context: Context): Promise<void> {
  const [, source, ...others] = given.operands;
  if (source === undefined || others.length > 0) {
    throw new UsageError('weft trace show takes one ring', 'weft trace show iod0');
  }
  await tell(given, context.output, await ringsOf(given, [source]));
}

async function merge(given: Arguments, context: Context): Promise<void> {
  await tell(given, context.output, await ringsOf(given, given.operands.slice(1)));
}

async function tell(given: Arguments, output: Output, rings: readonly NamedRing[]): Promise<void> {
  for (const named of rings) output.remark(headline(named));
  const last = given.count('last', { min: 1, max: 1_000_000_000 }) ?? Infinity;
  const total = rings.reduce((sum, { ring }) => sum + ring.last - ring.first + 1 - ring.missing, 0);
  const begun = performance.now();
  let done = 0;
  const figures = (): Figures => {
    return { done, total, unit: 'records', seconds: (performance.now() - begun) / 1000 };
  };
  // On a terminal the records themselves are seen to come.
  const progress = output.json || !output.isTerminal ? new Progress(output, figures) : undefined;
  const isSkipped = (): boolean => {
    progress?.tick();
    return total - done++ > last;
  };
  try {
    const timeline = new Timeline(rings.map(({ ring }) => ring));
    await print(output, rings, skip(timeline.events(), isSkipped));
  } finally {
    progress?.end();
  }
}

function* skip<T>(all: Iterable<T>, isSkipped: () => boolean): Generator<T> {
  for (const one of all) if (!isSkipped()) yield one;
}

/** New records as they come, of daemons also when they start anew. */
async function follow(given: Arguments, { output }: Context): Promise<void> {
  const seen = new Map<string, number>();
  for (let isFirst = true; ; isFirst = false) {
    const rings = await ringsOf(given, given.operands.slice(1));
    const from = rings.map(({ path, ring }) => {
      const next = seen.get(path) ?? (isFirst ? ring.last + 1 : ring.first);
      seen.set(path, ring.last + 1);
      return next;
    });
    if (rings.some(({ ring }, i) => ring.last >= (from[i] ?? 0))) {
      await print(
        output,
        rings,
        new Timeline(
          rings.map(({ ring }) => ring),
          from,
        ).events(),
      );
    }
    await sleep(pollMs);
  }
}

async function exportTrace(given: Arguments, { output }: Context): Promise<void> {
  const format = given.text('format') ?? 'chrome';
  const write = formats[format];
  if (write === undefined) {
    const known = Object.keys(formats).join(', or ');
    throw new UsageError(`there is no format '${format}'`, `weft trace export --format ${known}`);
  }
  const rings = await ringsOf(given, given.operands.slice(1));
  const pieces = write(rings.map(({ ring }) => ring));
  const file = given.text('output');
  if (file === undefined) {
    for (const piece of pieces) await output.bytes(Buffer.from(piece));
    return;
  }
  const begun = performance.now();
  let done = 0;
  const progress = new Progress(output, () => {
    return { done, total: null, unit: 'bytes', seconds: (performance.now() - begun) / 1000 };
  });
  const counted = function* (): Generator<string> {
    for (const piece of pieces) {
      done += piece.length;
      progress.tick();
      yield piece;
    }
  };
  try {
    await pipeline(Readable.from(counted()), createWriteStream(file, { mode: 0o600 }));
  } finally {
    progress.end();
  }
  output.result({ file: resolve(file), rings: rings.map(({ path }) => path) }, () => [
    format === 'chrome'
      ? `${file}: open it in chrome://tracing or ui.perfetto.dev`
      : `${file}: npm run sim -- --script ${file}`,
  ]);
}

async function ringsOf(
  given: Arguments,
  operands: readonly string[],
): Promise<readonly NamedRing[]> {
  const options: SourceOptions = {
    dataDir: resolve(given.text('data') ?? 'weft-data'),
    lives: given.count('lives', { min: 1, max: 1000 }) ?? 1,
  };
  const paths = await findRings(operands, options);
  return Promise.all(paths.map((path) => readRing(path)));
}

/** In bounded memory: what nobody reads yet is not made yet. */
async function print(
  output: Output,
  rings: readonly NamedRing[],
  events: Iterable<TimelineEvent>,
): Promise<void> {
  const infos = rings.map(({ ring }) => ring.info);
  const width = Math.max(...infos.map((info) => processName(info).length));
  for (const event of events) {
    const info = infos[event.ring];
    if (info === undefined) continue;
    if (output.json) output.object(eventJson(event, infos));
    else output.lines([eventLine(event, info, width, output.paint)]);
    await output.flushed();
  }
}

function headline({ path, ring }: NamedRing): string {
  const { info, first, last, missing } = ring;
  const started = new Date(info.anchor.wallMs).toISOString();
  const torn = missing > 0 ? `, ${missing} missing` : '';
  const records = counted(last - first + 1 - missing, 'record');
  return `${processName(info)} (pid ${info.pid}), since ${started}: ${records}, ${first} to ${last}${torn}; ${path}`;
}
