/** An iod as a value: for its program, for tests, and for a whole cluster in one process. */
import type { Key } from '../shared/auth.ts';
import type { FsError } from '../shared/errno.ts';
import { lockHolder } from '../shared/lock-holder.ts';
import { requireSafeBind } from '../shared/loopback.ts';
import type { Expose } from '../shared/metrics/readings.ts';
import { beginNow } from '../shared/recovery.ts';
import type { Versions } from '../shared/rpc/handshake.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { boot } from './boot.ts';
import { IodServer } from './iod-server.ts';

export interface IodConfig {
  /** Absolute path. */
  readonly dataDirectory: string;
  /** Its name in the iodtab of the mgr. */
  readonly name: string;
  readonly mgr: { readonly host: string; readonly port: number };
  readonly secret: Key;
  /** Where it listens. Port 0: the one it had last time, else one that the system chooses. */
  readonly host: string;
  readonly port: number;
  /** Where clients reach it, when that is not where it listens; they get no unix socket then. */
  readonly advertisedPort?: number | undefined;
  /** Clients of this host may read the files of objects themselves (decision 17). */
  readonly directReads: boolean;
  /** Without a mgr for so long it serves without state (DESIGN 4). */
  readonly syncTimeoutMs: number;
  /** Of the protocol, that the program speaks; `protocolVersions` by default. */
  readonly versions?: Versions | undefined;
  /** What only the program knows of its process. */
  readonly process: {
    readonly id: number;
    readonly residentBytes: () => number;
    /** Writes `/metrics`; without it there is no such page. */
    readonly expose?: Expose;
  };
}

export interface IodOptions {
  readonly runtime: Runtime;
  readonly config: IodConfig;
  /** It was serving, can do so no more, and has stopped. */
  readonly onFatal: (error: FsError) => void;
}

export interface Iod {
  /**
   * Returns when it serves.
   * @throws FsError when it cannot (all is free again then): WEFT_E_DATA_LOCKED and its like,
   *   WEFT_E_PORT_TAKEN, WEFT_E_OPEN_BIND, or what the mgr refuses it for; ECANCELED after `stop`
   */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** Ends what runs, refuses what comes, and stops. Idempotent. */
  stop(): Promise<void>;
}

export function makeIod(options: IodOptions): Iod {
  let booted: Promise<IodServer> | undefined;
  return {
    async start() {
      booted = bootServer(options);
      const server = await booted;
      return server.start();
    },
    async stop() {
      // One that could not boot has nothing to stop; `start` tells why.
      const server = await booted?.catch(() => undefined);
      await server?.stop();
    },
  };
}

async function bootServer(options: IodOptions): Promise<IodServer> {
  const { runtime, config } = options;
  const { dataDirectory, name, host, secret } = config;
  requireSafeBind(host, secret);
  const holder = lockHolder(`iod ${name}`, config.process.id);
  const begin = beginNow(runtime.clock);
  const home = await boot(runtime, { path: dataDirectory, name, holder });
  try {
    const server = new IodServer(options, home, begin);
    await server.open();
    return server;
  } catch (error) {
    await home.lock.release();
    throw error;
  }
}
