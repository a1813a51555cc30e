/** Every pair of daemons and us, tried step by step, so that a failure has a name. */
import { hide } from '../../shared/auth.ts';
import { FsError, toFsError } from '../../shared/errno.ts';
import type { Connection } from '../../shared/rpc/connection.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import { limits } from '../../shared/limits.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { Endpoint } from '../../shared/runtime/runtime.ts';
import type { Timestamp } from '../../shared/units.ts';
import { linkOps } from '../../shared/wire/link-ops.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { sessionOps } from '../../shared/wire/mgr-ops.ts';
import type { Member } from '../../shared/wire/values.ts';
import { credentialOf } from '../connect.ts';
import type { Context } from './command.ts';
import { type Asker, clusterAt, connectTo, prove, soon } from './direct-connection.ts';

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
  /** By how much its clock is ahead of ours, and how far that may be wrong. */
  readonly clock?: { readonly aheadMs: number; readonly doubtMs: number } | undefined;
}

/** Steps of one link, timed; the first that fails is the last. */
class Steps {
  readonly #asker: Asker;
  readonly #phases: Phase[] = [];
  #running: PhaseName | undefined;
  #clock: LinkReport['clock'];

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

  /** A ping, and what its answer tells of the clock at the other end. */
  async roundTrip(connection: Connection): Promise<void> {
    const { clock } = this.#asker.runtime;
    const sentAt = millisecondsOf(clock.wall());
    const { wall } = await this.step('round trip', () =>
      connection.call(linkOps.ping, {}, { deadline: soon(this.#asker) }),
    );
    const gotAt = millisecondsOf(clock.wall());
    const doubtMs = (gotAt - sentAt) / 2;
    this.#clock = { aheadMs: millisecondsOf(wall) - (sentAt + doubtMs), doubtMs };
  }

  report(to: string, error?: unknown): LinkReport {
    const failure = error === undefined ? undefined : toFsError(error);
    return {
      from: 'here',
      to,
      phases: this.#phases,
      failed: this.#running,
      failure,
      clock: this.#clock,
    };
  }
}

interface ClusterAddress {
  readonly host: string;
  readonly port: number;
  readonly credential: Credential;
  /** Whom to act for. */
  readonly uid: number;
  readonly gid: number;
}

/** As below, as whoever runs this program. @throws FsError for a URL or a key that is wrong */
export async function pingCluster(
  { url, connectOptions }: Pick<Context, 'url' | 'connectOptions'>,
  name: string,
): Promise<readonly LinkReport[]> {
  const { host, port, keyFile } = clusterAt(url);
  const runtime = makeNodeRuntime({ log: 'silent' });
  const credential = await credentialOf(runtime, connectOptions, keyFile);
  const stepMs = connectOptions.callDeadlineMs ?? limits.connectTimeoutMs;
  const asker = { runtime, name: connectOptions.name ?? name, stepMs };
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return pingAll(asker, { host, port, credential, uid, gid });
}

/** From here to the mgr, from here to every iod, and from the mgr to every iod. */
async function pingAll(asker: Asker, at: ClusterAddress): Promise<readonly LinkReport[]> {
  const steps = new Steps(asker);
  let connection: Connection | undefined;
  try {
    await steps.step('resolve', () => asker.runtime.net.resolve(at.host));
    const endpoint: Endpoint = { kind: 'tcp', host: at.host, port: at.port };
    const mgr = await steps.step('connect', () => connectTo(asker, endpoint));
    connection = mgr;
    await steps.step('handshake', () => prove(mgr, asker, at.credential, 'mgr'));
    const session = await steps.step('session', () => openSession(mgr, asker, at));
    await steps.roundTrip(mgr);
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
    await steps.roundTrip(iod);
    return steps.report(name);
  } catch (error: unknown) {
    return steps.report(name, error);
  } finally {
    connection?.close(new FsError('ECANCELED'));
  }
}

function millisecondsOf({ seconds, nanoseconds }: Timestamp): number {
  return seconds * 1000 + nanoseconds / 1e6;
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
