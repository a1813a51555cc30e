/** What this host has of what weftfs needs. Looks, and changes nothing that stays. */
import { constants, type StatsFs } from 'node:fs';
import { access, mkdtemp, open, readFile, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { toFsError } from '../../../shared/errno.ts';
import { findProgram, findUserMounter } from '../../fuse/mounting.ts';

export type Reach = 'usable' | 'forbidden' | 'missing';

export interface HostFacts {
  readonly node: string;
  readonly platform: string;
  readonly uid: number;
  /** `undefined` where the system does not tell. */
  readonly openFilesMax: number | undefined;
  readonly sharedMemory: Reach;
  readonly fuse: {
    readonly device: Reach;
    readonly mountProgram: boolean;
    /** Why only root can mount; `undefined` when others can too. */
    readonly userObstacle: string | undefined;
  };
  readonly disk: DiskFacts | { readonly path: string; readonly failure: string };
}

export interface DiskFacts {
  readonly path: string;
  readonly inMemory: boolean;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Median of some appends of 4 KiB, each made durable. */
  readonly syncMs: number;
}

/** `f_type` of file systems that are gone when the host is (statfs(2)). */
const memoryTypes = new Set([0x01021994, 0x858458f6]);
const syncs = 7;

/** @param dataDir of daemons; what is above it is looked at where it is not there yet */
export async function lookAtHost(dataDir: string): Promise<HostFacts> {
  const [limits, sharedMemory, device, mountProgram, userObstacle, disk] = await Promise.all([
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
    reach('/dev/shm'),
    reach('/dev/fuse'),
    findProgram('mount'),
    findUserMounter().then(
      () => undefined,
      (error: unknown) => toFsError(error).what,
    ),
    lookAtDisk(dataDir),
  ]);
  return {
    node: process.versions.node,
    platform: process.platform,
    uid: process.getuid?.() ?? 0,
    openFilesMax: openFilesMax(limits),
    sharedMemory,
    fuse: { device, mountProgram: mountProgram !== undefined, userObstacle },
    disk,
  };
}

/** @param text of /proc/self/limits (proc(5)): the soft limit */
export function openFilesMax(text: string): number | undefined {
  const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(text) ?? [];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

async function reach(path: string): Promise<Reach> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return 'usable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'forbidden';
  }
}

async function lookAtDisk(dataDir: string): Promise<HostFacts['disk']> {
  const path = await firstThatIs(dataDir);
  try {
    const space = await statfs(path);
    return {
      path,
      inMemory: memoryTypes.has(space.type),
      freeBytes: bytesOf(space, space.bavail),
      totalBytes: bytesOf(space, space.blocks),
      syncMs: await medianSyncMs(path),
    };
  } catch (error) {
    return { path, failure: error instanceof Error ? error.message : String(error) };
  }
}

function bytesOf({ bsize }: StatsFs, blocks: number): number {
  return bsize * blocks;
}

/** The directory, or the nearest above it that there is. */
async function firstThatIs(directory: string): Promise<string> {
  try {
    if ((await stat(directory)).isDirectory()) return directory;
  } catch {
    // Then one above it tells where it would be made.
  }
  const above = dirname(directory);
  return above === directory ? tmpdir() : firstThatIs(above);
}

async function medianSyncMs(directory: string): Promise<number> {
  const scratch = await mkdtemp(join(directory, '.weft-doctor-'));
  try {
    const file = await open(join(scratch, 'appended'), 'wx');
    try {
      const times: number[] = [];
      for (let i = 0; i < syncs; i++) {
        const begun = performance.now();
        await file.appendFile(Buffer.alloc(4096, i));
        await file.datasync();
        times.push(performance.now() - begun);
      }
      return times.toSorted((a, b) => a - b)[syncs >> 1] ?? 0;
    } finally {
      await file.close();
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
}
