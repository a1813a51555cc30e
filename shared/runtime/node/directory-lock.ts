/**
 * One process at most uses a data directory. The lock belongs to an open file of ours, so the
 * system drops it when we die, however that happens. Why so: docs/decisions/0003-directory-lock.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { FsError } from '../../errno.ts';
import type { DiskLock } from '../runtime.ts';
import { diskError } from './disk-errors.ts';

/** Its content is for people: whoever holds the lock, or held it last. */
const lockFileName = 'lock';

/**
 * @param flock the command of that name, replaceable so that a host without it can be tested
 * @throws FsError EBUSY with id WEFT_E_DATA_LOCKED that names directory and holder
 */
export async function lockDirectory(
  directory: string,
  holder: string,
  flock = 'flock',
): Promise<DiskLock> {
  const path = join(directory, lockFileName);
  // A bare descriptor: a FileHandle that nobody refers to any more would close itself.
  const fd = openLockFile(path);
  try {
    const name = await acquire(directory, fd, flock);
    nameHolder(fd, holder);
    return {
      async release() {
        replaceContent(fd, '');
        fs.closeSync(fd);
        if (name !== undefined) await once(name.close(), 'close');
      },
    };
  } catch (error: unknown) {
    fs.closeSync(fd);
    throw error instanceof FsError ? error : diskError('lock', path, error);
  }
}

function openLockFile(path: string): number {
  try {
    return fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch (error: unknown) {
    throw diskError('open', path, error);
  }
}

/** A full disk takes no name, and the lock holds without (SCENARIOS 215). */
function nameHolder(fd: number, holder: string): void {
  try {
    replaceContent(fd, `${holder}\n`);
  } catch (error: unknown) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function replaceContent(fd: number, content: string): void {
  fs.ftruncateSync(fd, 0);
  fs.writeSync(fd, content, 0);
}

/** @returns what must be kept besides the open file, if anything */
async function acquire(directory: string, fd: number, flock: string): Promise<Server | undefined> {
  const outcome = await runFlock(fd, flock);
  if (outcome === 'locked') return undefined;
  const name = outcome === 'no flock' ? await bindName(fd) : undefined;
  if (name !== undefined) return name;
  const holder = fs.readFileSync(fd, 'utf8').trim() || 'a process that has not said its name yet';
  throw new FsError('EBUSY', {
    id: 'WEFT_E_DATA_LOCKED',
    what: `${directory} is in use by ${holder}`,
  });
}

/** A lock of flock(2) is one of the open file, not of the process that asked for it: it stays. */
async function runFlock(fd: number, flock: string): Promise<'locked' | 'held' | 'no flock'> {
  const child = spawn(flock, ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'pipe', fd] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve('no flock');
      else reject(error);
    });
    child.on('close', (code) => {
      if (code === 0) resolve('locked');
      else if (code === 1 && said === '') resolve('held');
      else reject(new Error(`${flock} failed with status ${code}: ${said.trim()}`));
    });
  });
}

/**
 * An abstract unix socket named after the lock file: one process of the host (of its network
 * namespace, to be exact) can have it, and it ends with that process.
 * @returns undefined when another process has it
 */
async function bindName(fd: number): Promise<Server | undefined> {
  const { dev, ino } = fs.fstatSync(fd);
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen({ path: `\0weftfs-lock-${dev}-${ino}` });
  try {
    await once(server, 'listening');
    return server;
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
