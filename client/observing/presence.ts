/** Who is connected to a cluster and what is open, as the mgr lists it page by page. */
import { toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { displayText, type Handle, type SessionId } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { FileSystem } from '../file-system.ts';
import { placeOf } from '../path.ts';
import type { JoinOptions } from '../join-cluster.ts';

export type SessionRecord = ReplyOf<typeof clusterOps.sessions>['sessions'][number];
export type OpenFileRecord = ReplyOf<typeof clusterOps.openFiles>['files'][number];
export type HolderRecord = ReplyOf<typeof clusterOps.holders>['holders'][number];

/** What it asks with: the session of a client that holds the cluster's key, and until when. */
export interface Asking {
  readonly session: FileSystem['session'];
  readonly deadline: number;
}

export function askingBy(
  { session }: Pick<FileSystem, 'session'>,
  { callDeadlineMs = limits.callDeadlineDefaultMs }: Pick<JoinOptions, 'callDeadlineMs'>,
): Asking {
  return { session, deadline: session.runtime.clock.now() + callDeadlineMs };
}

export function sessionsOf({ session, deadline }: Asking): Promise<readonly SessionRecord[]> {
  return allPages(0 as SessionId, async (after) => {
    const { sessions, done } = await session.call(clusterOps.sessions, { after }, { deadline });
    return { part: sessions, next: done ? undefined : sessions.at(-1)?.session };
  });
}

export function openFilesOf({ session, deadline }: Asking): Promise<readonly OpenFileRecord[]> {
  return allPages(0 as Handle, async (after) => {
    const { files, done } = await session.call(clusterOps.openFiles, { after }, { deadline });
    return { part: files, next: done ? undefined : files.at(-1)?.handle };
  });
}

export function holdersOf(asking: Asking, handle: Handle): Promise<readonly HolderRecord[]> {
  const { session, deadline } = asking;
  return allPages(0 as SessionId, async (after) => {
    const request = { handle, after };
    const { holders, done } = await session.call(clusterOps.holders, request, { deadline });
    return { part: holders, next: done ? undefined : holders.at(-1)?.by.session };
  });
}

/**
 * Since when each session has it open, in seconds since 1970.
 * @returns nothing from a mgr that does not tell it yet
 */
export async function openTimesOf(
  { session, deadline }: Asking,
  handle: Handle,
): Promise<ReadonlyMap<SessionId, number>> {
  try {
    const times = await allPages(0 as SessionId, async (after) => {
      const request = { handle, after };
      const { opens, done } = await session.call(clusterOps.openTimes, request, { deadline });
      return { part: opens, next: done ? undefined : opens.at(-1)?.session };
    });
    return new Map(times.map((one) => [one.session, one.since]));
  } catch (error) {
    if (toFsError(error).code === 'ENOSYS') return new Map();
    throw error;
  }
}

/**
 * Since when somebody has it open: the first of its opens that are held, in seconds since 1970.
 * @returns `undefined` when nobody knows, or it has been closed meanwhile
 */
export async function openSince(asking: Asking, handle: Handle): Promise<number | undefined> {
  const times = [...(await openTimesOf(asking, handle)).values()].filter((since) => since > 0);
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
}

/** @param ask for the page after a place; where the next one begins, unless it was the last */
async function allPages<T, P>(
  first: P,
  ask: (after: P) => Promise<{ readonly part: readonly T[]; readonly next: P | undefined }>,
): Promise<readonly T[]> {
  const all: T[] = [];
  for (let after: P | undefined = first; after !== undefined;) {
    const { part, next }: Awaited<ReturnType<typeof ask>> = await ask(after);
    all.push(...part);
    after = next;
  }
  return all;
}

/**
 * Which file a path leads to, without asking its iods how long it is: one may hang.
 * @throws FsError as `stat`
 */
export async function handleOf({ session, deadline }: Asking, path: string): Promise<Handle> {
  const request = { at: placeOf(path) };
  try {
    return (await session.call(clusterOps.handleOf, request, { deadline })).handle;
  } catch (error) {
    throw toFsError(error).during('stat', path);
  }
}

/** One path of an open file; `undefined` when it has been removed. */
export async function pathOf(
  { session, deadline }: Asking,
  handle: Handle,
): Promise<string | undefined> {
  try {
    return displayText((await session.call(clusterOps.pathOf, { handle }, { deadline })).path);
  } catch (error) {
    if (toFsError(error).code === 'ENOENT') return undefined;
    throw error;
  }
}
