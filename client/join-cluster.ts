/** A file system over a session that is begun: the same from a program of Node and from a page. */
import type { Key } from '../shared/auth.ts';
import { limits } from '../shared/limits.ts';
import { anonymous, type Credential } from '../shared/rpc/handshake.ts';
import { clusterOps } from '../shared/wire/cluster-ops.ts';
import { callOptions, type Control } from './control.ts';
import { FileSystem, type FileSystemOptions } from './file-system.ts';
import type { MakeDirectReads } from './iod-pool.ts';
import { MgrSession, type SessionConfig } from './mgr-session.ts';

/** What there is to choose, wherever the program runs. */
export interface JoinOptions extends Control {
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
}

/** What follows from the place where the program runs. */
export interface Joining extends SessionConfig {
  readonly umask: number;
  readonly makeDirect?: MakeDirectReads;
  readonly gather?: FileSystemOptions['gather'];
}

/** Who holds `key`: a user with a token, or somebody with the secret of the cluster. */
export function credentialFor(key: Key | undefined, user: string | undefined): Credential {
  if (key === undefined) return anonymous;
  if (user === undefined) return { kind: 'cluster', name: '', key };
  return { kind: 'token', name: user, key };
}

/** @throws FsError ETIMEDOUT WEFT_E_MGR_UNREACHABLE, EKEYREJECTED, EPROTO */
export async function joinCluster(
  { umask, makeDirect, gather, ...config }: Joining,
  options: JoinOptions,
): Promise<FileSystem> {
  const { deadlineMs: patienceMs = limits.connectTimeoutMs } = options;
  const session = new MgrSession({ ...config, patienceMs });
  const { clock } = config.runtime;
  try {
    const call = callOptions(clock, patienceMs, options);
    await session.call(clusterOps.members, {}, call);
  } catch (error) {
    await session.close(clock.now());
    throw error;
  }
  const { callDeadlineMs: deadlineMs = limits.callDeadlineDefaultMs } = options;
  return new FileSystem({ session, deadlineMs, umask, makeDirect, gather });
}
