/** Mounts of ours as the kernel lists them, dead ones too. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface ListedMount {
  readonly directory: string;
  readonly source: string;
}

const aliveMs = 2000;

/** @param text of /proc/self/mountinfo (proc(5)) */
export function parseMountInfo(text: string): ListedMount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, source = ''] = after.split(' ');
    const directory = before.split(' ')[4];
    if (type !== 'fuse.weft' || directory === undefined) return [];
    return [{ directory: unescaped(directory), source: unescaped(source) }];
  });
}

/** In the order in which they were mounted. */
export async function listMounts(): Promise<readonly ListedMount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** The directory as the kernel lists it. Of a dead mount only what is above it can be asked. */
export async function mountPoint(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTCONN') throw error;
    return join(await realpath(dirname(absolute)), basename(absolute));
  }
}

/**
 * True when the process that served the mount is gone. One that does not answer is alive: it may
 * wait for its cluster.
 */
export async function isDead(directory: string): Promise<boolean> {
  const looking = stat(directory).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOTCONN',
  );
  return Promise.race([looking, pause(aliveMs, false, { ref: false })]);
}

/** Blanks and the like are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
