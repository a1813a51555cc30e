/**
 * Something that has happened in a cluster, as its mgr keeps it: one line of JSON, for
 * `weft events`, the dashboard, and programs. Pure.
 */
import { FsError } from './errno.ts';
import { limits } from './limits.ts';
import type { Timestamp } from './units.ts';

/** Grows when a field changes its meaning or goes away. */
export const eventSchema = 1;

/** Where they are kept, within the data directory of the mgr. */
export const eventsDirectory = 'events';

/** What may be said of each kind of subject. */
export const eventWords = {
  /** Its own states; `started` tells why. */
  mgr: ['started', 'recovering', 'active', 'stopped'],
  /** An iod's states as a member. */
  iod: ['absent', 'syncing', 'serving', 'draining', 'evicted'],
  /** `lost`: its lease has ended. `ended`: nothing of it is left, and no iod accepts it any more. */
  session: ['began', 'away', 'back', 'lost', 'ended'],
  recovery: ['began', 'recovered', 'provisional', 'interrupted'],
  /** A code of the health catalogue was found, and is found no more. */
  health: ['raised', 'cleared'],
} as const;
export type EventKind = keyof typeof eventWords;

export interface ClusterEvent {
  /** Of all events of the cluster: grows, also from one start of the mgr to the next. */
  readonly number: number;
  /** By the clock on the wall of the mgr. */
  readonly at: Timestamp;
  /** Generation and number, as in `3.12`. */
  readonly epoch: string;
  readonly kind: EventKind;
  /** `mgr`, the name of an iod, `session 12`, or what a health code is about. */
  readonly subject: string;
  readonly what: (typeof eventWords)[EventKind][number];
  /** The particulars, for people. Of `health` the code comes first. */
  readonly detail: string;
}

/** At most `limits.eventBytesMax` bytes: the particulars are cut. */
export function encodeEvent(event: ClusterEvent): string {
  const subject = event.subject.slice(0, limits.eventTextMax);
  const detail = event.detail.slice(0, limits.eventTextMax);
  return JSON.stringify({ schema: eventSchema, ...event, subject, detail });
}

/** @throws FsError EINVAL for what is no event, or one of a later schema */
export function decodeEvent(text: string): ClusterEvent {
  const value = parsed(text);
  const { schema, number, at, epoch, kind, subject, what, detail } = value;
  if (schema !== eventSchema) throw damaged(`it has schema ${String(schema)}, not ${eventSchema}`);
  const isSound =
    Number.isSafeInteger(number) &&
    [epoch, subject, detail].every((one) => typeof one === 'string') &&
    isTimestamp(at) &&
    Object.entries(eventWords).some(([one, words]) => {
      return one === kind && words.some((word) => word === what);
    });
  if (!isSound) throw damaged('it has no valid fields');
  const sound = { number, at, epoch, kind, subject, what, detail };
  return sound as unknown as ClusterEvent;
}

function isTimestamp(value: unknown): boolean {
  const { seconds, nanoseconds } = (value ?? {}) as Partial<Timestamp>;
  return Number.isSafeInteger(seconds) && Number.isSafeInteger(nanoseconds);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged('it is no JSON', error);
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw damaged('it is no object');
}

function damaged(why: string, cause?: unknown): FsError {
  return new FsError('EINVAL', { what: `this is no event of a cluster: ${why}`, cause });
}
