/** The way in for a page or a worker. */
import { type Key, parseKey } from '../../shared/auth.ts';
import { parseClusterUrl } from '../../shared/cluster-url.ts';
import { FsError, toFsError } from '../../shared/errno.ts';
import { limits } from '../../shared/limits.ts';
import type { Credential } from '../../shared/rpc/handshake.ts';
import type { ConsoleLevel } from '../../shared/runtime/browser/console-log.ts';
import { makeBrowserRuntime } from '../../shared/runtime/browser.ts';
import type { Control } from '../control.ts';
import type { FileSystem } from '../file-system.ts';
import { credentialFor, joinCluster, type JoinOptions } from '../join-cluster.ts';
import type { PathLike } from '../path.ts';

export interface PageConnectOptions extends Omit<JoinOptions, 'key'> {
  /** A user's token (with `user`) or the cluster's secret: 32 bytes, or 64 hexadecimal digits. */
  readonly key?: Key | string | undefined;
  /** In place of `key`: what `weft web` has printed behind the `#`. It is valid once. */
  readonly ticket?: string | undefined;
  /** What of the library's own log the console shows: nothing by default. */
  readonly log?: ConsoleLevel | undefined;
}

/** What a page has no `Buffer` for comes as bytes. */
export type PageFileSystem = Omit<FileSystem, 'readFile' | 'readlinkBytes'> & {
  readFile(path: PathLike, control?: Control): Promise<Uint8Array>;
  readlinkBytes(path: PathLike, control?: Control): Promise<Uint8Array>;
};

/** Whom a page acts for that names nobody: the user that Linux has for this. */
const nobody = 65_534;
const umaskDefault = 0o022;

/**
 * Connects to a cluster and begins a session with it. The daemons must allow the page's origin.
 * @param url `ws://HOST:PORT`, of the mgr
 * @throws FsError EINVAL WEFT_E_BAD_URL, WEFT_E_BAD_KEY, ETIMEDOUT WEFT_E_MGR_UNREACHABLE,
 *   EKEYREJECTED, EPROTO
 */
export async function connect(
  url: string,
  options: PageConnectOptions = {},
): Promise<PageFileSystem> {
  try {
    return await connectTo(url, options);
  } catch (error) {
    throw toFsError(error).during('connect', url);
  }
}

async function connectTo(url: string, options: PageConnectOptions): Promise<FileSystem> {
  const { host, port, keyFile } = parseClusterUrl(url);
  if (keyFile !== undefined) {
    throw new FsError('EINVAL', {
      id: 'WEFT_E_BAD_URL',
      what: 'the URL names a key file, which a page cannot read: give the option key',
    });
  }
  const { uid = nobody, gid = nobody, groups = [] } = options;
  const key = keyOf(options.key);
  const credential = credentialOf(key, options);
  const joining = {
    runtime: makeBrowserRuntime(options.log ?? 'silent'),
    endpoints: () => [{ kind: 'tcp', host, port } as const],
    credential,
    name: options.name ?? `page of ${originOfPage()}`,
    claim: { uid, gid, groups: groups.slice(0, limits.groupsMax) },
    umask: options.umask ?? umaskDefault,
  } as const;
  return joinCluster(joining, { ...options, key });
}

function keyOf(given: PageConnectOptions['key']): Key | undefined {
  if (typeof given !== 'string') return given;
  const key = parseKey(given);
  if (key !== undefined) return key;
  // Without what was given: it may be most of a key.
  throw new FsError('EINVAL', {
    id: 'WEFT_E_BAD_KEY',
    what: 'the option key is no key: it should be 32 bytes, or 64 hexadecimal digits',
  });
}

function credentialOf(key: Key | undefined, { ticket, user }: PageConnectOptions): Credential {
  return ticket === undefined ? credentialFor(key, user) : parseTicket(ticket);
}

/** @throws FsError EINVAL, WEFT_E_TICKET */
function parseTicket(text: string): Credential {
  const [, name, digits = ''] = /^#?([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(text) ?? [];
  const key = parseKey(digits);
  if (name !== undefined && key !== undefined) return { kind: 'ticket', name, key };
  throw new FsError('EINVAL', { id: 'WEFT_E_TICKET', what: 'the option ticket is no ticket' });
}

function originOfPage(): string {
  const { location } = globalThis as { location?: { readonly origin: string } };
  return location?.origin ?? 'no origin';
}
