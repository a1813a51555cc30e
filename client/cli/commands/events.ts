/** `weft events`: what has happened in the cluster, and what happens, one line each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterEvent } from '../../../shared/cluster-event.ts';
import { isFsError } from '../../../shared/errno.ts';
import { isFinal } from '../../../shared/rpc/link.ts';
import { eventsAfter, type Grade, gradeOf, timeOf } from '../../observing/events.ts';
import { askingBy } from '../../observing/presence.ts';
import { printable } from '../../observing/shown-text.ts';
import { UsageError } from '../arguments.ts';
import type { Color } from '../colors.ts';
import type { Context, Run } from '../command.ts';
import { shortFailure } from '../failure.ts';
import { askOrRead, keptEvents } from '../kept-records.ts';

/** Whoever follows hears of an event so long after it at the latest. */
const pollMs = 500;
/** What stands before the new ones when only these are asked for. */
const shownBefore = 10;
/** Of a mgr that is away: then it is asked again. */
const patienceMs = 5_000;

const colors: Readonly<Record<Grade, Color>> = {
  good: 'green',
  note: 'cyan',
  warning: 'yellow',
  bad: 'red',
};

export const run: Run = async (given, context) => {
  const since = given.text('since');
  const sinceMs = since === undefined ? -Infinity : parseSince(since, Date.now());
  const follow = given.flag('follow');
  let after = 0;
  const ask = async (): Promise<readonly ClusterEvent[]> => {
    const fs = await context.fileSystem();
    const all: ClusterEvent[] = [];
    for (let done = false; !done;) {
      const page = await eventsAfter(askingBy(fs, context.connectOptions), after);
      all.push(...page.events);
      ({ next: after, done } = page);
    }
    return all;
  };
  const { found, isFromDisk } = await askOrRead(given, context, ask, keptEvents);
  const kept = found.filter((event) => timeOf(event) >= sinceMs);
  await tell(follow && since === undefined ? kept.slice(-shownBefore) : kept, context);
  if (isFromDisk) return 'failed';
  if (!follow) return undefined;
  const fs = await context.fileSystem();
  for (let lastFailure = ''; ;) {
    await sleep(pollMs);
    try {
      const asking = askingBy(fs, { callDeadlineMs: patienceMs });
      const page = await eventsAfter(asking, after);
      after = page.next;
      await tell(page.events, context);
      lastFailure = '';
    } catch (error) {
      // A mgr that starts anew goes on where the one before it has ended.
      if (!isFsError(error) || isFinal(error) || error.code === 'EACCES') throw error;
      const failure = shortFailure(error);
      if (failure !== lastFailure) context.output.remark(`weft: ${failure}`);
      lastFailure = failure;
    }
  }
};

async function tell(
  events: readonly ClusterEvent[],
  { output }: Pick<Context, 'output'>,
): Promise<void> {
  for (const event of events) {
    const { number, epoch, kind, subject, what, detail } = event;
    const at = new Date(timeOf(event)).toISOString();
    output.result({ number, at, epoch, kind, subject, what, detail }, () => {
      const painted = output.paint(colors[gradeOf(event)], what);
      const words = [kind.padEnd(8), printable(subject), painted, printable(detail)];
      return [at, ...words].join('  ').trimEnd();
    });
    await output.flushed();
  }
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * A time span before now, as `90s`, `10m`, `2h`, `3d`; or a date, as `2026-01-31T18:00`.
 * @returns milliseconds since 1970 @throws UsageError
 */
export function parseSince(text: string, nowMs: number): number {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = units[unit];
  if (amount !== undefined && seconds !== undefined) return nowMs - Number(amount) * seconds * 1000;
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(date)) return date;
  throw new UsageError(
    `--since takes a time, not '${text}'`,
    '--since 2h, or --since 2026-01-31T18:00',
  );
}
