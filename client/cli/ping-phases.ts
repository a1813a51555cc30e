/** Every pair of daemons and us, tried step by step, so that a failure has a name. */
import { hide } from '../../shared/auth.ts';
import { FsError, toFsError } from '../../shared/errno.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import type { Endpoint } from '../../shared/runtime/runtime.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import { clusterOps, sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { Member } from '../../shared/wire/values.ts';
import { type Asker, connectTo, prove, soon } from './direct-connection.ts';

export type PhaseName = 'resolve' | 'connect' | 'handshake' | 'session' | 'round trip';

export interface Phase {
  readonly name: PhaseName;
  readonly microseconds: number;
}

/** One direction between two programs. */
export interface LinkReport {
  readonly from: string;
  readonly to: string;
  /** Those that went well, in order. */
  readonly phases: readonly Phase[];
  /** The one that did not. */
  readonly failed: PhaseName | undefined;
  readonly failure: FsError | undefined;
}

/** Steps of one link, timed; the first that fails is the last. */
class Steps {
  readonly #asker: Asker;
  readonly #phases: Phase[] = [];
  #running: PhaseName | undefined;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  async step<T>(name: PhaseName, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#asker.runtime;
    this.#running = name;
    const begun = clock.now();
    const result = await work();
    this.#phases.push({ name, microseconds: Math.round((clock.now() - begun) * 1000) });
    this.#running = undefined;
    return result;
  }

  report(to: string, error?: unknown): LinkReport {
    const failure = error === undefined ? undefined : toFsError(error);
    return { from: 'here', to, phases: this.#phases, failed: this.#running, failure };
  }
}

export interface ClusterAddress {
  readonly host: string;
  readonly port: number;
  readonly credential: Credential;
  /** Whom to act for. */
  readonly uid: number;
  readonly gid: number;
}

/** From here to the mgr, from here to every iod, and from the mgr to every iod. */
export async function pingAll(asker: Asker, at: ClusterAddress): Promise<readonly LinkReport[]> {
  const steps = new Steps(asker);
  let connection: Connection | undefined;
  try {
    await steps.step('resolve', () => asker.runtime.net.resolve(at.host));
    const endpoint: Endpoint = { kind: 'tcp', host: at.host, port: at.port };
    const mgr = await steps.step('connect', () => connectTo(asker, endpoint));
    connection = mgr;
    await steps.step('handshake', () => prove(mgr, asker, at.credential, 'mgr'));
    const session = await steps.step('session', () => openSession(mgr, asker, at));
    await steps.step('round trip', () => roundTrip(mgr, asker));
    const [fromHere, fromMgr] = await Promise.all([
      Promise.all(session.members.map((member) => pingIod(asker, member, session.credential))),
      pingFromMgr(mgr, asker, session.members),
    ]);
    await mgr.call(sessionOps.closeSession, {}, { deadline: soon(asker) });
    return [steps.report('mgr'), ...fromHere, ...fromMgr];
  } catch (error: unknown) {
    return [steps.report('mgr', error)];
  } finally {
    connection?.close(new FsError('ECANCELED'));
  }
}

/** A session of our own: its key is what iods ask for. */
async function openSession(
  connection: Connection,
  asker: Asker,
  { uid, gid }: ClusterAddress,
): Promise<{ readonly members: readonly Member[]; readonly credential: Credential }> {
  const claim = { name: asker.name, uid, gid, groups: [] };
  const reply = await connection.call(sessionOps.openSession, claim, { deadline: soon(asker) });
  const { binding } = connection;
  if (binding === undefined) throw new FsError('EPROTO', { what: 'a session without a proof' });
  const key = hide(binding.key, binding.transcript, reply.hiddenKey);
  const credential = { kind: 'session', name: String(reply.session), key } as const;
  return { members: reply.members, credential };
}

async function pingIod(asker: Asker, member: Member, credential: Credential): Promise<LinkReport> {
  const { name, host, port } = member;
  const steps = new Steps(asker);
  let connection: Connection | undefined;
  try {
    await steps.step('resolve', () => asker.runtime.net.resolve(host));
    const iod = await steps.step('connect', () => {
      if (port !== 0) return connectTo(asker, { kind: 'tcp', host, port });
      throw new FsError('ECONNREFUSED', { id: 'WEFT_E_IOD_DOWN', what: `${name} never started` });
    });
    connection = iod;
    await steps.step('handshake', () => prove(iod, asker, credential, 'iod'));
    await steps.step('round trip', () => roundTrip(iod, asker));
    return steps.report(name);
  } catch (error: unknown) {
    return steps.report(name, error);
  } finally {
    connection?.close(new FsError('ECANCELED'));
  }
}

async function roundTrip(connection: Connection, asker: Asker): Promise<void> {
  await connection.call(linkOps.ping, {}, { deadline: soon(asker) });
}

async function pingFromMgr(
  connection: Connection,
  asker: Asker,
  members: readonly Member[],
): Promise<readonly LinkReport[]> {
  const { results } = await connection.call(clusterOps.pingIods, {}, { deadline: soon(asker) });
  return results.map(({ index, microseconds, failure }) => {
    const to = members.find((member) => member.index === index)?.name ?? `iod ${index}`;
    const name = 'round trip';
    if (failure === '') {
      return {
        from: 'mgr',
        to,
        phases: [{ name, microseconds }],
        failed: undefined,
        failure: undefined,
      };
    }
    const error = new FsError('EPIPE', { id: 'WEFT_E_IOD_DOWN', what: failure });
    return { from: 'mgr', to, phases: [], failed: name, failure: error };
  });
}
