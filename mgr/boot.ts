/**
 * The first commit of every start: the new generation, before anything uses it; and at the very
 * first what the cluster is. A store that does not fit is refused before anything is changed.
 */
import { FsError } from '../shared/errno.ts';
import { compareIodtabs, type Iodtab } from '../shared/iodtab.ts';
import {
  includes,
  protocolVersions,
  type Versions,
  wrongVersion,
} from '../shared/rpc/handshake.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { ensureRoot } from './namespace/root.ts';
import type { MetaView } from './store/batch.ts';
import type { MetaStore } from './store/meta-store.ts';
import type { MemberRow } from './store/rows.ts';
import { generationKey, protocolKey } from './store/setting-keys.ts';

export interface BootOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'killPoint'>;
  readonly store: MetaStore;
  readonly view: MetaView;
  /** Identity of the cluster. */
  readonly cluster: string;
  /** `undefined`: the members are those of the start before. */
  readonly iodtab: Iodtab | undefined;
  /** Whose the root directory is when it is made. */
  readonly rootOwner: { readonly uid: number; readonly gid: number };
  /** That the program speaks; `protocolVersions` by default. */
  readonly versions?: Versions | undefined;
}

const clusterKey = 'cluster';

/**
 * @returns the generation of this start
 * @throws FsError EINVAL WEFT_E_IODTAB (none given, none stored), WEFT_E_IODTAB_CHANGED,
 *   WEFT_E_OTHER_CLUSTER; EPROTO WEFT_E_VERSION; those of the commit
 */
export function boot(options: BootOptions): number {
  const { runtime, store, view, cluster, iodtab, rootOwner } = options;
  requireCluster(store.setting(clusterKey), cluster);
  const running = runningVersion(store.setting(protocolKey), options.versions);
  const members = membersAfter(store.members(), iodtab);
  const generation = Number(store.setting(generationKey) ?? 0) + 1;
  view.reserveCounters();
  ensureRoot(view, runtime.clock.wall(), rootOwner.uid, rootOwner.gid);
  for (const row of members) view.add({ kind: 'put-member', row });
  put(view, generationKey, String(generation));
  put(view, clusterKey, cluster);
  put(view, protocolKey, String(running));
  view.commit(generation);
  runtime.killPoint('mgr.boot.generation-stored');
  return generation;
}

function put(view: MetaView, key: string, value: string): void {
  view.add({ kind: 'put-setting', row: { key, value } });
}

function requireCluster(stored: string | undefined, ours: string): void {
  if (stored === undefined || stored === ours) return;
  throw new FsError('EINVAL', {
    id: 'WEFT_E_OTHER_CLUSTER',
    what: `the name store is of cluster ${stored}, its directory of ${ours}`,
  });
}

/** The version that a cluster speaks is that of its first mgr, until an upgrade says otherwise. */
function runningVersion(stored: string | undefined, ours: Versions = protocolVersions): number {
  const running = Number(stored ?? ours.max);
  if (includes(ours, running)) return running;
  throw wrongVersion(`the cluster speaks protocol ${running}`, ours);
}

/** What an iod is known by stays with its place in the table. */
function membersAfter(
  stored: readonly MemberRow[],
  iodtab: Iodtab | undefined,
): readonly MemberRow[] {
  if (iodtab === undefined) {
    if (stored.length > 0) return stored;
    throw new FsError('EINVAL', {
      id: 'WEFT_E_IODTAB',
      what: 'the first start needs an iodtab: it says where the iods are',
    });
  }
  compareIodtabs(stored, iodtab);
  return iodtab.iods.map(({ index, name, host, port }) => ({
    ...(stored[index] ?? unseen),
    index,
    name,
    host,
    port,
  }));
}

const unseen = {
  boundPort: 0,
  unixPath: '',
  hostId: '',
  storeId: '',
  incarnation: 0,
  life: '',
  evicted: false,
} as const;
