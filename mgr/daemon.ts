/** A mgr in its data directory: the lock, the identity and the name store around the mgr itself. */
import { join } from 'node:path';
import { openDataDirectory, startCause } from '../shared/data-directory.ts';
import { FsError, toFsError } from '../shared/errno.ts';
import { RecoveryLog } from '../shared/recovery-log.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { EventLog } from './event-log.ts';
import { makeMgr, type Mgr, type MgrConfig } from './mgr.ts';
import { SpaceReserve } from './space-reserve.ts';
import type { MetaStore, Room } from './store/meta-store.ts';
import { openSqliteStore } from './store/sqlite-store.ts';

export interface MgrDaemonOptions {
  readonly runtime: Runtime;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** Who we are, for the error of the next process that wants the directory. */
  readonly holder: string;
  /** What the directory knows by itself is left out. */
  readonly config: Omit<MgrConfig, 'cluster' | 'portBefore' | 'cause'>;
  readonly onFatal: (error: FsError) => void;
}

const storeFile = 'meta.db';
const clusterIdBytes = 16;

/**
 * `start` fails with WEFT_E_DATA_LOCKED and its like, and as `Mgr.start`; all is free again then.
 * `stop` is idempotent.
 */
export function makeMgrDaemon(options: MgrDaemonOptions): Pick<Mgr, 'start' | 'stop'> {
  /** What is to be let go of, the last first. */
  const held: (() => void | Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const releaseAll = async (): Promise<void> => {
    for (let release = held.pop(); release !== undefined; release = held.pop()) await release();
  };
  const stop = (): Promise<void> => (stopping ??= releaseAll());
  return {
    stop,
    async start() {
      try {
        return await start(options, held);
      } catch (error) {
        await stop();
        throw error;
      }
    },
  };
}

async function start(
  { runtime, dataDirectory, holder, config, onFatal }: MgrDaemonOptions,
  held: (() => void | Promise<void>)[],
): ReturnType<Mgr['start']> {
  const path = dataDirectory;
  const directory = await openDataDirectory(runtime, { path, role: 'mgr', holder });
  held.push(() => directory.lock.release());
  const known = directory.identity ?? {
    cluster: Buffer.from(runtime.random.bytes(clusterIdBytes)).toString('hex'),
    port: 0,
    clean: false,
    bootId: '',
  };
  const cause = startCause(known, runtime.net.bootId, known.port === 0);
  let identity = { ...known, clean: false, bootId: runtime.net.bootId };
  // Before the store: one without an identity beside it is taken for damaged.
  if (directory.identity === undefined) await directory.save(identity);
  // For the report of the next start, no more: a full disk hinders neither start nor stop.
  const note = (clean: boolean): Promise<void> =>
    directory.save({ ...identity, clean }).catch((error: unknown) => {
      runtime.log.warn('use not noted', { clean, why: toFsError(error).message });
    });
  await note(false);
  let endsInOrder = false;
  held.push(async () => {
    if (endsInOrder) await note(true);
  });
  const reserve = new SpaceReserve(runtime, path);
  held.push(() => reserve.close());
  await reserve.open();
  const store = await openStore(runtime, join(path, storeFile), identity.port !== 0, reserve);
  held.push(() => {
    store.close();
  });
  const { cluster, port: portBefore } = identity;
  const reports = new RecoveryLog(runtime, path);
  await reports.open();
  held.push(() => reports.settled());
  const events = new EventLog(runtime, path);
  await events.open();
  held.push(() => events.settled());
  const mgr = makeMgr({
    runtime,
    store,
    reports,
    events,
    config: { ...config, cluster, portBefore, cause },
    onFatal(error) {
      endsInOrder = false;
      onFatal(error);
    },
  });
  held.push(() => mgr.stop());
  const { host, port } = await mgr.start();
  identity = { ...identity, port };
  if (port !== portBefore) await directory.save(identity);
  endsInOrder = true;
  return { host, port };
}

/** @param hasServed a mgr that has served has names: an empty store in their place would lose them */
async function openStore(
  { disk }: Runtime,
  file: string,
  hasServed: boolean,
  room: Room,
): Promise<MetaStore> {
  if (hasServed && (await disk.stat(file)) === undefined) {
    throw new FsError('EINVAL', { id: 'WEFT_E_DATA_DAMAGED', what: `${file} is gone` });
  }
  return openSqliteStore({ file }, room);
}
