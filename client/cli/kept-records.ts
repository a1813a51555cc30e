/**
 * What the daemons of a cluster that `weft up` has started on this host have written down: for whoever
 * wants to know what has happened while the mgr, which is asked otherwise, does not answer.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ClusterEvent, decodeEvent, eventsDirectory } from '../../shared/cluster-event.ts';
import { isFsError, toFsError } from '../../shared/errno.ts';
import { RecoveryLog } from '../../shared/recovery-log.ts';
import { makeNodeRuntime } from '../../shared/runtime/node.ts';
import type { Runtime } from '../../shared/runtime/runtime.ts';
import { beginOf, type ListedReport } from '../observing/recovery-reports.ts';
import type { Arguments } from './arguments.ts';
import type { Context } from './command.ts';
import { clusterAt } from './direct-connection.ts';
import type { ClusterState } from './local-cluster/cluster-state.ts';
import { stateOfCluster } from './lonely-status.ts';

export interface Answer<T> {
  readonly found: T;
  /** The mgr did not answer. */
  readonly isFromDisk: boolean;
}

/**
 * Asks the mgr; when that does not answer, reads what there is in `--data`.
 * @throws FsError of `ask`, also when nothing of the cluster is kept on this host
 */
export async function askOrRead<T>(
  given: Arguments,
  { url, output }: Context,
  ask: () => Promise<T>,
  read: (state: ClusterState, runtime: Runtime) => Promise<T>,
): Promise<Answer<T>> {
  try {
    return { found: await ask(), isFromDisk: false };
  } catch (error) {
    if (!isFsError(error) || error.weftCode !== 'WEFT_E_MGR_UNREACHABLE') throw error;
    const dataDir = resolve(given.text('data') ?? 'weft-data');
    const runtime = makeNodeRuntime({ log: 'silent' });
    const state = await stateOfCluster(runtime, dataDir, clusterAt(url));
    if (state === undefined) throw error;
    output.remark(`weft: the mgr does not answer; this is what is kept in ${dataDir}`);
    return { found: await read(state, runtime), isFromDisk: true };
  }
}

/** In order. */
export async function keptEvents({ daemons }: ClusterState): Promise<readonly ClusterEvent[]> {
  const mgrs = daemons.filter(({ role }) => role === 'mgr');
  const files = mgrs.map(async ({ dataDir }) => {
    const directory = join(dataDir, eventsDirectory);
    const names = await readdir(directory).catch(unlessMissing);
    return Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  });
  const texts = (await Promise.all(files)).flat();
  return texts.flatMap(eventsIn).toSorted((a, b) => a.number - b.number);
}

/** Up to the first line that a crash has cut. */
function eventsIn(text: string): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  for (const line of text.split('\n')) {
    try {
      events.push(decodeEvent(line));
    } catch (error) {
      if (!isFsError(error)) throw error;
      break;
    }
  }
  return events;
}

/** The latest first. */
export async function keptReports(
  { daemons }: ClusterState,
  runtime: Runtime,
): Promise<readonly ListedReport[]> {
  const lists = daemons.map(async ({ name, dataDir }) => {
    const log = new RecoveryLog(runtime, dataDir);
    await log.open();
    return log.reports.map((report) => ({ id: `${name}-${report.number}`, ...report }));
  });
  return (await Promise.all(lists)).flat().toSorted((a, b) => beginOf(b) - beginOf(a));
}

function unlessMissing(error: unknown): readonly string[] {
  if (toFsError(error).code === 'ENOENT') return [];
  throw toFsError(error);
}
