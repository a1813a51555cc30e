/** Who has the ports of daemons of this host. Looks, and keeps none. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseClusterUrl } from '../../../shared/cluster-url.ts';
import { toFsError } from '../../../shared/errno.ts';
import { iodPortDefault, mgrPortDefault } from '../../../shared/iodtab.ts';
import type { ClusterState } from '../local-cluster/cluster-state.ts';
import { findDaemon } from '../local-cluster/daemon-process.ts';
import { lentPorts, type PortRange } from '../local-cluster/free-ports.ts';

export interface PortFact {
  /** The daemon that it is for. */
  readonly daemon: string;
  readonly port: number;
  /** `itself`: the daemon runs; or why nobody could listen there. */
  readonly holder: 'itself' | 'nobody' | { readonly failure: string };
}

export interface PortFacts {
  readonly ports: readonly PortFact[];
  /** They are those of a cluster that was started here; else those that one would have. */
  readonly areChosen: boolean;
  /** Which ports the system gives to outgoing connections. */
  readonly lent: PortRange;
}

const loopback = '127.0.0.1';
const iodsByDefault = 4;

export async function lookAtPorts(state: ClusterState | undefined): Promise<PortFacts> {
  const ports = state === undefined ? await defaultPorts() : await portsOf(state);
  return { ports, areChosen: state !== undefined, lent: await lentPorts() };
}

function defaultPorts(): Promise<readonly PortFact[]> {
  const iods = Array.from({ length: iodsByDefault }, (_, i) => [`iod${i}`, iodPortDefault + i]);
  const all = [['mgr', mgrPortDefault], ...iods] as [string, number][];
  return Promise.all(
    all.map(async ([daemon, port]) => {
      return { daemon, port, holder: await holderOf(loopback, port) };
    }),
  );
}

function portsOf({ daemons }: ClusterState): Promise<readonly PortFact[]> {
  return Promise.all(
    daemons.map(async (daemon) => {
      const { host, port } = parseClusterUrl(daemon.url);
      const isRunning = (await findDaemon(daemon)) !== undefined;
      const holder = isRunning ? 'itself' : await holderOf(host, port);
      return { daemon: daemon.name, port, holder };
    }),
  );
}

async function holderOf(host: string, port: number): Promise<PortFact['holder']> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return 'nobody';
  } catch (error) {
    return { failure: toFsError(error).code };
  } finally {
    server.close();
  }
}
