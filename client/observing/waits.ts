/** What waits in the processes of a cluster, asked of all of them at once through the mgr. */
import { toFsError } from '../../shared/errno.ts';
import type { Handle, SessionId } from '../../shared/units.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import type { RequestOf } from '../../shared/wire/op.ts';
import type { Wait, WaitPage } from '../../shared/wire/values.ts';
import type { ClusterStatus, FileSystem } from '../file-system.ts';
import { humanDuration } from '../../shared/figures.ts';
import { silenceMs } from '../../shared/health-findings.ts';
import { type Asking, pathOf, type SessionRecord } from './presence.ts';
import { progressText } from './recovery-words.ts';
import { chainsOf, type Step, type Teller } from './wait-chains.ts';

type Place = Omit<RequestOf<typeof clusterOps.waits>, 'handle'>;

/** A process that does not answer in this time is told as one that does not. */
const patienceMs = 700;
/** Of more clients only these are asked: first those that others have told of. */
const clientsAskedMax = 64;

/** Files whose names are looked up. */
const namesMax = 32;

export interface Waits {
  /** Every chain from its beginning, the one that has lasted longest first. */
  readonly chains: readonly (readonly Step[])[];
  /** Processes that did not answer, and why. */
  readonly untold: readonly { readonly process: string; readonly why: string }[];
}

/** @throws FsError of the mgr; EACCES without the key of the cluster */
export async function whyWaiting(
  session: FileSystem['session'],
  status: ClusterStatus,
  target: { readonly request: string | undefined; readonly handle: Handle | undefined },
): Promise<Waits> {
  const tellers = await askForWaits(session, status, target.handle);
  const names = await namesOf(tellers, {
    session,
    deadline: session.runtime.clock.now() + patienceMs,
  });
  const chains = chainsOf(tellers, {
    request: target.request,
    fileName: (handle) => names.get(handle) ?? `file ${handle}`,
    iodName: (index) => status.members.find((one) => one.index === index)?.name,
    stateOf: (key) => stateOf(key, status),
  });
  const untold = tellers.flatMap(({ key, told }) =>
    typeof told === 'string' ? [{ process: key, why: told }] : [],
  );
  return { chains, untold };
}

/**
 * The mgr first, which knows who else waits; then all others at once.
 * @param handle only what is about this file
 * @throws FsError of the mgr
 */
async function askForWaits(
  session: FileSystem['session'],
  { members }: Pick<ClusterStatus, 'members'>,
  handle: Handle | undefined,
): Promise<readonly Teller[]> {
  const own = session.session.id;
  const ask = (place: Place): Promise<WaitPage> => {
    const deadline = session.runtime.clock.now() + patienceMs;
    return session.call(clusterOps.waits, { ...place, handle }, { deadline });
  };
  const tell = async (key: string, title: string, place: Place): Promise<Teller> => {
    try {
      return { key, title, told: without(await ask(place), own) };
    } catch (error) {
      const { what, message } = toFsError(error);
      return { key, title, told: what ?? message };
    }
  };
  const mgr: Teller = {
    key: 'mgr',
    title: 'mgr',
    told: without(await ask({ in: 'mgr', number: 0 }), own),
  };
  const known = await firstSessions(session, handle);
  const tellClients = (titles: ReadonlyMap<SessionId, string>): Promise<Teller[]> =>
    Promise.all(
      [...titles]
        .filter(([number]) => number !== own)
        .slice(0, clientsAskedMax)
        .map(([number, title]) => tell(`session ${number}`, title, { in: 'client', number })),
    );
  const titles = new Map([...namedIn([mgr]), ...known.map(titled)]);
  const [iods, clients] = await Promise.all([
    Promise.all(members.map(({ index, name }) => tell(name, name, { in: 'iod', number: index }))),
    tellClients(titles),
  ]);
  const others = new Map(namedIn(iods).filter(([number]) => !titles.has(number)));
  return [mgr, ...iods, ...clients, ...(await tellClients(others))];
}

/** Those that have the file open, or any: more than a page is more than are asked. */
async function firstSessions(
  session: FileSystem['session'],
  handle: Handle | undefined,
): Promise<readonly SessionRecord[]> {
  const options = { deadline: session.runtime.clock.now() + patienceMs };
  const after = 0 as SessionId;
  if (handle === undefined) {
    return (await session.call(clusterOps.sessions, { after }, options)).sessions;
  }
  const { holders } = await session.call(clusterOps.holders, { handle, after }, options);
  return holders.map(({ by }) => by);
}

/** The clients that have asked for what waits. */
function namedIn(tellers: readonly Teller[]): readonly (readonly [SessionId, string])[] {
  return tellers.flatMap(({ told }) =>
    (typeof told === 'string' ? [] : told.waits).flatMap(({ kind, peer, session }) =>
      kind === 'request' && session !== undefined
        ? [[session, `${peer.replace(/^client /, '')} (session ${session})`] as const]
        : [],
    ),
  );
}

/** What this command itself asks for is left out. */
function without({ waits, total }: WaitPage, own: SessionId): WaitPage {
  const others = waits.filter(({ session }: Wait) => session !== own);
  return { waits: others, total: total - (waits.length - others.length) };
}

function titled({ session, name, host }: SessionRecord): readonly [SessionId, string] {
  const where = host ?? 'away';
  return [session, `${name} (session ${session}, ${where})`];
}

/** What the mgr knows of a process that is not well. */
function stateOf(key: string, { state, recovery, members, absences }: ClusterStatus) {
  if (key === 'mgr')
    return recovery && `${state.toLowerCase()}: ${progressText(recovery, 'session')}`;
  const member = members.find(({ name }) => name === key);
  if (member === undefined) return undefined;
  if (member.state === 'serving' && member.silentMs < silenceMs) return undefined;
  const { leftMs } = absences.find(({ index }) => index === member.index) ?? {};
  const lease = leftMs === undefined ? '' : `, its lease ends in ${humanDuration(leftMs / 1000)}`;
  return `${member.state}, silent for ${humanDuration(member.silentMs / 1000)}${lease}`;
}

async function namesOf(
  tellers: readonly Teller[],
  asking: Asking,
): Promise<ReadonlyMap<Handle, string>> {
  const handles = new Set(
    tellers.flatMap(({ told }) =>
      typeof told === 'string' ? [] : told.waits.flatMap((wait) => wait.handles),
    ),
  );
  const names = new Map<Handle, string>();
  await Promise.all(
    [...handles].slice(0, namesMax).map(async (handle) => {
      const path = await pathOf(asking, handle);
      if (path !== undefined) names.set(handle, path);
    }),
  );
  return names;
}
