/** Socket files: how long their names may be, and what becomes of one whose process is dead. */
import { lstat, unlink } from 'node:fs/promises';
import * as net from 'node:net';
import { FsError } from '../../errno.ts';
import { isAbstract } from '../abstract-name.ts';
import type { Endpoint } from '../runtime.ts';

/** `sun_path` of Linux without its closing zero, or the one before a name. Longer ones would be cut off silently. */
const pathBytesMax = 107;

/**
 * The path as the system takes it. A name has all the room that there is: one that ended before would be
 * one with zeros behind it to some versions of Node, and without them to others.
 * @throws FsError EINVAL
 */
export function systemPath(endpoint: Extract<Endpoint, { kind: 'unix' }>): string {
  const isName = isAbstract(endpoint);
  const path = isName ? endpoint.path.slice(1) : endpoint.path;
  const bytes = Buffer.byteLength(path);
  if (bytes > 0 && bytes <= pathBytesMax && !path.includes('\0')) {
    return isName ? `\0${path.padEnd(pathBytesMax)}` : path;
  }
  throw new FsError('EINVAL', {
    what: `path of a unix socket has ${bytes} bytes, 1 to ${pathBytesMax} are allowed: ${path}`,
  });
}

/** Node's message has the path as the system took it. */
export function legible(error: unknown): unknown {
  if (error instanceof Error) error.message = error.message.replaceAll('\0', '@').trimEnd();
  return error;
}

/**
 * Removes a socket file that nobody listens on any more. Whoever calls it must be sure that no
 * other process does so at the same time: daemons hold the lock of their data directory.
 * @returns false when the file is in use or is no socket; it is left alone then
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const stat = await lstat(path);
  if (!stat.isSocket() || (await isListenedOn(path))) return false;
  await unlink(path);
  return true;
}

async function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Any other error (a full queue, no permission) does not prove that its owner is dead.
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
