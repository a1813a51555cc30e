/** `Disk` over `node:fs`. Names and directories; what is inside a file is in disk-file.ts. */
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk, DiskStat } from '../runtime.ts';
import { lockDirectory } from './directory-lock.ts';
import { diskErrno, named, statOf } from './disk-errors.ts';
import { openFile } from './disk-file.ts';
import { QuickCalls } from './quick-calls.ts';

/** Of 512 bytes. */
const smallBlocks = 512;
const quickRemovals = new QuickCalls(() => performance.now());

export function makeDisk(): Disk {
  return {
    open: openFile,
    lock: lockDirectory,
    makeDirectory: async (path) => named('mkdir', path, makeDirectory(path)),
    list: async (path) => named('readdir', path, fsp.readdir(path)),
    stat,
    rename: async (from, to) => named('rename', `${from} -> ${to}`, fsp.rename(from, to)),
    remove: async (path) => named('remove', path, remove(path)),
    syncDirectory: async (path) => named('fsync', path, syncDirectory(path)),
    async space(path) {
      const found = await named('statfs', path, fsp.statfs(path));
      const { dev } = await named('stat', path, fsp.stat(path));
      return {
        device: dev,
        totalBytes: found.blocks * found.bsize,
        // What is kept back for root is not ours to give.
        freeBytes: found.bavail * found.bsize,
        totalFiles: found.files,
        freeFiles: found.ffree,
      };
    },
  };
}

/** Not by Node's `recursive`: of a disk that is full or read-only that says ENOENT. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await fsp.mkdir(path);
  } catch (error: unknown) {
    const errno = diskErrno(error);
    if (errno === 'EEXIST' && (await stat(path))?.kind === 'directory') return;
    if (errno !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
}

async function stat(path: string): Promise<DiskStat | undefined> {
  try {
    return statOf(await fsp.stat(path, { bigint: true }));
  } catch (error: unknown) {
    if (diskErrno(error) === 'ENOENT') return undefined;
    return named('stat', path, Promise.reject(error as Error));
  }
}

async function remove(path: string): Promise<void> {
  try {
    if (quickRemovals.run(0, () => removeSmall(path)) === 0) await fsp.unlink(path);
  } catch (error: unknown) {
    if (diskErrno(error) !== 'EISDIR') throw error;
    await fsp.rmdir(path);
  }
}

/** To free the blocks of a large file takes a while. @returns 0 when it was left for a thread */
function removeSmall(path: string): number {
  const { blocks = 0 } = fs.lstatSync(path, { throwIfNoEntry: false }) ?? {};
  if (blocks > smallBlocks) return 0;
  fs.unlinkSync(path);
  return 1;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await fsp.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
