/** One file with all that somebody else needs to understand a cluster, and no key in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandError } from '../failure.ts';
import type { ClusterState } from '../local-cluster/cluster-state.ts';
import { redacted } from './redact.ts';

/** Of each log, the last: what happened lately. */
const logBytesMax = 512 * 1024;
/** Of the system, as far as it tells. */
const systemFiles = ['/proc/self/limits', '/proc/meminfo', '/proc/mounts', '/proc/version'];

export interface BundleContent {
  /** Written as JSON, each to the file of its name. */
  readonly documents: Readonly<Record<string, unknown>>;
  /** A cluster of this host, when there is one. */
  readonly state: ClusterState | undefined;
}

/**
 * Writes a `.tar.gz` that only its owner may read.
 * @returns the names of what is in it
 * @throws CommandError EEXIST when there is such a file; ENOENT without tar(1)
 */
export async function writeBundle(
  file: string,
  { documents, state }: BundleContent,
): Promise<readonly string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'weft-doctor-'));
  try {
    const root = join(scratch, basename(file).replace(/\.(tgz|tar\.gz)$/, ''));
    await mkdir(root);
    const names: string[] = [];
    const add = async (name: string, text: string): Promise<void> => {
      await writeFile(join(root, name), redacted(text));
      names.push(name);
    };
    for (const [name, value] of Object.entries(documents)) {
      await add(`${name}.json`, `${JSON.stringify(value, undefined, 2)}\n`);
    }
    for (const path of [...systemFiles, ...(state ? [state.iodtab] : [])]) {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text !== undefined) await add(`${basename(path)}.txt`, text);
    }
    for (const { name, log } of state?.daemons ?? []) {
      const text = await endOf(log);
      if (text !== undefined) await add(`${name}.log`, text);
    }
    await pack(scratch, basename(root), file);
    return names;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function endOf(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(size, logBytesMax));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // A daemon that was never started has none.
  }
}

async function pack(directory: string, name: string, file: string): Promise<void> {
  const target = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const { code = 'EIO', message } = error;
    throw new CommandError(code, message, { effect: 'no bundle was written', path: file });
  });
  try {
    const tar = spawn('tar', ['-cz', '-C', directory, '-f', '-', name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(tar, 'close');
    await Promise.all([ended, pipeline(tar.stdout, target.createWriteStream())]);
    if (tar.exitCode !== 0) throw new Error(`tar ended with ${tar.exitCode}`);
  } catch (error) {
    await rm(file, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError('EIO', `the bundle could not be packed: ${why}`, {
      effect: 'no bundle was written',
      advice: 'install tar',
      path: file,
    });
  }
}
