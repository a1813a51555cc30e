/** The way in: from a cluster's URL to a file system. */
import { tokenKey, type Key } from '../shared/auth.ts';
import { parseClusterUrl } from '../shared/cluster-url.ts';
import { FsError, toFsError } from '../shared/errno.ts';
import { readKeyFile } from '../shared/key-file.ts';
import { limits } from '../shared/limits.ts';
import { anonymous, type Credential } from '../shared/rpc/handshake.ts';
import { makeNodeRuntime } from '../shared/runtime/node.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { clusterOps } from '../shared/wire/mgr-ops.ts';
import { callOptions, type Control } from './control.ts';
import { FileSystem } from './file-system.ts';
import { MgrSession } from './mgr-session.ts';

export interface ConnectOptions extends Control {
  /** File with the cluster's secret, or a user's token; instead of the one that the URL names. */
  readonly keyFile?: string | undefined;
  /** The key itself, 32 bytes. */
  readonly key?: Key | undefined;
  /** The key is the token of this user. */
  readonly user?: string | undefined;
  /** For the mgr's reports of who holds what. */
  readonly name?: string | undefined;
  /** Whom to act for; those of this process by default. The mgr decides what it believes. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly groups?: readonly number[] | undefined;
  readonly umask?: number | undefined;
  /** For all calls of the file system that do not name their own: 60 s by default. */
  readonly callDeadlineMs?: number | undefined;
  /** Where time, network and disk come from: the real ones by default. */
  readonly runtime?: Runtime | undefined;
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
  const runtime = options.runtime ?? makeNodeRuntime({ log: 'silent' });
  const session = new MgrSession({
    runtime,
    endpoint: { kind: 'tcp', host, port },
    credential: await credentialOf(runtime, options, keyFile),
    name: options.name ?? `process ${process.pid}`,
    claim: {
      uid: options.uid ?? process.getuid?.() ?? 0,
      gid: options.gid ?? process.getgid?.() ?? 0,
      groups: (options.groups ?? process.getgroups?.() ?? []).slice(0, limits.groupsMax),
    },
  });
  try {
    const call = callOptions(runtime.clock, limits.connectTimeoutMs, options);
    await session.call(clusterOps.members, {}, call);
  } catch (error) {
    await session.close(runtime.clock.now());
    throw error;
  }
  return new FileSystem({
    session,
    deadlineMs: options.callDeadlineMs ?? limits.callDeadlineDefaultMs,
    umask: options.umask ?? process.umask(),
  });
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
  if (key === undefined) return anonymous;
  if (options.user === undefined) return { kind: 'cluster', name: '', key };
  return { kind: 'token', name: options.user, key };
}

/** The token of a user, for whoever holds the cluster's secret to hand out. */
export const userToken: (secret: Key, user: string) => Key = tokenKey;
