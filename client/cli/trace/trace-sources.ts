/** The rings that a command line names: files, daemons of a local cluster, clients of this host. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProtocolError, toFsError } from '../../../shared/errno.ts';
import { makeNodeRuntime } from '../../../shared/runtime/node.ts';
import { ringFiles, traceDirectory } from '../../../shared/trace/ring-files.ts';
import { Ring } from '../../../shared/trace/ring.ts';
import { UsageError } from '../arguments.ts';
import { CommandError } from '../failure.ts';
import { readState } from '../local-cluster/cluster-state.ts';

export interface SourceOptions {
  /** Of `weft up`. */
  readonly dataDir: string;
  /** So many of the latest lives of each daemon. */
  readonly lives: number;
}

export interface NamedRing {
  readonly path: string;
  readonly ring: Ring;
}

/** No ring of ours is larger. */
const fileBytesMax = 64 * 1024 * 1024;

/** Where the mounts of this user keep theirs, and whoever WEFT_TRACE_DIR tells so. */
export function clientTraceDirectory(): string {
  const { WEFT_TRACE_DIR: own, XDG_RUNTIME_DIR: ofSession } = process.env;
  if (own !== undefined && own !== '') return own;
  if (ofSession !== undefined && ofSession !== '') return join(ofSession, 'weftfs');
  return join(tmpdir(), `weftfs-${process.getuid?.() ?? 0}`);
}

/**
 * @param operands files; names of daemons; `clients`. None: all daemons
 * @returns paths, each once
 * @throws UsageError for what is neither; CommandError ENOENT when there is no cluster or no ring
 */
export async function findRings(
  operands: readonly string[],
  options: SourceOptions,
): Promise<readonly string[]> {
  const words = operands.length > 0 ? operands : [undefined];
  const found = await Promise.all(words.map((word) => pathsOf(word, options)));
  const paths = [...new Set(found.flat())];
  if (paths.length > 0) return paths;
  throw new CommandError('ENOENT', `there is no trace of ${operands.join(', ') || 'any daemon'}`, {
    advice: 'a process keeps one from its start on; docs/TRACE.md says where',
  });
}

/** @throws CommandError EINVAL for what is no trace; FsError of the disk */
export async function readRing(path: string): Promise<NamedRing> {
  try {
    const { size } = await stat(path);
    if (size > fileBytesMax) throw new ProtocolError('it is far too large');
    return { path, ring: new Ring(await readFile(path)) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw toFsError(error);
    throw new CommandError('EINVAL', `${path} cannot be read: ${error.message}`, {
      advice: 'give the file of a ring, or the name of a daemon',
      path,
    });
  }
}

async function pathsOf(word: string | undefined, options: SourceOptions): Promise<string[]> {
  if (word === 'clients') return latestOf(clientTraceDirectory(), Infinity);
  if (word !== undefined && (word.includes('/') || word.endsWith('.ring'))) return [word];
  const { disk } = makeNodeRuntime({ log: 'silent' });
  const state = await readState(disk, options.dataDir);
  if (state === undefined) {
    throw new CommandError('ENOENT', `no cluster was started in ${options.dataDir}`, {
      advice: 'give the directory of weft up with --data, or files',
      path: options.dataDir,
    });
  }
  const daemons = state.daemons.filter(({ name }) => word === undefined || name === word);
  if (daemons.length === 0) {
    const known = state.daemons.map(({ name }) => name).join(', ');
    throw new UsageError(`there is no daemon '${word}'`, `a file, clients, or one of ${known}`);
  }
  const lists = daemons.map(({ dataDir }) =>
    latestOf(join(dataDir, traceDirectory), options.lives),
  );
  return (await Promise.all(lists)).flat();
}

async function latestOf(directory: string, count: number): Promise<string[]> {
  try {
    const names = ringFiles(await readdir(directory));
    return names.slice(-count).map((name) => join(directory, name));
  } catch (error) {
    if (toFsError(error).code === 'ENOENT') return [];
    throw toFsError(error);
  }
}
