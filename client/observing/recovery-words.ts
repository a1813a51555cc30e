/** Recoveries in a few words: those that are over, and those that run. Pure. */
import type { RecoveryItem, RecoveryReport } from '../../shared/recovery-report.ts';
import type { RecoveryState } from '../../shared/wire/values.ts';
import { counted, humanDuration } from '../../shared/figures.ts';
import { printable } from './shown-text.ts';

/** What a recovery that runs is doing, who is missing, and how long it may still take. */
export function progressText(state: RecoveryState, unit: string): string {
  const { cause, phase, elapsedMs, done, total, missing, missingTotal, leftMs } = state;
  const others = missingTotal - missing.length;
  const names = missing.map(printable).join(', ');
  return [
    `${phase} for ${duration(elapsedMs)} (${cause})`,
    ...(total > 0 ? [`${done} of ${counted(total, unit)}`] : []),
    ...(missingTotal > 0 ? [`missing: ${names}${others > 0 ? ` and ${others} more` : ''}`] : []),
    ...(leftMs === undefined ? [] : [`at most ${duration(leftMs)} left`]),
  ].join(', ');
}

/** `+` came back, `-` was dropped, `?` nobody can know; `-` alone when nothing was. */
export function summary({ restored, dropped, uncertain }: RecoveryReport): string {
  const parts = [
    ...restored.filter(({ count }) => count !== 0).map((item) => `+${amount(item)}`),
    ...dropped.map((item) => `-${amount(item)}`),
    ...uncertain.map((item) => `?${amount(item)}`),
  ];
  return parts.length === 0 ? '-' : parts.join(' ');
}

/** `3 opens`, or what cannot be counted. */
export function amount({ what, count }: RecoveryItem): string {
  return count === null ? printable(what) : `${count} ${printable(what)}`;
}

/** @param ms milliseconds */
export function duration(ms: number): string {
  return humanDuration(ms / 1000);
}
