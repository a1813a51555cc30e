/** What has happened, for the page: what the mgr tells, and that it does not answer. Pure. */
import type { ClusterEvent } from '../../../shared/cluster-event.ts';
import { type Grade, gradeOf, timeOf } from '../../observing/events.ts';

export interface ShownEvent {
  /** Milliseconds since 1970, by the clock of the mgr; of its silence by that of the page. */
  readonly atMs: number;
  readonly grade: Grade;
  readonly text: string;
}

/** Of the latest so many are kept. */
export const eventsMax = 200;

/** @param shown the latest first */
export function withEvents(
  shown: readonly ShownEvent[],
  fresh: readonly ShownEvent[],
): readonly ShownEvent[] {
  return fresh.length === 0 ? shown : [...fresh.toReversed(), ...shown].slice(0, eventsMax);
}

export function shownEvent(event: ClusterEvent): ShownEvent {
  const { kind, subject, what, detail } = event;
  const isState = kind === 'mgr' || kind === 'iod';
  const about = isState ? `${subject} is` : kind === 'session' ? subject : `${kind} of ${subject}:`;
  const text = `${about} ${what}${detail === '' ? '' : `: ${detail}`}`;
  return { atMs: timeOf(event), grade: gradeOf(event), text };
}

/** @param silence why the mgr does not answer; `undefined` when it does */
export function silenceEvents(
  before: string | undefined,
  silence: string | undefined,
  atMs: number,
): readonly ShownEvent[] {
  if ((before === undefined) === (silence === undefined)) return [];
  if (silence === undefined) return [{ atMs, grade: 'good', text: 'the mgr answers' }];
  return [{ atMs, grade: 'bad', text: `the mgr does not answer: ${silence}` }];
}
