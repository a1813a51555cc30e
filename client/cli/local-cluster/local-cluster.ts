/**
 * A whole cluster on one host: a mgr and iods, each a process with a directory of its own below
 * one directory, which has their key, their table and what `weft down` needs.
 */
import { join } from 'node:path';
import { formatClusterUrl } from '../../../shared/cluster-url.ts';
import { makeDirectoryDurably } from '../../../shared/durable-names.ts';
import { FsError } from '../../../shared/errno.ts';
import { formatAddress } from '../../../shared/iodtab-address.ts';
import type { ListedMgr } from '../../../shared/iodtab.ts';
import { makeKeyFile } from '../../../shared/key-file.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import type { Runtime } from '../../../shared/runtime/runtime.ts';
import { CommandError } from '../failure.ts';
import { programCommand } from '../installation.ts';
import {
  type ClusterState,
  type DaemonRecord,
  type DaemonSpec,
  type DirectReadsWish,
  readState,
  writeState,
} from './cluster-state.ts';
import {
  findDaemon,
  startDaemon,
  type StartedDaemon,
  stopGraceMs,
  type StopOutcome,
  stopProcess,
} from './daemon-process.ts';
import { type LocalTable, settleTable, type TableWish } from './local-iodtab.ts';

export interface RunningCluster {
  readonly state: ClusterState;
  /** Started by this call; the others ran before. */
  readonly started: readonly StartedDaemon[];
}

export interface ClusterWish extends TableWish {
  /** Of pages that may connect to the daemons that are started; none: as last time. */
  readonly origins: readonly string[];
  /** Bytes that a file may have at the mgr; `undefined`: as last time. */
  readonly smallFileBytes: number | undefined;
  /** Whether clients of this host read the files of the iods; `undefined`: as last time. */
  readonly directReads: DirectReadsWish | undefined;
}

const readyTimeoutMs = 60_000;

/**
 * Starts what does not run yet, and returns when all is ready.
 * @param signal gives it up
 * @throws CommandError when a daemon ends or hangs; what was started is stopped then
 */
export async function startCluster(
  wish: ClusterWish,
  signal: AbortSignal,
): Promise<RunningCluster> {
  const runtime = makeNodeRuntime({ log: 'silent' });
  const { dataDir } = wish;
  return withClusterLock(runtime, dataDir, async () => {
    const before = await readState(runtime.disk, dataDir);
    const iodtab = wish.iodtab ?? tableOutside(before);
    const keyFile = await haveKey(runtime, dataDir);
    const table = await settleTable(runtime.disk, { ...wish, iodtab });
    const url = formatClusterUrl({ ...table.mgr, keyFile });
    const origins = wish.origins.length > 0 ? wish.origins : (before?.origins ?? []);
    const smallFileBytes = wish.smallFileBytes ?? before?.smallFileBytes;
    const directReads = wish.directReads ?? before?.directReads;
    const kept = {
      origins,
      ...(smallFileBytes !== undefined && { smallFileBytes }),
      ...(directReads !== undefined && { directReads }),
    };
    const specs = daemonSpecs(table, { dataDir, keyFile, url, ...kept });
    const running = await runningOf(before?.daemons ?? []);
    checkUnmoved(specs, running);
    const missing = specs.filter((spec) => !running.has(spec.name));
    const outcomes = await Promise.allSettled(missing.map(startDaemon));
    const started = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const unstarted = outcomes.find((one) => one.status === 'rejected');
    const records = new Map([
      ...running,
      ...started.map(({ record }) => [record.name, record] as const),
    ]);
    const daemons = specs.flatMap(({ name }) => records.get(name) ?? []);
    const state: ClusterState = { url, dataDir, iodtab: table.file, daemons, ...kept };
    try {
      if (unstarted !== undefined) throw unstarted.reason;
      // Before they are ready: whatever becomes of us, `weft down` finds them.
      await writeState(runtime.disk, state);
      await inTime(started, signal);
    } catch (error: unknown) {
      await stopDaemons(
        started.map(({ record }) => record),
        2000,
      );
      throw error;
    }
    return { state, started };
  });
}

/**
 * Stops all daemons of the cluster in this directory.
 * @returns what ran; `undefined` when no cluster was ever started there
 */
export async function stopCluster(dataDir: string): Promise<readonly StopOutcome[] | undefined> {
  const runtime = makeNodeRuntime({ log: 'silent' });
  if ((await runtime.disk.stat(dataDir)) === undefined) return undefined;
  return withClusterLock(runtime, dataDir, async () => {
    const state = await readState(runtime.disk, dataDir);
    return state === undefined ? undefined : stopDaemons(state.daemons, stopGraceMs);
  });
}

/**
 * Iods first: they take leave of their mgr.
 * @param graceMs 0: all at once, and by force
 */
export async function stopDaemons(
  daemons: readonly DaemonRecord[],
  graceMs: number,
): Promise<readonly StopOutcome[]> {
  const stop = async (daemon: DaemonRecord): Promise<readonly StopOutcome[]> => {
    const id = await findDaemon(daemon);
    return id === undefined ? [] : [await stopProcess(daemon.name, id, graceMs)];
  };
  const ofRole = (role: DaemonSpec['role']) => daemons.filter((daemon) => daemon.role === role);
  const iods = await Promise.all(ofRole('iod').map(stop));
  const mgrs = await Promise.all(ofRole('mgr').map(stop));
  return [...iods, ...mgrs].flat();
}

/** One `weft up` or `weft down` at a time: they would undo each other's work. */
async function withClusterLock<T>(
  runtime: Runtime,
  dataDir: string,
  work: () => Promise<T>,
): Promise<T> {
  await makeDirectoryDurably(runtime.disk, dataDir);
  const lock = await runtime.disk.lock(dataDir, `weft up or down (pid ${process.pid})`);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The table of last time, when it was one that the user keeps. */
function tableOutside(state: ClusterState | undefined): string | undefined {
  if (state === undefined || state.iodtab === join(state.dataDir, 'iodtab')) return undefined;
  return state.iodtab;
}

async function haveKey(runtime: Runtime, dataDir: string): Promise<string> {
  const keyFile = join(dataDir, 'cluster.key');
  if ((await runtime.disk.stat(keyFile)) === undefined) await makeKeyFile(runtime, keyFile);
  return keyFile;
}

function daemonSpecs(
  { file, mgr, iods }: LocalTable,
  {
    dataDir,
    keyFile,
    url,
    origins,
    smallFileBytes,
    directReads,
  }: Readonly<Record<'dataDir' | 'keyFile' | 'url', string>> &
    Required<Pick<ClusterState, 'origins'>> &
    Pick<ClusterState, 'smallFileBytes' | 'directReads'>,
): readonly DaemonSpec[] {
  const spec = (
    role: DaemonSpec['role'],
    name: string,
    address: ListedMgr,
    words: readonly string[],
  ): DaemonSpec => {
    const directory = join(dataDir, name);
    const command = [...programCommand(role), '--data', directory, ...words, '--print-ready'];
    return {
      role,
      name,
      url: `ws://${formatAddress(address.host, address.port)}`,
      dataDir: directory,
      log: join(directory, `${name}.log`),
      command,
    };
  };
  const at = ({ host, port }: ListedMgr): readonly string[] =>
    `--host ${host} --port ${port}`
      .split(' ')
      .concat('--iodtab', file, '--key', keyFile)
      .concat(...origins.map((origin) => ['--allow-origin', origin]));
  const direct = directReads === undefined ? [] : ['--direct-reads', directReads];
  const small = smallFileBytes === undefined ? [] : ['--small-file-bytes', String(smallFileBytes)];
  return [
    spec('mgr', 'mgr', mgr, at(mgr).concat(small)),
    ...iods.map((iod) =>
      spec('iod', iod.name, iod, ['--mgr', url, ...at(iod), '--index', `${iod.index}`, ...direct]),
    ),
  ];
}

/** Those that run, with the pid they have now. */
async function runningOf(
  daemons: readonly DaemonRecord[],
): Promise<ReadonlyMap<string, DaemonRecord>> {
  const found = await Promise.all(
    daemons.map(async (daemon) => ({ daemon, id: await findDaemon(daemon) })),
  );
  return new Map(
    found.flatMap(({ daemon, id }) =>
      id === undefined ? [] : [[daemon.name, { ...daemon, pid: id.pid, started: id.started }]],
    ),
  );
}

/** What runs cannot be given another address while it runs. */
function checkUnmoved(
  specs: readonly DaemonSpec[],
  running: ReadonlyMap<string, DaemonRecord>,
): void {
  for (const [name, daemon] of running) {
    if (specs.some((spec) => spec.name === name && spec.url === daemon.url)) continue;
    throw new CommandError('EBUSY', `${name} runs at ${daemon.url}, which is not what is wanted`, {
      effect: 'nothing was started or stopped',
      advice: 'weft down first, or leave out --port and --iodtab',
    });
  }
}

async function inTime(started: readonly StartedDaemon[], signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    timer = setTimeout(() => {
      const what = `not all daemons were ready after ${readyTimeoutMs / 1000} s`;
      reject(new FsError('ETIMEDOUT', { id: 'WEFT_E_STARTING', what }));
    }, readyTimeoutMs);
  });
  try {
    await Promise.race([Promise.all(started.map(({ ready }) => ready)), late]);
  } finally {
    clearTimeout(timer);
  }
}
