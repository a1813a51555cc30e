/** The busiest clients and files, by name. */
import { performance } from 'node:perf_hooks';
import { isFsError } from '../../../shared/errno.ts';
import { humanRate } from '../../../shared/figures.ts';
import type { IodIndex } from '../../../shared/units.ts';
import { clusterOps } from '../../../shared/wire/cluster-ops.ts';
import type { LoadPage } from '../../../shared/wire/values.ts';
import type { FileSystem } from '../../file-system.ts';
import { askingBy, pathOf, type SessionRecord, sessionsOf } from '../../observing/presence.ts';
import { printable } from '../../observing/shown-text.ts';
import { alignRows } from '../columns.ts';
import { type LoadLook, type Share, sharesBetween } from './shares.ts';

export interface NamedShares {
  readonly clients: readonly (Share & Pick<SessionRecord, 'session'> & Whereabouts)[];
  readonly files: readonly (Share & { readonly handle: number; readonly path: string | null })[];
}

interface Whereabouts {
  /** `null`: it has ended meanwhile. */
  readonly name: string | null;
  readonly host: string | null;
}

/** How many of each are shown. */
const shownMax = 10;

/** @param patienceMs what each daemon may take @returns nothing without the key of the cluster, or from a mgr that does not tell it yet */
export async function lookAtLoads(
  fs: FileSystem,
  patienceMs: number,
): Promise<LoadLook | undefined> {
  const { session } = fs;
  const own = session.session.id;
  const ask = async (iod: IodIndex | undefined): Promise<LoadPage> => {
    const deadline = session.runtime.clock.now() + patienceMs;
    const { clients, files } = await session.call(clusterOps.loads, { iod }, { deadline });
    return { clients: clients.filter((one) => one.session !== own), files };
  };
  const atMs = performance.now();
  const pages = new Map<string, LoadPage>();
  try {
    pages.set('mgr', await ask(undefined));
  } catch (error) {
    if (isFsError(error) && (error.code === 'EACCES' || error.code === 'ENOSYS')) return undefined;
    throw error;
  }
  await Promise.all(
    session.members.map(async ({ index, name }) => {
      try {
        pages.set(name, await ask(index));
      } catch (error) {
        // That it does not answer is told where its own load would be.
        if (!isFsError(error)) throw error;
      }
    }),
  );
  return { pages, atMs };
}

export async function namedShares(
  fs: FileSystem,
  before: LoadLook,
  now: LoadLook,
): Promise<NamedShares> {
  const { clients, files } = sharesBetween(before, now, shownMax);
  const asking = askingBy(fs, {});
  const sessions = new Map((await sessionsOf(asking)).map((one) => [one.session, one]));
  return {
    clients: clients.map(([session, share]) => {
      const { name = null, host = null } = sessions.get(session) ?? {};
      return { session, name, host, ...share };
    }),
    files: await Promise.all(
      files.map(async ([handle, share]) => {
        return { handle, path: (await pathOf(asking, handle)) ?? null, ...share };
      }),
    ),
  };
}

export function shareLines({ clients, files }: NamedShares): readonly string[] {
  return [
    ...table(
      ['client', 'calls/s', 'read', 'written'],
      clients.map(({ session, name, host, ...share }) => {
        const where = host === null ? '' : `, ${host}`;
        return [`${printable(name ?? 'ended')} (session ${session}${where})`, ...cells(share)];
      }),
    ),
    ...table(
      ['file', 'calls/s', 'read', 'written'],
      files.map(({ handle, path, ...share }) => [
        path === null ? `(removed, handle ${handle})` : printable(path),
        ...cells(share),
      ]),
    ),
  ];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  return ['', ...alignRows([heads, ...rows], ['left', 'right', 'right', 'right'])];
}

function cells({ requestsPerSecond, readBytesPerSecond, writtenBytesPerSecond }: Share): string[] {
  return [
    requestsPerSecond.toFixed(0),
    humanRate(readBytesPerSecond, 1),
    humanRate(writtenBytesPerSecond, 1),
  ];
}
