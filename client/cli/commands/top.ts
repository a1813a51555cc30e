/** `weft top`: what every daemon does now, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { FileSystem } from '../../file-system.ts';
import { alignRows } from '../columns.ts';
import type { Paint } from '../colors.ts';
import type { Context, Run } from '../command.ts';
import { metricsAt } from '../daemon-metrics.ts';
import { clusterAt } from '../direct-connection.ts';
import { shortFailure } from '../failure.ts';
import { displayBytes, humanRate, percent } from '../../../shared/figures.ts';
import { printable } from '../../observing/shown-text.ts';
import { lookAtLoads, type NamedShares, namedShares, shareLines } from '../top/named-shares.ts';
import { type Load, loadBetween, type Look } from '../top/load.ts';
import { parseSamples } from '../top/samples.ts';

const secondsBetween = 2;
/** Before the first answer, which whoever looks for trouble shall have within 2 s. */
const firstSeconds = 0.5;
/** A daemon that does not answer in this time is told as one that does not: so that it is so soon. */
const hurriedMs = 700;
/** Of somebody who names an interval. */
const patientMs = 2_000;
const heads = [
  'daemon',
  'state',
  'calls/s',
  'mean',
  'running',
  'read',
  'written',
  'cpu',
  'memory',
  'peers',
];
const sides = heads.map((_, i) => (i < 2 ? 'left' : 'right'));
/** From the top of the screen, of which nothing is left. */
const clear = '\u001b[H\u001b[J';

const noShares: NamedShares = { clients: [], files: [] };

interface Line {
  readonly name: string;
  readonly load: Load | null;
  /** Why there is no load. */
  readonly failure: string | null;
}

export const run: Run = async (given, context) => {
  const { output, fileSystem } = context;
  const wish = given.count('interval', { min: 1, max: 3600 });
  const rounds = given.count('count', { min: 1, max: 1_000_000 }) ?? Infinity;
  const fs = await fileSystem();
  const patienceMs = wish === undefined ? hurriedMs : patientMs;
  const look = () =>
    Promise.all([lookAround(fs, context, patienceMs), lookAtLoads(fs, patienceMs)]);
  let last = look();
  for (let round = 0; round < rounds; round++) {
    const seconds = wish ?? (round === 0 ? firstSeconds : secondsBetween);
    // A daemon that hangs is waited for while the time runs anyway.
    const [[before, loadsBefore]] = await Promise.all([last, sleep(seconds * 1000)]);
    last = look();
    const [now, loads] = await last;
    const daemons = [...now].map(([name, found]) => lineOf(name, before.get(name), found));
    const shares = loadsBefore && loads ? await namedShares(fs, loadsBefore, loads) : noShares;
    output.result({ seconds, daemons, ...shares }, () => [
      ...(output.isTerminal && rounds === Infinity ? [`${clear}${new Date().toISOString()}`] : []),
      ...alignRows([heads, ...daemons.flatMap((line) => rowsOf(line, output.paint))], sides),
      ...daemons.flatMap(({ name, failure }) =>
        failure === null ? [] : [`${printable(name)}: ${output.paint('red', printable(failure))}`],
      ),
      ...shareLines(shares),
      ...(output.isTerminal ? [] : ['']),
    ]);
  }
};

/** Of each daemon its metrics, or why it does not tell them. */
async function lookAround(
  fs: FileSystem,
  { url }: Context,
  patienceMs: number,
): Promise<Map<string, Look | string>> {
  const daemons = [{ name: 'mgr', ...clusterAt(url) }, ...(await fs.members())];
  const looks = daemons.map(
    async ({ name, ...at }) => [name, await lookAt(at, patienceMs)] as const,
  );
  return new Map(await Promise.all(looks));
}

async function lookAt(
  at: Parameters<typeof metricsAt>[0],
  patienceMs: number,
): Promise<Look | string> {
  try {
    return { samples: parseSamples(await metricsAt(at, patienceMs)), atMs: performance.now() };
  } catch (error) {
    return shortFailure(error);
  }
}

function lineOf(name: string, before: Look | string | undefined, now: Look | string): Line {
  if (typeof now === 'string') return { name, load: null, failure: now };
  if (before === undefined || typeof before === 'string') {
    return { name, load: null, failure: 'it has just come' };
  }
  return { name, load: loadBetween(before, now), failure: null };
}

function rowsOf({ name, load }: Line, paint: Paint): string[][] {
  if (load === null) return [];
  const { state, meanMs, running, residentBytes, connections } = load;
  const cells = [
    printable(name),
    paint(state === 'SERVING' || state === 'ACTIVE' ? 'green' : 'yellow', state.toLowerCase()),
    load.requestsPerSecond.toFixed(0),
    meanMs === null ? '-' : `${meanMs.toFixed(2)} ms`,
    String(running),
    humanRate(load.readBytesPerSecond, 1),
    humanRate(load.writtenBytesPerSecond, 1),
    percent(load.processorShare, 1),
    displayBytes(residentBytes),
    String(connections),
  ];
  return [cells];
}
