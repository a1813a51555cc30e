/** What has happened in a cluster, as its mgr has kept it. */
import { type ClusterEvent, decodeEvent } from '../../shared/cluster-event.ts';
import { type HealthCode, healthCatalogue } from '../../shared/health-catalogue.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { Asking } from './presence.ts';

export interface EventPage {
  /** In order; without those of the session that asks. */
  readonly events: readonly ClusterEvent[];
  /** Behind them the next page begins. */
  readonly next: number;
  /** Nothing has happened since. */
  readonly done: boolean;
}

/**
 * Those with numbers above `after`, a page of them.
 * @throws FsError of the mgr; EACCES without the key of the cluster
 */
export async function eventsAfter(
  { session, deadline }: Asking,
  after: number,
): Promise<EventPage> {
  const reply = await session.call(clusterOps.events, { after }, { deadline });
  const page = reply.events.map(decodeEvent);
  const own = `session ${session.session.id}`;
  return {
    events: page.filter(({ subject }) => subject !== own),
    next: page.at(-1)?.number ?? Math.min(after, reply.last),
    done: reply.done,
  };
}

/** Milliseconds since 1970. */
export function timeOf({ at: { seconds, nanoseconds } }: ClusterEvent): number {
  return seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

/** `note`: on the way from one state to another. */
export type Grade = 'good' | 'note' | 'warning' | 'bad';

const bad: readonly ClusterEvent['what'][] = ['absent', 'evicted', 'lost'];
const notes: readonly ClusterEvent['what'][] = [
  'started',
  'recovering',
  'stopped',
  'syncing',
  'draining',
  'began',
];
const good: readonly ClusterEvent['what'][] = [
  'active',
  'serving',
  'back',
  'ended',
  'recovered',
  'cleared',
];

/** How much it matters. */
export function gradeOf({ kind, what, detail }: ClusterEvent): Grade {
  if (what === 'raised') {
    const [code = ''] = detail.split(':', 1);
    const isError = healthCatalogue[code as HealthCode]?.severity === 'error';
    return isError ? 'bad' : 'warning';
  }
  if (bad.includes(what)) return 'bad';
  if (good.includes(what) || (kind === 'session' && what === 'began')) return 'good';
  return notes.includes(what) ? 'note' : 'warning';
}
