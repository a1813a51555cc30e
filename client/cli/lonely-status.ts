/**
 * What can be told of a cluster whose mgr does not answer: of one that `weft up` has started on
 * this host, which processes run, and what those iods say that serve without the mgr.
 */
import { type ClusterUrl, parseClusterUrl } from '../../shared/cluster-url.ts';
import { toFsError } from '../../shared/errno.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { dataOps } from '../../shared/wire/iod-ops.ts';
import type { RecoveryState } from '../../shared/wire/values.ts';
import { askOnce } from './direct-connection.ts';
import { type ClusterState, type DaemonRecord, readState } from './local-cluster/cluster-state.ts';
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
const patienceMs = 400;

/** @returns nothing when the directory is not that of the cluster */
export async function lonelyIods(
  runtime: Runtime,
  where: { readonly at: ClusterUrl; readonly dataDir: string; readonly credential: Credential },
): Promise<readonly LonelyIod[]> {
  const state = await stateOfCluster(runtime, where.dataDir, where.at);
  if (state === undefined) return [];
  return Promise.all(
    state.daemons
      .filter(({ role }) => role === 'iod')
      .map((daemon) => lonelyIod(runtime, daemon, where.credential)),
  );
}

/** @returns `undefined` when the directory is not that of the cluster, or cannot be read */
export async function stateOfCluster(
  { disk }: Pick<Runtime, 'disk'>,
  dataDir: string,
  at: ClusterUrl,
): Promise<ClusterState | undefined> {
  const state = await readState(disk, dataDir).catch(() => undefined);
  return state !== undefined && isSameMgr(parseClusterUrl(state.url), at) ? state : undefined;
}

function isSameMgr(one: ClusterUrl, other: ClusterUrl): boolean {
  return one.host === other.host && one.port === other.port;
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
    const asker = { runtime, name: 'weft status', stepMs: patienceMs };
    const iod = { role: 'iod', ...parseClusterUrl(daemon.url) } as const;
    const { state, recovery } = await askOnce(asker, iod, credential, dataOps.iodStatus);
    return { name, state, pid, recovery: recovery ?? null };
  } catch (error) {
    // Its port is closed in every phase before it serves.
    const state = toFsError(error).code === 'ECONNREFUSED' ? 'SYNCING' : 'SILENT';
    return { name, state, pid, recovery: null };
  }
}
