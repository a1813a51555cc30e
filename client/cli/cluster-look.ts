/** One look at the whole cluster, with or without its mgr, that never takes long. */
import { resolve } from 'node:path';
import { FsError, isFsError } from '../../shared/errno.ts';
import { isFinal } from '../../shared/rpc/link.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import { clusterOps } from '../../shared/wire/cluster-ops.ts';
import { credentialOf } from '../connect.ts';
import type { ClusterStatus } from '../file-system.ts';
import type { Arguments } from './arguments.ts';
import type { Context } from './command.ts';
import { askOnce, clusterAt } from './direct-connection.ts';
import { type LonelyIod, lonelyIods } from './lonely-status.ts';

/** A mgr that does not answer in this time is told as one that cannot be reached. */
const patienceMs = 900;

export type ClusterLook =
  | { readonly status: ClusterStatus }
  | {
      readonly status: undefined;
      /** Why the mgr does not answer. */
      readonly error: FsError;
      /** Of a cluster that `weft up` has started on this host; else none. */
      readonly iods: readonly LonelyIod[];
    };

/**
 * Without a session: a mgr that can store nothing answers too.
 * @throws FsError when the URL, or who answers there, does not let us ask
 */
export async function lookAtCluster(
  given: Arguments,
  { url, connectOptions }: Context,
): Promise<ClusterLook> {
  const at = clusterAt(url);
  const runtime = makeNodeRuntime({ log: 'silent' });
  const credential = await credentialOf(runtime, connectOptions, at.keyFile);
  const asker = { runtime, name: connectOptions.name ?? 'weft', stepMs: patienceMs };
  try {
    return { status: await askOnce(asker, { role: 'mgr', ...at }, credential, clusterOps.status) };
  } catch (error) {
    if (!isFsError(error) || isFinal(error)) throw error;
    const dataDir = resolve(given.text('data') ?? 'weft-data');
    const iods = await lonelyIods(runtime, { at, dataDir, credential });
    return { status: undefined, error: unreachable(error), iods };
  }
}

/** Or why nothing could be asked. */
export async function lookOrError(
  ...args: Parameters<typeof lookAtCluster>
): Promise<ClusterLook | FsError> {
  try {
    return await lookAtCluster(...args);
  } catch (error) {
    if (isFsError(error)) return error;
    throw error;
  }
}

function unreachable(cause: FsError): FsError {
  const what = cause.what ?? cause.message;
  return new FsError('ETIMEDOUT', { id: 'WEFT_E_MGR_UNREACHABLE', what, cause });
}
