/** Who is there, and who has what open: pages for the operator, as they are now. */
import { limits } from '../../shared/limits.ts';
import type { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { ReplyOf, RequestOf } from '../../shared/wire/op.ts';
import type { OpenTable } from '../open-table.ts';
import type { Session, Sessions } from '../sessions.ts';

/** What the pages are made of. */
export interface Presence {
  readonly sessions: Sessions;
  readonly openTable: OpenTable;
}

type Ops = typeof clusterOps;
type SessionRecord = ReplyOf<Ops['sessions']>['sessions'][number];

export function listSessions(
  presence: Presence,
  { after }: RequestOf<Ops['sessions']>,
): ReplyOf<Ops['sessions']> {
  const { taken, done } = take(presence.sessions.from(after), limits.sessionsPerPage);
  return { sessions: taken.map((session) => recordOf(presence, session)), done };
}

export function listOpenFiles(
  { openTable }: Presence,
  { after }: RequestOf<Ops['openFiles']>,
): ReplyOf<Ops['openFiles']> {
  const { taken, done } = take(openTable.filesFrom(after + 1), limits.openFilesPerPage);
  const files = taken.map((handle) => ({
    handle,
    holders: openTable.holdersOf(handle),
    writers: openTable.writersOf(handle),
  }));
  return { files, done };
}

export function listHolders(
  presence: Presence,
  { handle, after }: RequestOf<Ops['holders']>,
): ReplyOf<Ops['holders']> {
  const { sessions, openTable } = presence;
  const { taken, done } = take(openTable.opensOf(handle, after), limits.sessionsPerPage);
  const holders = taken.flatMap(({ session, readers, writers }) => {
    const holder = sessions.find(session);
    return holder ? [{ by: recordOf(presence, holder), readers, writers }] : [];
  });
  return { holders, done };
}

export function listOpenTimes(
  openTable: OpenTable,
  { handle, after }: RequestOf<Ops['openTimes']>,
): ReplyOf<Ops['openTimes']> {
  const { taken, done } = take(openTable.opensOf(handle, after), limits.sessionsPerPage);
  return { opens: taken.map(({ session, since }) => ({ session, since })), done };
}

function recordOf({ sessions, openTable }: Presence, session: Session): SessionRecord {
  const { session: number, name, uid, gid, connection } = session;
  return {
    session: number,
    name,
    uid,
    gid,
    host: connection?.peerHost,
    leftMs: sessions.leftMs(session),
    opens: openTable.countOf(number),
  };
}

/** The first of them, and whether that is all. */
function take<T>(all: Iterable<T>, max: number): { readonly taken: T[]; readonly done: boolean } {
  const taken: T[] = [];
  for (const one of all) {
    if (taken.length === max) return { taken, done: false };
    taken.push(one);
  }
  return { taken, done: true };
}
