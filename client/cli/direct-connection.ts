/**
 * One proved connection to one daemon, made step by step: for tools that want to know which step
 * fails, or to speak with the key of the cluster. It does not come back when it is lost.
 */
import { BufferPool } from '../../shared/buffer-pool.ts';
import { type ClusterUrl, parseClusterUrl } from '../../shared/cluster-url.ts';
import { FsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import { Connection } from '../../shared/rpc/connection.ts';
import { EpochWatch } from '../../shared/rpc/epoch-watch.ts';
import { type Credential, introduce, serveLink } from '../../shared/rpc/handshake.ts';
import { Service } from '../../shared/rpc/service.ts';
import type { Endpoint, Runtime } from '../../shared/runtime/runtime.ts';
import type { Op } from '../../shared/wire/op.ts';

/** What tells the daemons who is asking. */
export interface Asker {
  readonly runtime: Runtime;
  /** For their logs. */
  readonly name: string;
  /** How long each step may take. */
  readonly stepMs: number;
}

/** Grows with every connection of this process: a daemon must not take it for a late one. */
let incarnation = 0;

/** The connection stands, but neither side has said who it is. @throws FsError as `Net.connect` */
export async function connectTo(
  { runtime, stepMs: timeoutMs }: Asker,
  endpoint: Endpoint,
): Promise<Connection> {
  const connection = new Connection({
    runtime,
    epochs: new EpochWatch(),
    buffers: new BufferPool(limits.packetBytesMax),
    service: serveLink(new Service()),
  });
  connection.open(await runtime.net.connect(endpoint, { timeoutMs }, connection));
  return connection;
}

/** Both sides prove who they are. @throws FsError EKEYREJECTED, EPROTO; it is closed then */
export async function prove(
  connection: Connection,
  asker: Asker,
  credential: Credential,
  expect: 'mgr' | 'iod',
): Promise<void> {
  const { runtime, name } = asker;
  const self = {
    role: 'client',
    node: name,
    incarnation: ++incarnation,
    cluster: () => '',
  } as const;
  const options = { expect, nonce: runtime.random.bytes(32), deadline: soon(asker) };
  const peer = await introduce(connection, self, credential, options);
  connection.establish(peer, serveLink(new Service()));
}

/** Asks a daemon one thing. @throws FsError ETIMEDOUT when all of it takes longer than a step may */
export async function askOnce<R>(
  asker: Asker,
  to: { readonly role: 'mgr' | 'iod'; readonly host: string; readonly port: number },
  credential: Credential,
  op: Op<Record<string, never>, R>,
): Promise<R> {
  const { clock } = asker.runtime;
  const deadline = soon(asker);
  const connection = await connectTo(asker, { kind: 'tcp', host: to.host, port: to.port });
  const late = clock.timer(deadline - clock.now(), () => {
    connection.close(new FsError('ETIMEDOUT', { what: 'it does not answer' }));
  });
  try {
    await prove(connection, asker, credential, to.role);
    return await connection.call(op, {}, { deadline: Infinity });
  } finally {
    late.cancel();
    connection.close(new FsError('ECANCELED', { what: 'nothing more is asked' }));
  }
}

/** @throws FsError EINVAL WEFT_E_BAD_URL */
export function clusterAt(url: string | undefined): ClusterUrl {
  if (url !== undefined && url !== '') return parseClusterUrl(url);
  throw new FsError('EINVAL', {
    id: 'WEFT_E_BAD_URL',
    what: 'no cluster is named: give a URL, or set WEFT_URL',
  });
}

/** When a step that begins now has taken too long. */
export function soon({ runtime, stepMs }: Asker): number {
  return runtime.clock.now() + stepMs;
}
