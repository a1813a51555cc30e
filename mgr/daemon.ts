/** A mgr in its data directory: the lock, the identity and the name store around the mgr itself. */
import { join } from 'node:path';
import { openDataDirectory } from '../shared/data-directory.ts';
import { FsError } from '../shared/errno.ts';
import type { Runtime } from '../shared/runtime/runtime.ts';
import { makeMgr, type Mgr, type MgrConfig } from './mgr.ts';
import type { MetaStore } from './store/meta-store.ts';
import { openSqliteStore } from './store/sqlite-store.ts';

export interface MgrDaemonOptions {
  readonly runtime: Runtime;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** Who we are, for the error of the next process that wants the directory. */
  readonly holder: string;
  /** What the directory knows by itself is left out. */
  readonly config: Omit<MgrConfig, 'cluster' | 'portBefore'>;
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
  const identity = directory.identity ?? {
    cluster: Buffer.from(runtime.random.bytes(clusterIdBytes)).toString('hex'),
    port: 0,
  };
  // Before the store: one without an identity beside it is taken for damaged.
  if (directory.identity === undefined) await directory.save(identity);
  const store = await openStore(runtime, join(path, storeFile), identity.port !== 0);
  held.push(() => {
    store.close();
  });
  const { cluster, port: portBefore } = identity;
  const mgr = makeMgr({ runtime, store, config: { ...config, cluster, portBefore }, onFatal });
  held.push(() => mgr.stop());
  const started = await mgr.start();
  if (started.port !== portBefore) await directory.save({ cluster, port: started.port });
  return started;
}

/** @param hasServed a mgr that has served has names: an empty store in their place would lose them */
async function openStore({ disk }: Runtime, file: string, hasServed: boolean): Promise<MetaStore> {
  if (hasServed && (await disk.stat(file)) === undefined) {
    throw new FsError('EINVAL', { id: 'WEFT_E_DATA_DAMAGED', what: `${file} is gone` });
  }
  return openSqliteStore({ file });
}
