/** Recoveries in words: those that are over, and those that run. */
import type { RecoveryItem, RecoveryOutcome } from '../../shared/recovery-report.ts';
import type { Color, Paint } from './colors.ts';
import { alignRows } from './columns.ts';
import { counted } from '../../shared/figures.ts';
import { amount, duration, summary } from '../observing/recovery-words.ts';
import { beginOf, type ListedReport } from '../observing/recovery-reports.ts';
import { printable } from '../observing/shown-text.ts';

const colors: Readonly<Record<RecoveryOutcome, Color>> = {
  recovered: 'green',
  provisional: 'yellow',
  interrupted: 'red',
};

/** One line a recovery: when, which, why, how it ended, how long it took, and what it did. */
export function reportTable(reports: readonly ListedReport[], paint: Paint): readonly string[] {
  return alignRows(
    reports.map((report) => {
      const { id, cause, outcome, tookMs, phases, restarts } = report;
      const times = phases.map(({ name, tookMs: ms }) => `${name} ${duration(ms)}`).join(', ');
      const again = restarts.reduce((sum, { times }) => sum + times, 0);
      return [
        timeText(report),
        printable(id),
        cause,
        paint(colors[outcome], outcome),
        duration(tookMs),
        summary(report),
        `(${times}${again > 0 ? `; began again ${counted(again, 'time')}` : ''})`,
      ];
    }),
  );
}

/** All of one recovery. */
export function reportLines(report: ListedReport, paint: Paint): readonly string[] {
  const { id, cause, why, outcome, tookMs, phases, restarts } = report;
  const { restored, dropped, uncertain } = report;
  return [
    ...alignRows([
      ['recovery', printable(id)],
      ['when', timeText(report)],
      ['cause', `${cause}: ${printable(why)}`],
      ['outcome', `${paint(colors[outcome], outcome)} in ${duration(tookMs)}`],
    ]),
    'phases:',
    ...alignRows(
      phases.map(({ name, atMs, tookMs: ms, times }) => [
        `  ${name}`,
        `after ${duration(atMs)}`,
        `took ${duration(ms)}`,
        times > 1 ? `in ${times} parts` : '',
      ]),
    ),
    ...restarts.map(({ why, times }) => `began again ${counted(times, 'time')}: ${printable(why)}`),
    ...itemLines('restored', restored),
    ...itemLines('dropped', dropped),
    ...itemLines('uncertain', uncertain),
  ];
}

function itemLines(title: string, items: readonly RecoveryItem[]): readonly string[] {
  return items.map((item) => {
    const others = (item.count ?? 0) - item.for.length;
    const more = others > 0 && item.for.length > 0 ? ' …' : '';
    const whose = item.for.length > 0 ? ` of ${item.for.map(printable).join(', ')}${more}` : '';
    return `${title}: ${amount(item)}${whose}`;
  });
}

function timeText(report: ListedReport): string {
  return new Date(beginOf(report)).toISOString();
}
