/**
 * What `weft up` remembers in its directory, in `cluster.json`: which daemons belong to it, how
 * they are started, and which processes they were last. Whether those still run is asked anew.
 */
import { join } from 'node:path';
import { readFileIfThere, replaceFileDurably } from '../../../shared/durable-names.ts';
import type { Disk } from '../../../shared/runtime/runtime.ts';
import { CommandError } from '../failure.ts';
import type { ProcessId } from './process-table.ts';

export interface DaemonSpec {
  readonly role: 'mgr' | 'iod';
  readonly name: string;
  /** `ws://HOST:PORT`. */
  readonly url: string;
  readonly dataDir: string;
  /** What it prints on standard error. */
  readonly log: string;
  /** Starts it, from the folder of the installation. */
  readonly command: readonly string[];
}

export interface DaemonRecord extends DaemonSpec, ProcessId {}

export interface ClusterState {
  /** What WEFT_URL takes. */
  readonly url: string;
  readonly dataDir: string;
  readonly iodtab: string;
  readonly daemons: readonly DaemonRecord[];
  /** Of pages that may connect; states of earlier versions have none. */
  readonly origins?: readonly string[];
  /** Bytes that a file may have at the mgr; without it as the mgr has it by itself. */
  readonly smallFileBytes?: number;
  /** Of the iods; without it as they have it by themselves. */
  readonly directReads?: DirectReadsWish;
}

export type DirectReadsWish = 'on' | 'off';

const format = 1;

export function stateFile(dataDir: string): string {
  return join(dataDir, 'cluster.json');
}

/** A crash leaves the old state or the new one. */
export async function writeState(disk: Disk, state: ClusterState): Promise<void> {
  const content = `${JSON.stringify({ format, ...state }, undefined, 2)}\n`;
  await replaceFileDurably(disk, stateFile(state.dataDir), Buffer.from(content));
}

/** @returns `undefined` when no cluster was ever started in this directory */
export async function readState(disk: Disk, dataDir: string): Promise<ClusterState | undefined> {
  const file = stateFile(dataDir);
  const content = await readFileIfThere(disk, file);
  if (content === undefined) return undefined;
  try {
    const state: unknown = JSON.parse(content.toString('utf8'));
    if (isState(state)) return state;
  } catch (error: unknown) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CommandError('EINVAL', `${file} is not what weft up writes`, {
    effect: 'nothing was started or stopped',
    advice: `stop the daemons below ${dataDir} by hand, then remove the file: weft up makes it anew`,
    path: file,
  });
}

function isState(value: unknown): value is ClusterState {
  if (typeof value !== 'object' || value === null) return false;
  const {
    format: version,
    url,
    dataDir,
    iodtab,
    daemons,
    origins = [],
    smallFileBytes = 0,
    directReads = 'on',
  } = value as Record<string, unknown>;
  return (
    version === format &&
    [url, dataDir, iodtab].every((one) => typeof one === 'string') &&
    Array.isArray(daemons) &&
    daemons.every(isDaemon) &&
    Array.isArray(origins) &&
    origins.every((one) => typeof one === 'string') &&
    typeof smallFileBytes === 'number' &&
    (directReads === 'on' || directReads === 'off')
  );
}

function isDaemon(value: unknown): value is DaemonRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { role, name, url, dataDir, log, command, pid, started } = value as Record<string, unknown>;
  return (
    (role === 'mgr' || role === 'iod') &&
    [name, url, dataDir, log, started].every((one) => typeof one === 'string') &&
    Number.isSafeInteger(pid) &&
    Array.isArray(command) &&
    command.every((word) => typeof word === 'string')
  );
}
