/** The way in: from a cluster's URL to a file system. */
import { tokenKey, type Key } from '../shared/auth.ts';
import { parseClusterUrl } from '../shared/cluster-url.ts';
import { FsError, toFsError } from '../shared/errno.ts';
import { readKeyFile } from '../shared/key-file.ts';
import { limits } from '../shared/limits.ts';
import { endpointsOfMgr } from '../shared/mgr-endpoints.ts';
import type { Credential } from '../shared/rpc/handshake.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { DirectReads } from './direct-reads.ts';
import type { File } from './file.ts';
import type { FileSystem } from './file-system.ts';
import { Gathering } from './gathering.ts';
import type { IodPool } from './iod-pool.ts';
import { credentialFor, joinCluster, type JoinOptions } from './join-cluster.ts';
import type { MgrSession } from './mgr-session.ts';

export interface ConnectOptions extends JoinOptions {
  /** File with the cluster's secret, or a user's token; instead of the one that the URL names. */
  readonly keyFile?: string | undefined;
  /** Where time, network and disk come from: the real ones by default. */
  readonly runtime?: Runtime | undefined;
  /**
   * A directory of this user alone, in which the flight recorder keeps its file too; the
   * environment's WEFT_TRACE_DIR by default. Without one it is in memory: see `saveTrace`.
   */
  readonly traceDirectory?: string | undefined;
  /**
   * Writes that follow each other in a file that this session alone has open are answered before the iods
   * have them, and travel together: faster in small calls, and lost when this process is killed. Whoever
   * else looks at the file sees them, and what fails the next write, `sync` or `close` tells.
   * @default false
   */
  readonly writeBehind?: boolean | undefined;
}

/**
 * Connects to a cluster and begins a session with it.
 * @param url as `weft up` prints it; the environment's WEFT_URL by default
 * @throws FsError EINVAL WEFT_E_BAD_URL, ETIMEDOUT WEFT_E_MGR_UNREACHABLE, EKEYREJECTED, EPROTO
 */
export async function connect(
  url: string | undefined = process.env['WEFT_URL'],
  options: ConnectOptions = {},
): Promise<FileSystem> {
  if (url === undefined || url === '') {
    throw new FsError('EINVAL', {
      id: 'WEFT_E_BAD_URL',
      what: 'no cluster is named: give a URL, or set WEFT_URL',
      syscall: 'connect',
    });
  }
  try {
    return await connectTo(url, options);
  } catch (error) {
    throw toFsError(error).during('connect', url);
  }
}

async function connectTo(url: string, options: ConnectOptions): Promise<FileSystem> {
  const { host, port, keyFile } = parseClusterUrl(url);
  const name = options.name ?? `process ${process.pid}`;
  const runtime = options.runtime ?? makeNodeRuntime({ log: 'silent', trace: { name } });
  const { traceDirectory = options.runtime ? '' : (process.env['WEFT_TRACE_DIR'] ?? '') } = options;
  const joining = {
    runtime,
    endpoints: () => endpointsOfMgr(runtime.net, { host, port }),
    credential: await credentialOf(runtime, options, keyFile),
    name,
    claim: {
      uid: options.uid ?? process.getuid?.() ?? 0,
      gid: options.gid ?? process.getgid?.() ?? 0,
      groups: (options.groups ?? process.getgroups?.() ?? []).slice(0, limits.groupsMax),
    },
    umask: options.umask ?? process.umask(),
    makeDirect: (session: MgrSession, iods: IodPool) => new DirectReads(session, iods),
    ...(options.writeBehind === true && {
      gather: (session: MgrSession, open: Iterable<File>) => new Gathering(session, open),
    }),
    ...(traceDirectory !== '' && { onClosed: runtime.keepTrace(traceDirectory) }),
  } as const;
  return joinCluster(joining, options);
}

/** What to prove to the daemons of a cluster: the key of the options, of its file, or none. */
export async function credentialOf(
  runtime: Runtime,
  options: ConnectOptions,
  fileOfUrl: string | undefined,
): Promise<Credential> {
  const file = options.keyFile ?? process.env['WEFT_KEY_FILE'] ?? fileOfUrl;
  const key =
    options.key ?? (file === undefined ? undefined : await readKeyFile(runtime.disk, file));
  return credentialFor(key, options.user);
}

/** The token of a user, for whoever holds the cluster's secret to hand out. */
export const userToken: (secret: Key, user: string) => Key = tokenKey;
