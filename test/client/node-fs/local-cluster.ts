/** A real cluster within the process of a test: a mgr that keeps its names in memory, and iods. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../client/cli/local-cluster/free-ports.ts';
import { connect, type ConnectedFileSystem } from '../../../client/index.ts';
import { makeIod } from '../../../iod/iod.ts';
import { makeMgr } from '../../../mgr/mgr.ts';
import { memoryDatabase, openSqliteStore } from '../../../mgr/store/sqlite-store.ts';
import { formatClusterUrl } from '../../../shared/cluster-url.ts';
import { formatIodtab, parseIodtab } from '../../../shared/iodtab.ts';
import { limits } from '../../../shared/limits.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { IodIndex } from '../../../shared/units.ts';

const host = '127.0.0.1';
const secret = Buffer.alloc(32, 9);

export interface LocalCluster {
  /** As root, like the tests; `umask` as that of the process. */
  readonly fs: ConnectedFileSystem;
  /** A directory of the host, for comparison. */
  readonly directory: string;
  /** One more client, closed with the cluster. */
  connect(): Promise<ConnectedFileSystem>;
  stop(): Promise<void>;
}

function onFatal(error: Error): never {
  throw error;
}

/** @param smallFileBytes bytes that a file may have at the mgr */
export async function startLocalCluster(iodCount = 2, smallFileBytes = 0): Promise<LocalCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'weft-node-fs-'));
  const runtime = makeNodeRuntime({ log: 'silent' });
  const [mgrPort = 0, ...iodPorts] = await freePorts(iodCount + 1, host);
  const iods = iodPorts.map((port, index) => {
    return { index: index as IodIndex, name: `iod${index}`, host, port };
  });
  const mgr = makeMgr({
    runtime,
    store: openSqliteStore({ database: memoryDatabase() }),
    config: {
      cluster: 'local',
      host,
      port: mgrPort,
      portBefore: mgrPort,
      secret,
      iodtab: parseIodtab(formatIodtab({ mgr: { host, port: mgrPort }, iods }), 'iodtab'),
      policy: { rootSquash: false, users: new Map() },
      rootOwner: { uid: 0, gid: 0 },
      smallFileBytes,
      process: { residentBytes: () => 1 },
    },
    onFatal,
  });
  const servers = iods.map(({ name, port }) =>
    makeIod({
      runtime,
      config: {
        dataDirectory: join(directory, name),
        name,
        mgr: { host, port: mgrPort },
        secret,
        host,
        port,
        directReads: true,
        syncTimeoutMs: limits.iodSyncTimeoutMs,
        process: { id: process.pid, residentBytes: () => 1 },
      },
      onFatal,
    }),
  );
  await mgr.start();
  await Promise.all(servers.map((iod) => iod.start()));
  const url = formatClusterUrl({ host, port: mgrPort });
  const clients: ConnectedFileSystem[] = [];
  const connectOne = async (): Promise<ConnectedFileSystem> => {
    const client = await connect(url, { key: secret, runtime });
    clients.push(client);
    return client;
  };
  return {
    fs: await connectOne(),
    directory,
    connect: connectOne,
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all(servers.map((iod) => iod.stop()));
      await mgr.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
