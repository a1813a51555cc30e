/** What a daemon did between two looks at its counters, and for the last minutes. Pure. */

/** Counters of a daemon since its start. */
export interface Counters {
  readonly atMs: number;
  readonly answered: number;
  readonly answeredInMicroseconds: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

export interface Point {
  readonly atMs: number;
  readonly answersPerSecond: number;
  /** `undefined`: nothing was asked. */
  readonly meanMs: number | undefined;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
}

/** Of one daemon. */
export interface Activity {
  readonly last: Counters;
  /** The oldest first, at most `pointsMax`. */
  readonly points: readonly Point[];
}

export const secondsBetweenPoints = 2;
/** Five minutes. */
export const pointsMax = 150;

export function withCounters(before: Activity | undefined, now: Counters): Activity {
  if (before === undefined) return { last: now, points: [] };
  const point = pointBetween(before.last, now);
  return { last: now, points: [...before.points, point].slice(-pointsMax) };
}

/** A daemon that has started anew counts from nothing. */
export function pointBetween(before: Counters, now: Counters): Point {
  const isNew = now.answered < before.answered;
  const grown = (key: Exclude<keyof Counters, 'atMs'>): number =>
    isNew ? now[key] : Math.max(0, now[key] - before[key]);
  const seconds = Math.max(1e-3, (now.atMs - before.atMs) / 1000);
  const answered = grown('answered');
  return {
    atMs: now.atMs,
    answersPerSecond: answered / seconds,
    meanMs: answered === 0 ? undefined : grown('answeredInMicroseconds') / answered / 1000,
    readBytesPerSecond: grown('readBytes') / seconds,
    writtenBytesPerSecond: grown('writtenBytes') / seconds,
  };
}

/** Of all daemons together, by the places of their points from the latest back. */
export function together(
  activities: readonly Activity[],
  value: (point: Point) => number,
): readonly number[] {
  const length = Math.max(0, ...activities.map(({ points }) => points.length));
  return Array.from({ length }, (_, i) =>
    activities.reduce((sum, { points }) => {
      const point = points[points.length - length + i];
      return point === undefined ? sum : sum + value(point);
    }, 0),
  );
}
