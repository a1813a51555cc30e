/**
 * What can be told of a cluster whose mgr does not answer: of one that `weft up` has started on
 * this host, which processes run, and what those iods say that serve without the mgr.
 */
import { parseClusterUrl } from '../../shared/cluster-url.ts';
import { FsError, toFsError } from '../../shared/errno.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { ReplyOf } from '../../shared/wire/op.ts';
import type { RecoveryState } from '../../shared/wire/values.ts';
import { connectTo, prove } from './direct-connection.ts';
import { type DaemonRecord, readState } from './local-cluster/cluster-state.ts';
import { findDaemon } from './local-cluster/daemon-process.ts';

export interface LonelyIod {
  readonly name: string;
  /**
   * What it says; or `SYNCING`: its port is closed until it has learned from a mgr; `SILENT`: it
   * does not answer; `STOPPED`: there is no process.
   */
  readonly state: string;
  readonly pid: number | null;
  readonly recovery: RecoveryState | null;
}

/** How long an iod may take to answer. */
const patienceMs = 500;

/** @returns nothing when the directory is not that of the cluster */
export async function lonelyIods(
  runtime: Runtime,
  where: { readonly url: string; readonly dataDir: string; readonly credential: Credential },
): Promise<readonly LonelyIod[]> {
  const state = await readState(runtime.disk, where.dataDir).catch(() => undefined);
  if (state === undefined || !isSameMgr(state.url, where.url)) return [];
  return Promise.all(
    state.daemons
      .filter(({ role }) => role === 'iod')
      .map((daemon) => lonelyIod(runtime, daemon, where.credential)),
  );
}

function isSameMgr(one: string, other: string): boolean {
  const [a, b] = [parseClusterUrl(one), parseClusterUrl(other)];
  return a.host === b.host && a.port === b.port;
}

async function lonelyIod(
  runtime: Runtime,
  daemon: DaemonRecord,
  credential: Credential,
): Promise<LonelyIod> {
  const { name } = daemon;
  const pid = (await findDaemon(daemon))?.pid;
  if (pid === undefined) return { name, state: 'STOPPED', pid: null, recovery: null };
  try {
    const { state, recovery } = await askIod(runtime, parseClusterUrl(daemon.url), credential);
    return { name, state, pid, recovery: recovery ?? null };
  } catch (error) {
    // Its port is closed in every phase before it serves.
    const state = toFsError(error).code === 'ECONNREFUSED' ? 'SYNCING' : 'SILENT';
    return { name, state, pid, recovery: null };
  }
}

/** @throws FsError of the connection; ETIMEDOUT when it takes too long */
async function askIod(
  runtime: Runtime,
  at: { readonly host: string; readonly port: number },
  credential: Credential,
): Promise<ReplyOf<typeof dataOps.iodStatus>> {
  const asker = { runtime, name: 'weft status', stepMs: patienceMs };
  const connection = await connectTo(asker, { kind: 'tcp', host: at.host, port: at.port });
  const late = runtime.clock.timer(patienceMs, () => {
    connection.close(new FsError('ETIMEDOUT', { what: 'it does not answer' }));
  });
  try {
    await prove(connection, asker, credential, 'iod');
    return await connection.call(dataOps.iodStatus, {}, { deadline: Infinity });
  } finally {
    late.cancel();
    connection.close(new FsError('ECANCELED', { what: 'nothing more is asked' }));
  }
}
