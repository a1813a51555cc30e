/** A mgr as a value: for its program, for tests, and for a whole cluster in one process. */
import type { Key } from '../shared/auth.ts';
import type { StartCause } from '../shared/data-directory.ts';
import type { FsError } from '../shared/errno.ts';
import type { PageFiles } from '../shared/http-pages.ts';
import { checkIodtabHosts, type Iodtab } from '../shared/iodtab.ts';
import { requireSafeBind } from '../shared/loopback.ts';
import type { Expose } from '../shared/metrics/readings.ts';
import { beginNow } from '../shared/recovery.ts';
import type { Versions } from '../shared/rpc/handshake.ts';
import type { RecoveryLog } from '../shared/recovery-log.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { boot } from './boot.ts';
import type { EventLog } from './event-log.ts';
import type { ClusterNeeds, ClusterPort } from './cluster-port.ts';
import type { IdentityPolicy } from './identity-policy.ts';
import { MgrServer } from './mgr-server.ts';
import { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';

export interface MgrConfig {
  /** Identity of the cluster, made once with the data directory. */
  readonly cluster: string;
  /** Where it listens. Port 0: `portBefore` if it is free, else one that the system chooses. */
  readonly host: string;
  readonly port: number;
  /** Where it listened at its last start; 0 before the first. */
  readonly portBefore: number;
  /** The cluster's secret; `noSecret` for a cluster on loopback. */
  readonly secret: Key;
  /** Bytes that a file may have in the mgr's own store; by default it has none there. */
  readonly smallFileBytes?: number | undefined;
  /** Needed at the first start; later the stored members will do. */
  readonly iodtab: Iodtab | undefined;
  readonly policy: IdentityPolicy;
  /** Whose the root directory is when it is made. */
  readonly rootOwner: { readonly uid: number; readonly gid: number };
  /** Of a client that is away; the limit's own by default. */
  readonly sessionLeaseMs?: number | undefined;
  /** That the program speaks; `protocolVersions` by default. */
  readonly versions?: Versions | undefined;
  /** What was before this start; by default what the store can tell. */
  readonly cause?: StartCause | undefined;
  /** What only the program knows of its process. */
  readonly process: {
    readonly residentBytes: () => number;
    /** Writes `/metrics`; without it there is no such page. */
    readonly expose?: Expose;
    /** Reads the files of the dashboard. */
    readonly dashboard?: PageFiles;
  };
}

export interface MgrOptions {
  readonly runtime: Runtime;
  /** Closed by its owner, after `stop`. */
  readonly store: MetaStore;
  readonly config: MgrConfig;
  /** Where it reports its recoveries to; by default they are forgotten with the process. */
  readonly reports?: RecoveryLog | undefined;
  /** Where it tells what happens; by default that is forgotten with the process. */
  readonly events?: EventLog | undefined;
  /** It cannot go on, and has stopped: another mgr owns its store. */
  readonly onFatal: (error: FsError) => void;
  /** The iods' side; another one for tests. */
  readonly makeCluster?: (needs: ClusterNeeds) => ClusterPort;
}

export interface Mgr {
  /**
   * Resolves when it listens; sessions of before may still be coming back then.
   * @throws FsError WEFT_E_OPEN_BIND, WEFT_E_IODTAB, WEFT_E_IODTAB_CHANGED, WEFT_E_VERSION,
   *   WEFT_E_OTHER_CLUSTER, WEFT_E_PORT_TAKEN, those of the store; nothing runs then
   */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** What has changed is committed and answered, then all connections are closed. Idempotent. */
  stop(): Promise<void>;
}

export function makeMgr(options: MgrOptions): Mgr {
  let server: MgrServer | undefined;
  return {
    async start() {
      const { runtime, store, config } = options;
      const begin = beginNow(runtime.clock);
      requireSafeBind(config.host, config.secret);
      if (config.iodtab) await checkIodtabHosts(config.iodtab, (host) => runtime.net.resolve(host));
      const view = new MetaView(store);
      const generation = boot({ runtime, store, view, ...config });
      server = new MgrServer(options, view, generation, begin);
      return server.start();
    },
    async stop() {
      await server?.stop();
    },
  };
}
